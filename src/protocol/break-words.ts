import type { BrokenStream } from "./dialect.ts";
import type { ErrorClass } from "./wire-error.ts";

/** What the in-band end of a stream says, before a protocol spells it. */
export interface BreakWords {
  readonly class: ErrorClass;
  readonly status: number;
  /** A stable word for programs. */
  readonly code: string;
  readonly message: string;
  /** The message for protocols that have no place for the code. */
  readonly coded: string;
}

/** Says nothing about what stands behind us: features.md b-R44. */
const INTERRUPTED = "The response stream was interrupted.";

const WORDS: Readonly<Record<BrokenStream["why"], BreakWords>> = {
  truncated: upstreams("bad_upstream", 502, "stream_truncated"),
  timeout: upstreams("timeout", 504, "stream_timeout"),
  shutdown: upstreams("overloaded", 503, "stream_shutdown"),
  bug: upstreams("server", 500, "stream_error"),
  budget_exceeded: ours("quota", 429, {
    code: "budget_exceeded",
    message: "The response stream was ended: the budget of this API key is used up.",
  }),
  key_revoked: ours("auth", 401, {
    code: "key_revoked",
    message: "The response stream was ended: this API key is no longer valid.",
  }),
};

/** The words for a stream that broke, or was ended by a rule of ours. */
export function wordsOfBreak(why: BrokenStream["why"]): BreakWords {
  return WORDS[why];
}

/** Whether a rule about its key ended a stream: not the upstream, and no bug. */
export function isStopped(why: BrokenStream["why"]): boolean {
  return why === "budget_exceeded" || why === "key_revoked";
}

function upstreams(kind: ErrorClass, status: number, code: string): BreakWords {
  return { class: kind, status, code, message: INTERRUPTED, coded: INTERRUPTED };
}

function ours(
  kind: ErrorClass,
  status: number,
  { code, message }: { readonly code: string; readonly message: string },
): BreakWords {
  return { class: kind, status, code, message, coded: `${message} (${code})` };
}
