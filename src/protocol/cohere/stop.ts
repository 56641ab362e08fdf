import type { Stop, StopKind } from "../ir/answer.ts";
import type { Report } from "../ir/loss.ts";
import { spelled, spellingOf } from "./own.ts";

/** protocols.md 4.2, with the words of version 1 that old models still use. */
const KIND_OF_WORD: ReadonlyMap<string, StopKind> = new Map([
  ["COMPLETE", "end"],
  ["STOP_SEQUENCE", "stop_sequence"],
  ["MAX_TOKENS", "length"],
  ["TOOL_CALL", "tool_call"],
  ["ERROR", "error"],
  ["TIMEOUT", "timeout"],
  ["ERROR_TOXIC", "content_filter"],
  ["ERROR_LIMIT", "context_window"],
]);

interface Word {
  readonly word: string;
  readonly exact: boolean;
}
const WORD_OF_KIND: Readonly<Record<StopKind, Word>> = {
  end: exact("COMPLETE"),
  stop_sequence: exact("STOP_SEQUENCE"),
  length: exact("MAX_TOKENS"),
  tool_call: exact("TOOL_CALL"),
  error: exact("ERROR"),
  timeout: exact("TIMEOUT"),
  context_window: near("MAX_TOKENS"),
  pause: near("COMPLETE"),
  refusal: near("COMPLETE"),
  content_filter: near("ERROR"),
  guardrail: near("ERROR"),
  recitation: near("ERROR"),
  malformed_tool_call: near("ERROR"),
  malformed_output: near("ERROR"),
  compaction: near("COMPLETE"),
  steered: near("COMPLETE"),
  continuation: near("COMPLETE"),
  other: near("COMPLETE"),
};

/** What a word means; one this build does not know is `other`. */
export function kindOfWord(word: string): StopKind {
  return KIND_OF_WORD.get(word) ?? "other";
}

/** Words that end an answer which did not become one. */
export function isFailure(word: string): boolean {
  return word === "TIMEOUT" || word === "ERROR" || word.startsWith("ERROR_");
}

/** Why an answer ended. */
export function readStop(word: string): Stop {
  return spelled({ kind: kindOfWord(word), raw: word }, { raw: word });
}

/** This wire's word, reported where it is not quite what was meant. */
export function writeStop(stop: Stop, report: Report): string {
  const { raw } = spellingOf(stop);
  if (typeof raw === "string") return raw;
  const { word, exact: isExact } = WORD_OF_KIND[stop.kind];
  if (!isExact) {
    report({
      code: "L-STOP",
      path: "stop",
      action: "approximated",
      detail: stop.raw ?? stop.kind,
      severity: stop.kind === "pause" ? "semantic" : undefined,
    });
  }
  return word;
}

function exact(word: string): Word {
  return { word, exact: true };
}
function near(word: string): Word {
  return { word, exact: false };
}
