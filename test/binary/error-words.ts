import type { DialectId } from "../../src/core/ids.ts";
import type { ErrorClass } from "../../src/protocol/wire-error.ts";

/** What an SDK's user sees of an error. */
export interface SdkSight {
  /** The name of the class that was thrown. */
  readonly kind: string;
  readonly status: number | undefined;
  readonly message: string;
  readonly code: string | null | undefined;
  readonly type: string | null | undefined;
}

/** What each SDK throws for a class of error: protocols.md 6.2, checked against their sources. */
export interface Due {
  readonly kind: string | RegExp;
  readonly status: number;
  readonly code?: string | RegExp;
  readonly type?: string | RegExp;
}

type Table = { readonly [C in ErrorClass]?: Due };

const INVALID = "invalid_request_error";
const SERVER = "server_error";
const OPENAI: Table = {
  invalid_request: { kind: "BadRequestError", status: 400, type: INVALID },
  context_length: {
    kind: "BadRequestError",
    status: 400,
    type: INVALID,
    code: "context_length_exceeded",
  },
  request_too_large: { kind: "APIError", status: 413, type: INVALID, code: "request_too_large" },
  unsupported: {
    kind: "BadRequestError",
    status: 400,
    type: INVALID,
    code: "unsupported_parameter",
  },
  auth: { kind: "AuthenticationError", status: 401, type: INVALID, code: "invalid_api_key" },
  permission: { kind: "PermissionDeniedError", status: 403 },
  not_found: { kind: "NotFoundError", status: 404, type: INVALID },
  model_not_found: { kind: "NotFoundError", status: 404, type: INVALID, code: "model_not_found" },
  rate_limit: {
    kind: "RateLimitError",
    status: 429,
    type: /^(?:tokens|requests)$/,
    code: "rate_limit_exceeded",
  },
  overloaded: { kind: "InternalServerError", status: 503, type: SERVER, code: "overloaded" },
  bad_upstream: { kind: "InternalServerError", status: 502, type: SERVER },
  content_filter: {
    kind: "BadRequestError",
    status: 400,
    type: INVALID,
    code: /^content_(?:filter|policy_violation)$/,
  },
  cancelled: { kind: "APIError", status: 499 },
};

const TABLES: Readonly<Record<DialectId, Table>> = {
  openai: OPENAI,
  responses: {
    ...OPENAI,
    model_not_found: {
      kind: "BadRequestError",
      status: 400,
      type: INVALID,
      code: "model_not_found",
    },
  },
  anthropic: {
    invalid_request: { kind: "BadRequestError", status: 400, type: INVALID },
    context_length: { kind: "BadRequestError", status: 400, type: INVALID },
    request_too_large: {
      kind: /^(?:ContentTooLarge|API)Error$/,
      status: 413,
      type: "request_too_large",
    },
    unsupported: { kind: "BadRequestError", status: 400, type: INVALID },
    auth: { kind: "AuthenticationError", status: 401, type: "authentication_error" },
    permission: { kind: "PermissionDeniedError", status: 403, type: "permission_error" },
    not_found: { kind: "NotFoundError", status: 404, type: "not_found_error" },
    model_not_found: { kind: "NotFoundError", status: 404, type: "not_found_error" },
    rate_limit: { kind: "RateLimitError", status: 429, type: "rate_limit_error" },
    overloaded: {
      kind: /^(?:Overloaded|InternalServer)Error$/,
      status: 529,
      type: "overloaded_error",
    },
    bad_upstream: { kind: "InternalServerError", status: 502, type: "api_error" },
    content_filter: { kind: "BadRequestError", status: 400, type: INVALID },
    cancelled: { kind: /^(?:ClientClosedRequest|API)Error$/, status: 499 },
  },
  gemini: {
    invalid_request: { kind: "ApiError", status: 400, code: "INVALID_ARGUMENT" },
    context_length: { kind: "ApiError", status: 400, code: "INVALID_ARGUMENT" },
    request_too_large: { kind: "ApiError", status: 413, code: "INVALID_ARGUMENT" },
    unsupported: { kind: "ApiError", status: 400, code: "INVALID_ARGUMENT" },
    auth: { kind: "ApiError", status: 401, code: "UNAUTHENTICATED" },
    permission: { kind: "ApiError", status: 403, code: "PERMISSION_DENIED" },
    not_found: { kind: "ApiError", status: 404, code: "NOT_FOUND" },
    model_not_found: { kind: "ApiError", status: 404, code: "NOT_FOUND" },
    rate_limit: { kind: "ApiError", status: 429, code: "RESOURCE_EXHAUSTED" },
    overloaded: { kind: "ApiError", status: 503, code: "UNAVAILABLE" },
    bad_upstream: { kind: "ApiError", status: 502, code: "UNAVAILABLE" },
    // A blocked prompt is an answer here; in a stream its SDK would not notice one.
    content_filter: { kind: "ApiError", status: 400, code: "INVALID_ARGUMENT" },
    cancelled: { kind: "ApiError", status: 499, code: "CANCELLED" },
  },
  bedrock: {
    invalid_request: { kind: "ValidationException", status: 400 },
    context_length: { kind: "ValidationException", status: 400 },
    request_too_large: { kind: "ValidationException", status: 413 },
    unsupported: { kind: "ValidationException", status: 400 },
    auth: { kind: "UnrecognizedClientException", status: 403 },
    permission: { kind: "AccessDeniedException", status: 403 },
    not_found: { kind: "ResourceNotFoundException", status: 404 },
    model_not_found: { kind: "ValidationException", status: 400 },
    rate_limit: { kind: "ThrottlingException", status: 429 },
    overloaded: { kind: "ServiceUnavailableException", status: 503 },
    bad_upstream: { kind: "ModelErrorException", status: 424 },
    content_filter: { kind: "ValidationException", status: 400 },
    cancelled: { kind: "ValidationException", status: 499 },
  },
  cohere: {
    invalid_request: { kind: "BadRequestError", status: 400 },
    context_length: { kind: "BadRequestError", status: 400 },
    request_too_large: { kind: "CohereError", status: 413 },
    unsupported: { kind: "BadRequestError", status: 400 },
    auth: { kind: "UnauthorizedError", status: 401 },
    permission: { kind: "ForbiddenError", status: 403 },
    not_found: { kind: "NotFoundError", status: 404 },
    model_not_found: { kind: "NotFoundError", status: 404 },
    rate_limit: { kind: "TooManyRequestsError", status: 429 },
    overloaded: { kind: "ServiceUnavailableError", status: 503 },
    bad_upstream: { kind: "CohereError", status: 502 },
    content_filter: { kind: "BadRequestError", status: 400 },
    cancelled: { kind: "ClientClosedRequestError", status: 499 },
  },
};

