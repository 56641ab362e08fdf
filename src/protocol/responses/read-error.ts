import type { Chunk, Ms } from "../../core/units.ts";
import { type Foreign, parseForeign } from "../../wire/foreign.ts";
import { readRetryAfter } from "../../wire/retry-after.ts";
import type { ErrorClass, TokenLimits, WireError } from "../wire-error.ts";
import { type Complaint, NOTHING_SAID, readComplaint } from "./complaint.ts";
import { classOf, impliedStatus, isMarkup } from "./error-class.ts";

/** What an error answer says, to be spelled in another protocol: protocols.md §6.1 and §6.3. */
export function readError(status: number, headers: Headers, body: Chunk): WireError {
  const complaint = readComplaint(parseForeign(body)) ?? NOTHING_SAID;
  const isAnError = status >= 400 && status <= 599;
  const heard = isAnError ? status : impliedStatus(complaint);
  const isPage = complaint === NOTHING_SAID && isMarkup(body);
  const retryAfterMs = isAnError ? readRetryAfter(headers) : undefined;
  return errorOf(isPage ? "bad_upstream" : classOf(complaint, heard), {
    complaint,
    status: heard,
    retryAfterMs,
  });
}

/** The same for an event that is called an error or holds a failed response. */
export function readErrorEvent(event: Foreign | undefined): WireError {
  const complaint = readComplaint(event) ?? NOTHING_SAID;
  const status = impliedStatus(complaint);
  return errorOf(classOf(complaint, status), { complaint, status, retryAfterMs: undefined });
}

interface Heard {
  readonly complaint: Complaint;
  readonly status: number;
  readonly retryAfterMs: Ms | undefined;
}

function errorOf(found: ErrorClass, { complaint, status, retryAfterMs }: Heard): WireError {
  const { said, code, param, codes } = complaint;
  return {
    class: found,
    status: STATUSES[found] ?? status,
    message: scrubbed(said ?? SILENCE),
    code,
    param,
    limit: found === "rate_limit" ? limitOf(codes) : undefined,
    tokens: found === "context_length" ? (complaint.tokens ?? tokensIn(said ?? "")) : undefined,
    retryAfterMs: WAITING.has(found) ? retryAfterMs : undefined,
    shouldRetry: found === "request_too_large" ? false : undefined,
  };
}

const SILENCE = "The model failed to answer.";
const WAITING: ReadonlySet<ErrorClass> = new Set(["rate_limit", "overloaded"]);
/** Errors inside a 200, and a 429 that no waiting helps, need a status of their own. */
const STATUSES: { readonly [C in ErrorClass]?: number } = {
  request_too_large: 413,
  rate_limit: 429,
  quota: 429,
};

function limitOf(codes: readonly string[]): "requests" | "tokens" | undefined {
  if (codes.includes("tokens")) return "tokens";
  return codes.includes("requests") ? "requests" : undefined;
}

/** `[what was asked, what fits]`, as hosts say it; the order of the numbers is each one's own. */
const NUMBERS: readonly (readonly [RegExp, "asked-max" | "max-asked"])[] = [
  [
    /maximum context length is (\d+) tokens.{0,80}?(?:requested|resulted in) (\d+) tokens/s,
    "max-asked",
  ],
  [/\((\d+) tokens\) exceeds the available context size \((\d+) tokens\)/, "asked-max"],
  [/prompt is too long: (\d+) tokens > (\d+) maximum/, "asked-max"],
  [/maximum prompt length is (\d+) but the request contains (\d+) tokens/, "max-asked"],
  [/input token count \((\d+)\) exceeds .{0,80}?\((\d+)\)/s, "asked-max"],
  [/current length is (\d+) while limit is (\d+)/, "asked-max"],
];

function tokensIn(message: string): TokenLimits | undefined {
  const text = message.toLowerCase();
  for (const [pattern, order] of NUMBERS) {
    const [, first, second] = pattern.exec(text) ?? [];
    if (first === undefined || second === undefined) continue;
    return order === "asked-max"
      ? { requested: Number(first), max: Number(second) }
      : { requested: Number(second), max: Number(first) };
  }
  return undefined;
}

/** Whose account it is, and pieces of its key, are no business of a caller: protocols.md §6.2. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/ in organization \S+/g, ""],
  [/\b(?:org|proj|user|acct)[-_][A-Za-z0-9]{6,}/g, "[redacted]"],
  [/\b(?:sk|xai|gsk)-[\w*.-]+/g, "[redacted]"],
  [/(api key provided: )[^\s.]+/gi, "$1[redacted]"],
  [/\b\d{12}\b/g, "[redacted]"],
];

function scrubbed(message: string): string {
  return SECRETS.reduce((text, [secret, instead]) => text.replace(secret, instead), message);
}
