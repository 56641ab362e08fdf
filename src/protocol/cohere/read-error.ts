import type { Chunk } from "../../core/units.ts";
import { type Foreign, parseForeign } from "../../wire/foreign.ts";
import { readRetryAfter } from "../../wire/retry-after.ts";
import type { ErrorClass, TokenLimits, WireError } from "../wire-error.ts";
import { type Complaint, complaintOfEnd, readComplaint } from "./complaint.ts";
import { TOKEN_NUMBERS } from "./fault-words.ts";
import { classify, classOfEnd, classOfEvent } from "./fault.ts";

const HIDDEN = "[redacted]";
/** Keys and accounts, of this vendor and of those that relays put before it. */
const SECRETS: readonly RegExp[] = [
  /\b(?:sk|pk|org|proj|acct|key)[-_](?=\S*[\d*])[A-Za-z0-9*._-]{4,}/g,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /\bprojects\/[A-Za-z0-9._-]+/g,
  /\b\d{12}\b/g,
  /\b[A-Za-z0-9]{40}\b/g,
];
const SILENT = "The model failed to answer.";

/** What an error answer says, without what names an account: protocols.md 6.2, last rule. */
export function readError(status: number, headers: Headers, body: Chunk): WireError {
  const complaint = readComplaint(parseForeign(body));
  const kind = classify(complaint, status);
  const mayWait = kind === "rate_limit" || kind === "overloaded";
  return {
    ...errorOf(kind, { complaint, status }),
    retryAfterMs: mayWait ? readRetryAfter(headers) : undefined,
  };
}

/** The error an answer ended with; undefined where it ended as it should, or by a filter. */
export function readEndError(delta: Foreign): WireError | undefined {
  const kind = classOfEnd(delta);
  if (kind === undefined || kind === "content_filter" || kind === "context_length")
    return undefined;
  return errorOf(kind, { complaint: complaintOfEnd(delta), status: STATUS[kind] ?? 500 });
}

/** The error an event that is called one tells of. */
export function readEventError(event: unknown): WireError {
  const complaint = readComplaint(event);
  const kind = classOfEvent(complaint);
  return errorOf(kind, { complaint, status: STATUS[kind] ?? 500 });
}

const STATUS: { readonly [C in ErrorClass]?: number } = {
  invalid_request: 400,
  context_length: 400,
  auth: 401,
  quota: 402,
  rate_limit: 429,
  bad_upstream: 502,
  overloaded: 503,
  timeout: 504,
};

function errorOf(
  kind: ErrorClass,
  { complaint, status }: { readonly complaint: Complaint | undefined; readonly status: number },
): WireError {
  const message = scrubbed(complaint?.message ?? "");
  return {
    class: kind,
    status,
    message: message === "" ? SILENT : message,
    code: complaint?.code,
    tokens: kind === "context_length" ? tokensIn(message) : undefined,
  };
}

function scrubbed(message: string): string {
  return SECRETS.reduce((text, secret) => text.replace(secret, HIDDEN), message);
}

/** Says by how much, or how many there were, and what the limit is. */
function tokensIn(message: string): TokenLimits | undefined {
  const max = numberIn(message, TOKEN_NUMBERS.limit);
  const over = numberIn(message, TOKEN_NUMBERS.over);
  const received = numberIn(message, TOKEN_NUMBERS.received);
  const sum = max === undefined || over === undefined ? undefined : max + over;
  const requested = received ?? sum;
  return max === undefined && requested === undefined ? undefined : { requested, max };
}

function numberIn(message: string, pattern: RegExp): number | undefined {
  const [, digits] = pattern.exec(message) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
