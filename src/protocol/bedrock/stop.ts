import type { IrAnswer, Stop, StopKind } from "../ir/answer.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import { isObject } from "../ir/fields.ts";

/** Bedrock's words, `StopReason` in its API model: protocols.md §4.2. */
const KIND_OF_WORD: ReadonlyMap<string, StopKind> = new Map<string, StopKind>([
  ["end_turn", "end"],
  ["tool_use", "tool_call"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "context_window"],
  ["stop_sequence", "stop_sequence"],
  ["content_filtered", "content_filter"],
  ["guardrail_intervened", "guardrail"],
  ["malformed_tool_use", "malformed_tool_call"],
  ["malformed_model_output", "malformed_output"],
]);

const WORD_OF_KIND: Readonly<Record<StopKind, string>> = {
  end: "end_turn",
  length: "max_tokens",
  context_window: "model_context_window_exceeded",
  stop_sequence: "stop_sequence",
  tool_call: "tool_use",
  content_filter: "content_filtered",
  guardrail: "guardrail_intervened",
  malformed_tool_call: "malformed_tool_use",
  malformed_output: "malformed_model_output",
  pause: "end_turn",
  refusal: "content_filtered",
  recitation: "content_filtered",
  error: "malformed_model_output",
  timeout: "malformed_model_output",
  compaction: "end_turn",
  steered: "end_turn",
  continuation: "end_turn",
  other: "end_turn",
};

/** A stop of the wire. What the model's own host adds is looked through for its stop string. */
export function readStop(word: string, extra: Json | undefined): Stop {
  const kind = KIND_OF_WORD.get(word) ?? "other";
  return { kind, raw: word, sequence: sequenceIn(extra) };
}

export interface StopContext {
  readonly origin: IrAnswer["origin"] | undefined;
  readonly report: Report;
}

/** The wire's word for a stop; one that only comes near is reported. */
export function writeStop(stop: Stop | undefined, { origin, report }: StopContext): string {
  if (origin === "bedrock" && stop?.raw !== undefined) return stop.raw;
  if (stop === undefined) {
    report({ code: "L-STOP", path: "stop", action: "defaulted" });
    return WORD_OF_KIND.end;
  }
  const word = WORD_OF_KIND[stop.kind];
  if (KIND_OF_WORD.get(word) !== stop.kind) {
    const severity = stop.kind === "pause" ? "semantic" : undefined;
    const loss = { code: "L-STOP", path: "stop", action: "approximated" } as const;
    report({ ...loss, detail: stop.raw ?? stop.kind, severity });
  }
  return word;
}

/** Claude's `stop_sequence`, which a caller gets by asking for its path: protocols.md §8. */
const SEQUENCE = "stop_sequence";

function sequenceIn(extra: Json | undefined): string | undefined {
  if (!isObject(extra)) return undefined;
  const delta = extra["delta"];
  const text = extra[SEQUENCE] ?? (isObject(delta) ? delta[SEQUENCE] : undefined);
  return typeof text === "string" ? text : undefined;
}

/** The stop string of a foreign answer, for a caller who asked for Claude's path to it. */
export function askedSequence(
  stop: Stop | undefined,
  paths: Json | undefined,
): JsonObject | undefined {
  const isAsked = Array.isArray(paths) && paths.includes(`/${SEQUENCE}`);
  return isAsked && stop?.sequence !== undefined ? { [SEQUENCE]: stop.sequence } : undefined;
}
