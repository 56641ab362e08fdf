import type { Chunk } from "../../../src/core/units.ts";
import { parseSse } from "../../../src/wire/sse.ts";

/** What a tap must have learnt of a stream of events. */
export interface Learnt {
  readonly complete: boolean;
  readonly isFault: boolean;
  readonly textBytes: number;
  readonly usage: readonly number[] | undefined;
  readonly id: string | undefined;
  readonly model: string | undefined;
}

/** The tap by the slow way: every event is parsed, and what it says is kept as it is said. */
export function slowTap(body: Chunk): Learnt {
  const ended = Buffer.concat([body, Buffer.from("\n\n")]); // Some recordings lack the last line.
  const chunks = parseSse(ended).map(({ data }) => parse(data));
  const open = new Set<unknown>();
  const closed = new Set<unknown>();
  let isBlocked = false;
  let text = "";
  for (const chunk of chunks) {
    if (said(get(get(chunk, "promptFeedback"), "blockReason"))) isBlocked = true;
    for (const [place, candidate] of list(get(chunk, "candidates")).entries()) {
      const parts = list(get(get(candidate, "content"), "parts"));
      text += parts.map((part) => get(part, "text") ?? "").join("");
      const index = get(candidate, "index") ?? place;
      if (said(get(candidate, "finishReason"))) {
        open.delete(index);
        closed.add(index);
      } else if (!closed.has(index) || parts.length > 0) {
        closed.delete(index);
        open.add(index);
      }
    }
  }
  const isFault = chunks.some((chunk) => Boolean(get(chunk, "error")));
  return {
    complete: open.size === 0 && (closed.size > 0 || isBlocked) && !isFault,
    isFault,
    textBytes: Buffer.byteLength(text),
    usage: chunks.map(usageOf).findLast(Boolean),
    id: chunks.map((chunk) => get(chunk, "responseId")).find(said) as string | undefined,
    model: chunks.map((chunk) => get(chunk, "modelVersion")).find(said) as string | undefined,
  };
}

/** protocols.md §4.3. */
function usageOf(chunk: unknown): Learnt["usage"] {
  const count = (name: string) => get(get(chunk, "usageMetadata"), `${name}TokenCount`);
  const [prompt, answer] = [count("prompt"), count("candidates")];
  if ((prompt ?? answer) === undefined) return undefined;
  if (![prompt ?? 0, answer ?? 0].every(isCount)) return undefined;
  const [tools, cached, thoughts] = ["toolUsePrompt", "cachedContent", "thoughts"].map((name) =>
    isCount(count(name)) ? Number(count(name)) : 0,
  );
  const [input, output] = [Number(prompt ?? 0), Number(answer ?? 0)];
  return [input + (tools ?? 0), output + (thoughts ?? 0), cached ?? 0, thoughts ?? 0];
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 1e9;
}
function said(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
function get(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name] ?? undefined;
}
function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not JSON: an event that says nothing.
  }
}
