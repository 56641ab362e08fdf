import type { Stop, StopKind } from "../ir/answer.ts";
import type { Report } from "../ir/loss.ts";

/** What this wire's words mean, and those of its hosts: protocols.md 4.2. */
const KINDS: ReadonlyMap<string, StopKind> = new Map([
  ["stop", "end"],
  ["eos", "end"], // Together
  ["tool_calls", "tool_call"],
  ["function_call", "tool_call"],
  ["length", "length"],
  ["model_length", "context_window"], // Mistral
  ["content_filter", "content_filter"],
  ["error", "error"], // OpenRouter, Mistral
]);

interface Word {
  readonly word: string;
  /** The word says less than, or something else than, what happened. */
  readonly isNear?: boolean;
}

const WORDS: Readonly<Record<StopKind, Word>> = {
  end: { word: "stop" },
  tool_call: { word: "tool_calls" },
  length: { word: "length" },
  context_window: { word: "length", isNear: true },
  stop_sequence: { word: "stop", isNear: true },
  pause: { word: "stop", isNear: true },
  refusal: { word: "content_filter" },
  content_filter: { word: "content_filter" },
  guardrail: { word: "content_filter", isNear: true },
  recitation: { word: "content_filter", isNear: true },
  malformed_tool_call: { word: "stop", isNear: true },
  malformed_output: { word: "stop", isNear: true },
  error: { word: "error", isNear: true },
  timeout: { word: "error", isNear: true },
  compaction: { word: "stop", isNear: true },
  steered: { word: "stop", isNear: true },
  continuation: { word: "stop", isNear: true },
  other: { word: "stop", isNear: true },
};

/** Why a choice ended. A refusal has no word: it is a plain end with a refusal in the message. */
export function readStop(word: string, { refused }: { readonly refused: boolean }): Stop {
  const kind = KINDS.get(word) ?? "other";
  return { kind: kind === "end" && refused ? "refusal" : kind, raw: word };
}

/** The finish reason; one that only comes near is reported, and a pause matters to the caller. */
export function finishReason(
  { kind, raw }: Stop,
  { refused, report }: { readonly refused: boolean; readonly report: Report },
): string {
  const { word, isNear } = kind === "refusal" && refused ? WORDS.end : WORDS[kind];
  if (isNear === true) {
    const severity = kind === "pause" ? "semantic" : undefined;
    report({ code: "L-STOP", path: "stop", action: "approximated", detail: raw ?? kind, severity });
  }
  return word;
}
