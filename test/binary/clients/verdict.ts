import { isDeepStrictEqual } from "node:util";
import type { DialectId } from "../../../src/core/ids.ts";
import type { Result, Seen, SeenCall, StopWord } from "./client.ts";

/** Stop words a protocol does not have, and what it says instead: protocols.md 4.2. */
const SAID_AS: { readonly [D in DialectId]: { readonly [W in StopWord]?: readonly StopWord[] } } = {
  openai: {
    ...{ stop_sequence: ["end"], pause: ["end"], context: ["length"] },
    refusal: ["refusal", "filtered"],
  },
  responses: { stop_sequence: ["end"], pause: ["end"], context: ["length"] },
  anthropic: { filtered: ["refusal"] },
  gemini: { stop_sequence: ["end"], pause: ["end"], context: ["length"], refusal: ["filtered"] },
  bedrock: { pause: ["end"], refusal: ["filtered"] },
  cohere: { pause: ["end"], context: ["length"], refusal: ["end"], filtered: ["error"] },
};
/** Protocols with a place for a refusal; elsewhere it is text. */
const REFUSES: ReadonlySet<DialectId> = new Set(["openai", "responses"]);
/** Their SDKs show no explanation of a stop, whatever the wire says: L-STOP. */
const HIDES: ReadonlySet<DialectId> = new Set(["gemini", "bedrock", "cohere"]);

/** In what a translated answer differs from the vendor's own, beyond what its protocol can say. */
export function differences(straight: Seen, through: Result, client: DialectId): string[] {
  const stops = SAID_AS[client][straight.stop] ?? [straight.stop];
  if (!through.ok) {
    if (stops.includes("error")) return []; // protocols.md 5.6: the only thing an SDK notices.
    const { kind, status, message } = through.error;
    return [`threw ${kind} ${status ?? ""} ${message.slice(0, 160)}`];
  }
  const { seen } = through;
  const wrong: string[] = [];
  const differs = (what: string, wanted: unknown, got: unknown) => {
    if (isDeepStrictEqual(wanted, got)) return;
    wrong.push(`${what}: ${shown(wanted)} became ${shown(got)}`);
  };
  if (REFUSES.has(client)) differs("refusal", straight.refusal, seen.refusal);
  if (!textsOf(straight, client).includes(wordsOf(seen, straight))) {
    differs("text", straight.text, seen.text);
  }
  differs("reasoning", squeezed(straight.reasoning), squeezed(seen.reasoning));
  const isCut = client === "anthropic" && straight.calls.some(({ args }) => isCutShort(args));
  // Anthropic's SDK makes of a cut text what it can parse of it.
  if (isCut) differs("calls", namesOf(straight), namesOf(seen));
  else differs("calls", straight.calls.map(bare), seen.calls.map(bare));
  if (straight.stop !== "other" && !stops.includes(seen.stop)) {
    wrong.push(`stop: ${straight.stop} became ${seen.stop}`);
  }
  if (straight.input !== undefined) differs("input tokens", straight.input, seen.input);
  if (straight.output !== undefined) differs("output tokens", straight.output, seen.output);
  if (straight.cached !== undefined) differs("from cache", straight.cached, seen.cached ?? 0);
  return wrong;
}

/** The words that may stand for an answer: a refusal is text where it has no place of its own. */
function textsOf({ text, refusal, spoken = "" }: Seen, client: DialectId): readonly string[] {
  if (spoken !== "") return ["", spoken]; // A sound has no place, its words may: L-MODALITY.
  if (text !== "" || REFUSES.has(client)) return [text];
  return refusal === "" || HIDES.has(client) ? ["", refusal] : [refusal];
}

function wordsOf(seen: Seen, straight: Seen): string {
  return seen.text === "" && straight.refusal !== "" ? seen.refusal : seen.text;
}

/** Wires cut reasoning into parts and join them with white space of their own. */
function squeezed(text: string): string {
  return text.replaceAll(/\s+/g, "");
}

/** Text that is no JSON object is wrapped where one is demanded: protocols.md 3.7. */
function bare({ name, args }: SeenCall): SeenCall {
  const { _raw: raw = args } = (args ?? {}) as { _raw?: unknown };
  return { name, args: raw };
}

function isCutShort(args: unknown): boolean {
  return typeof args === "string" && args.startsWith("{");
}

function namesOf({ calls }: Seen): readonly string[] {
  return calls.map(({ name }) => name);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
