import type { Stop, StopKind } from "../ir/answer.ts";
import type { Report } from "../ir/loss.ts";

/** The wire's words (protocols.md 4.2), and those of the SDK's type that came later. */
const KINDS: ReadonlyMap<string, StopKind> = new Map([
  ["STOP", "end"],
  ["MAX_TOKENS", "length"],
  ["SAFETY", "content_filter"],
  ["BLOCKLIST", "content_filter"],
  ["PROHIBITED_CONTENT", "content_filter"],
  ["SPII", "content_filter"],
  ["MODEL_ARMOR", "guardrail"],
  ["IMAGE_SAFETY", "content_filter"],
  ["IMAGE_PROHIBITED_CONTENT", "content_filter"],
  ["IMAGE_RECITATION", "content_filter"],
  ["IMAGE_OTHER", "content_filter"],
  ["RECITATION", "recitation"],
  ["LANGUAGE", "recitation"],
  ["MALFORMED_FUNCTION_CALL", "malformed_tool_call"],
  ["UNEXPECTED_TOOL_CALL", "malformed_tool_call"],
  ["TOO_MANY_TOOL_CALLS", "malformed_tool_call"],
  ["MISSING_THOUGHT_SIGNATURE", "malformed_tool_call"],
  ["MALFORMED_RESPONSE", "malformed_output"],
  ["OTHER", "malformed_output"],
  ["NO_IMAGE", "malformed_output"],
  ["CONTINUATION", "continuation"],
]);

interface Word {
  readonly word: string;
  /** The wire has no word of its own for it. */
  readonly approximate?: true;
}
const WORDS: Readonly<Record<StopKind, Word>> = {
  end: { word: "STOP" },
  tool_call: { word: "STOP" }, // The calls themselves tell.
  length: { word: "MAX_TOKENS" },
  context_window: { word: "MAX_TOKENS", approximate: true },
  stop_sequence: { word: "STOP", approximate: true },
  pause: { word: "STOP", approximate: true },
  refusal: { word: "SAFETY", approximate: true },
  content_filter: { word: "SAFETY" },
  guardrail: { word: "SAFETY", approximate: true },
  recitation: { word: "RECITATION" },
  malformed_tool_call: { word: "MALFORMED_FUNCTION_CALL" },
  malformed_output: { word: "MALFORMED_RESPONSE" },
  compaction: { word: "CONTINUATION", approximate: true },
  steered: { word: "CONTINUATION", approximate: true },
  continuation: { word: "CONTINUATION" },
  error: { word: "OTHER", approximate: true },
  timeout: { word: "OTHER", approximate: true },
  other: { word: "STOP", approximate: true },
};

/** Gemini says STOP when it calls tools: the kind follows from the calls (finding 5). */
export function readStop(raw: string, options: { readonly hasCalls: boolean }): Stop {
  const kind = KINDS.get(raw) ?? "other";
  return { kind: kind === "end" && options.hasCalls ? "tool_call" : kind, raw };
}

/** The finish reason; one that only comes near is reported. */
export function writeStop({ kind, raw }: Stop, report: Report): string {
  const { word, approximate } = WORDS[kind];
  if (approximate) {
    const severity = kind === "pause" ? "semantic" : undefined;
    report({ code: "L-STOP", path: "stop", action: "approximated", detail: raw, severity });
  }
  return word;
}

const BLOCK_REASONS: ReadonlySet<string> = new Set([
  "SAFETY",
  "OTHER",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "IMAGE_SAFETY",
  "MODEL_ARMOR",
  "JAILBREAK",
]);

/** Why a prompt was blocked, in the wire's words. */
export function writeBlockReason(reason: string): string {
  return BLOCK_REASONS.has(reason) ? reason : "OTHER";
}
