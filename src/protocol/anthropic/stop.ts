import type { Stop, StopKind } from "../ir/answer.ts";

/** What each of this wire's stop reasons means: protocols.md 4.2. */
const KINDS: ReadonlyMap<string, StopKind> = new Map([
  ["end_turn", "end"],
  ["tool_use", "tool_call"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "context_window"],
  ["stop_sequence", "stop_sequence"],
  ["pause_turn", "pause"],
  ["refusal", "refusal"],
  ["compaction", "compaction"],
]);

interface Word {
  readonly word: string;
  /** The word means less or other than the kind: `L-STOP`. */
  readonly isNear?: boolean;
}

const WORDS: Readonly<Record<StopKind, Word>> = {
  end: { word: "end_turn" },
  tool_call: { word: "tool_use" },
  length: { word: "max_tokens" },
  context_window: { word: "model_context_window_exceeded" },
  stop_sequence: { word: "stop_sequence" },
  pause: { word: "pause_turn" },
  refusal: { word: "refusal" },
  compaction: { word: "compaction" },
  content_filter: { word: "refusal", isNear: true },
  guardrail: { word: "refusal", isNear: true },
  recitation: { word: "refusal", isNear: true },
  malformed_tool_call: { word: "end_turn", isNear: true },
  malformed_output: { word: "end_turn", isNear: true },
  steered: { word: "end_turn", isNear: true },
  continuation: { word: "end_turn", isNear: true },
  error: { word: "end_turn", isNear: true },
  timeout: { word: "end_turn", isNear: true },
  other: { word: "end_turn", isNear: true },
};

export function stopKind(word: string): StopKind {
  return KINDS.get(word) ?? "other";
}

/** The stop reason for a stop of any wire. A word of our own that nobody knows stays as it was. */
export function stopWord(stop: Stop, isOwn: boolean): Word {
  return isOwn && stop.raw !== undefined ? { word: stop.raw } : WORDS[stop.kind];
}