/** What the SDK of a protocol throws for a class; undefined where that protocol has no error for it. */
export function dueOf(client: DialectId, kind: ErrorClass): Due | undefined {
  return TABLES[client][kind];
}

/** Every way in which what was thrown is not what is due. */
export function differencesFrom(due: Due, seen: SdkSight): string[] {
  const wrong: string[] = [];
  if (!fits(due.kind, seen.kind)) wrong.push(`${seen.kind}, not ${due.kind}`);
  if (seen.status !== due.status) wrong.push(`${seen.status}, not ${due.status}`);
  if (!fits(due.code, seen.code)) wrong.push(`code ${seen.code}, not ${due.code}`);
  if (!fits(due.type, seen.type)) wrong.push(`type ${seen.type}, not ${due.type}`);
  return wrong;
}

function fits(due: string | RegExp | undefined, seen: string | null | undefined): boolean {
  if (due === undefined) return true;
  if (typeof due === "string") return seen === due;
  return typeof seen === "string" && due.test(seen);
}

/** An SDK's error as its user can look at it. */
export function sightOf(thrown: unknown): SdkSight {
  if (!(thrown instanceof Error)) throw new Error(`an SDK threw ${String(thrown)}`);
  const said = thrown as Error & {
    readonly status?: number;
    readonly statusCode?: number;
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly code?: string | null;
    readonly type?: string | null;
    readonly error?: { readonly error?: { readonly type?: string } };
  };
  const { name } = said.constructor;
  // An exception the AWS SDK has no class for has its name all the same.
  const kind = name === "Error" || name === "BedrockRuntimeServiceException" ? said.name : name;
  const google = /"status":"([A-Z_]+)"/.exec(said.message)?.[1];
  return {
    kind,
    status: said.status ?? said.statusCode ?? said.$metadata?.httpStatusCode,
    message: said.message,
    code: said.code ?? google,
    type: said.type ?? said.error?.error?.type,
  };
}

/** The sentence by which programs know a prompt that is too long, with its numbers if known. */
export function contextSentence(
  client: DialectId,
  { asked, max }: { readonly asked: number; readonly max: number },
): RegExp {
  switch (client) {
    case "responses":
      return /Your input exceeds the context window of this model/;
    case "openai":
      return new RegExp(`maximum context length is ${max} tokens.*${asked} tokens`);
    case "anthropic":
      return new RegExp(`prompt is too long: ${asked} tokens > ${max} maximum`);
    case "gemini":
      return new RegExp(
        `input token count \\(${asked}\\) exceeds the maximum number of tokens allowed \\(${max}\\)`,
      );
    case "bedrock":
      return /Input is too long for requested model/;
    case "cohere":
      return new RegExp(`too many tokens: .*${asked - max} tokens.*${max}`);
  }
}
