import type { Chunk } from "../../core/units.ts";
import { type Foreign, parseForeign } from "../../wire/foreign.ts";
import { readRetryAfter } from "../../wire/retry-after.ts";
import type { ErrorClass, TokenLimits, WireError } from "../wire-error.ts";
import { type Complaint, readComplaint } from "./complaint.ts";
import { CONTEXT_NUMBERS, TOO_LARGE_START } from "./fault-words.ts";
import { isDaily, saidKind } from "./fault.ts";
import { scrubbed } from "./scrub.ts";

/** Said where the host says nothing one can hand on. */
const NO_MESSAGE = "The model refused the request.";
/** `Unknown name "x" at 'generation_config'`, `Invalid value at 'contents[0].parts'`. */
const NAMED_FIELD = /\bat '([\w.[\]]{1,200})'/;

/** What an error answer says, to be spelled in another protocol: protocols.md §6.1, §6.3. */
export function readError(status: number, headers: Headers, body: Chunk): WireError {
  const complaint = readComplaint(parseForeign(body)) ?? SILENT;
  const error = errorOf(complaint, status >= 400 ? status : (complaint.code ?? 500));
  return { ...error, retryAfterMs: error.retryAfterMs ?? waitOf(headers, error) };
}

/** The same for an error chunk inside a stream. */
export function errorOfEvent(chunk: Foreign): WireError {
  const complaint = readComplaint(chunk) ?? SILENT;
  return errorOf(complaint, complaint.code ?? 500);
}

const SILENT: Complaint = {
  code: undefined,
  status: undefined,
  message: "",
  reasons: [],
  retryAfterMs: undefined,
  quotas: [],
  field: undefined,
};

function errorOf(complaint: Complaint, status: number): WireError {
  const kind = classOf(complaint, status);
  const { message } = complaint;
  return {
    class: kind,
    status,
    message: message === "" ? NO_MESSAGE : scrubbed(message),
    code: CODES[kind],
    param: complaint.field ?? NAMED_FIELD.exec(message)?.[1],
    limit: kind === "rate_limit" ? limitOf(complaint) : undefined,
    tokens: kind === "context_length" ? tokensIn(message) : undefined,
    retryAfterMs: kind === "quota" ? undefined : complaint.retryAfterMs,
  };
}

function classOf(complaint: Complaint, status: number): ErrorClass {
  switch (saidKind(complaint, status)) {
    case "auth":
      return status === 403 ? "permission" : "auth";
    case "billing":
      return "quota";
    case "context_length":
      return "context_length";
    case "region":
      return "permission";
    case undefined:
      break;
  }
  const lower = complaint.message.toLowerCase();
  if (status < 500 && lower.startsWith(TOO_LARGE_START)) return "request_too_large";
  if (status === 404) return lower.includes("model") ? "model_not_found" : "not_found";
  if (status === 429) return isDaily(complaint) ? "quota" : "rate_limit";
  return CLASS_OF_STATUS.get(status) ?? (status < 500 ? "invalid_request" : "bad_upstream");
}

const CLASS_OF_STATUS: ReadonlyMap<number, ErrorClass> = new Map([
  [401, "auth"],
  [402, "quota"],
  [403, "permission"],
  [408, "timeout"],
  [409, "conflict"],
  [413, "request_too_large"],
  [499, "cancelled"],
  [500, "server"],
  [501, "unsupported"],
  [503, "overloaded"],
  [504, "timeout"],
  [529, "overloaded"],
]);

/** The words programs look for, as OpenAI has them and refusal.ts says them. */
const CODES: { readonly [C in ErrorClass]?: string } = {
  context_length: "context_length_exceeded",
  request_too_large: "request_too_large",
  model_not_found: "model_not_found",
  auth: "invalid_api_key",
  permission: "insufficient_permissions",
  rate_limit: "rate_limit_exceeded",
  quota: "insufficient_quota",
  overloaded: "overloaded",
  timeout: "timeout",
};

function limitOf({ quotas }: Complaint): "requests" | "tokens" {
  return quotas.some((quota) => /token/i.test(quota)) ? "tokens" : "requests";
}

function tokensIn(message: string): TokenLimits | undefined {
  for (const pattern of CONTEXT_NUMBERS) {
    const [, requested, max] = pattern.exec(message) ?? [];
    if (max !== undefined) return { requested: Number(requested), max: Number(max) };
  }
  return undefined;
}

/** A header means something only where waiting helps: protocols.md finding 8. */
function waitOf(headers: Headers, { class: kind }: WireError): number | undefined {
  const mayWait = kind === "rate_limit" || kind === "overloaded";
  return mayWait ? readRetryAfter(headers) : undefined;
}
