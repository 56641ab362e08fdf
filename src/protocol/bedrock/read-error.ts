import type { Chunk } from "../../core/units.ts";
import { foreignObject, parseForeign } from "../../wire/foreign.ts";
import { readRetryAfter } from "../../wire/retry-after.ts";
import type { ErrorClass, TokenLimits, WireError } from "../wire-error.ts";
import { type Complaint, complaintOf, readComplaint } from "./complaint.ts";
import { classOf, classOfException } from "./fault.ts";
import { STATUS_OF_CLASS } from "./rejection.ts";

const NOTHING_SAID = "The model failed to answer.";
/** Claude: `prompt is too long: 208310 tokens > 200000 maximum`. */
const TOO_LONG = /prompt is too long: (\d{1,9}) tokens > (\d{1,9}) maximum/;
/** Claude: ``input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000``. */
const OVER_LIMIT = /exceed context limit: (\d{1,9}) \+ (\d{1,9}) > (\d{1,9})/;
/** What names the operator's account, in the order in which it is taken out. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/arn:aws[\w-]*:[^\s"'`,)]*/g, "[arn]"],
  [/\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{8,}\b/g, "[key]"],
  [/\b(?:ABSK|bedrock-api-key-)[A-Za-z0-9+/=_-]{8,}/g, "[key]"],
  [/\b(?:org|proj|sk)-[A-Za-z0-9_-]{8,}/g, "[id]"],
  [/\b\d{12}\b/g, "[account]"],
];

/** What an error answer says, for a caller of another protocol: protocols.md §6.1, §6.3. */
export function readError(status: number, headers: Headers, body: Chunk): WireError {
  const complaint = readComplaint(headers.get("x-amzn-errortype"), parseForeign(body));
  const said = classOf(complaint, status);
  const mayWait = said === "rate_limit" || said === "overloaded";
  const retryAfterMs = mayWait ? readRetryAfter(headers) : undefined;
  return { ...wordsOf(said, complaint), status, retryAfterMs };
}

/** The same of an exception or error frame inside a stream. */
export function errorOfException(name: string, payload: unknown): WireError {
  const complaint = complaintOf(name, foreignObject(payload) ?? {});
  const said = classOfException(complaint);
  return { ...wordsOf(said, complaint), status: STATUS_OF_CLASS[said] };
}

function wordsOf(said: ErrorClass, { message }: Complaint): Omit<WireError, "status"> {
  return {
    class: said,
    message: scrubbed(message) || NOTHING_SAID,
    tokens: said === "context_length" ? tokensOf(message) : undefined,
  };
}

function scrubbed(message: string): string {
  return SECRETS.reduce((text, [secret, word]) => text.replace(secret, word), message);
}

function tokensOf(message: string): TokenLimits | undefined {
  const prompt = TOO_LONG.exec(message);
  if (prompt !== null) return { requested: Number(prompt[1]), max: Number(prompt[2]) };
  const both = OVER_LIMIT.exec(message);
  if (both === null) return undefined;
  return { requested: Number(both[1]) + Number(both[2]), max: Number(both[3]) };
}
