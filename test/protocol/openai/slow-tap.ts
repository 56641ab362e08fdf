import type { Chunk } from "../../../src/core/units.ts";
import type { TapOptions } from "../../../src/protocol/dialect.ts";

/** What a tap must have learnt of a stream. */
export interface Learnt {
  readonly complete: boolean;
  readonly isFault: boolean;
  readonly eventCount: number;
  readonly usage:
    readonly [input: number, output: number, cached: number, thought: number] | undefined;
  readonly id: string | undefined;
  readonly model: string | undefined;
}

/** The tap by the slow way: split as text, parse every event, walk it. Nothing of ours is in it. */
export function slowTap(body: Chunk, { terminal }: TapOptions): Learnt {
  const all = eventsOf(body);
  const endAt = all.findIndex(({ data }) => data.trim() === "[DONE]");
  const read = endAt < 0 ? all : all.slice(0, endAt);
  const parsed = read.map(({ data }) => parse(data));
  const choices = parsed.flatMap((event) => list(get(event, "choices")));
  const choicesBy = (at: number) =>
    parsed.slice(0, at).flatMap((event) => list(get(event, "choices")));
  const isFinished = parsed.some((_, at) => isFinishedBy(choicesBy(at + 1)));
  const isFault =
    read.some(({ name, whole }) => name === "error" && whole) ||
    parsed.some((event) => Boolean(get(event, "error")) || get(event, "object") === "error") ||
    choices.some((choice) => get(choice, "finish_reason") === "error");
  const texts = (name: string) => parsed.map((event) => get(event, name)).find(Boolean);
  return {
    complete: endAt >= 0 || (terminal === "finish" && isFinished),
    isFault,
    eventCount: all.filter(({ whole }) => whole).length,
    usage: parsed.map(usageOf).findLast(Boolean),
    id: texts("id") as string | undefined,
    model: texts("model") as string | undefined,
  };
}

/** Whether each choice that has begun has finished. */
function isFinishedBy(choices: readonly unknown[]): boolean {
  const indexOf = (choice: unknown) => get(choice, "index") ?? 0;
  const finished = choices.filter((choice) => {
    return !["", "error"].includes(String(get(choice, "finish_reason") ?? ""));
  });
  const open = choices.filter((choice) => !finished.map(indexOf).includes(indexOf(choice)));
  return finished.length > 0 && open.length === 0;
}

/** Bytes of text in all deltas: what a full parse says was generated. */
export function slowTextBytes(body: Chunk): number {
  let text = "";
  for (const { data } of eventsOf(body)) {
    for (const choice of list(get(parse(data), "choices"))) {
      const delta = get(choice, "delta");
      const content = get(delta, "content");
      const parts = Array.isArray(content) ? content.map((part) => get(part, "text")) : [content];
      const calls = list(get(delta, "tool_calls"));
      const details = list(get(delta, "reasoning_details")).map((one) => get(one, "text"));
      const all = [
        ...parts,
        get(delta, "reasoning_content") ?? get(delta, "reasoning") ?? details.join(""),
        get(delta, "refusal"),
        delta === undefined ? get(choice, "text") : "", // Together repeats the delta there.
        ...calls.map((call) => get(get(call, "function"), "arguments")),
      ];
      for (const one of all) if (typeof one === "string") text += one;
    }
  }
  return Buffer.byteLength(text);
}

interface Event {
  readonly name: string;
  readonly data: string;
  /** Its blank line came. */
  readonly whole: boolean;
}

function eventsOf(body: Chunk): Event[] {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body).replace(/^\ufeff/, "");
  const blocks = text.replace(/\r\n|\r/g, "\n").split(/(?<=^|\n)\n/);
  return blocks.flatMap((block, at) => {
    const fields = block.split("\n").map((line) => /^([^:]*)(?:: ?)?([^]*)$/.exec(line)!);
    const values = (name: string) => fields.filter((one) => one[1] === name).map((one) => one[2]!);
    if (values("data").length === 0) return [];
    const whole = at < blocks.length - 1;
    return [{ name: values("event").at(-1) ?? "", data: values("data").join("\n"), whole }];
  });
}

/** The last usable usage of one event: protocols.md §4.3. */
function usageOf(event: unknown): Learnt["usage"] {
  const places = [event, get(event, "x_groq"), list(get(event, "choices"))[0]];
  for (const place of places) {
    const usage = get(place, "usage");
    const count = (...path: string[]) => path.reduce(get, usage);
    const [input, output] = [count("prompt_tokens"), count("completion_tokens")];
    if ((input ?? output) === undefined || ![input ?? 0, output ?? 0].every(isCount)) continue;
    const [p, c] = [Number(input ?? 0), Number(output ?? 0)];
    const r = sane(count("completion_tokens_details", "reasoning_tokens"));
    const cached = Math.max(
      sane(count("prompt_tokens_details", "cached_tokens")),
      sane(count("prompt_cache_hit_tokens")),
      sane(count("cached_tokens")),
    );
    const apart = r > c || count("total_tokens") === p + c + r;
    return [cached > p ? p + cached : p, apart ? c + r : c, cached, r];
  }
  return undefined;
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 1e9;
}
function sane(value: unknown): number {
  return isCount(value) ? Number(value) : 0;
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
