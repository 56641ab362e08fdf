import type { Fault } from "../core/fault.ts";
import {
  type RateKind,
  type Reason,
  type Rejection,
  statusOf,
  type Whose,
} from "../core/rejection.ts";
import type { Ms } from "../core/units.ts";
import { RETRY_AFTER_MS_MAX } from "../wire/retry-after.ts";
import type { WireError } from "./wire-error.ts";

/** A caller's own words are quoted up to here. */
const QUOTED_LENGTH_MAX = 200;
/** By then a new connection reaches a process that stays. */
const DRAINED_MS: Ms = 1000;
const LISTED = "GET /v1/models lists the names you may use.";
const LATER = "Please try again later.";

type Words = Omit<WireError, "status">;

/** What a refusal of ours says, before a protocol spells it: protocols.md §6.2. */
export function refusalOf({ reason }: Rejection): WireError {
  return { ...wordsOf(reason), status: statusOf(reason) };
}

function wordsOf(reason: Reason): Words {
  switch (reason.kind) {
    case "malformed":
      return { ...invalid(reason.detail), param: reason.param };
    case "bad_path":
      return invalid(reason.detail, "invalid_url");
    case "not_found":
      return unknownUrl(reason.path);
    case "method_not_allowed": {
      const message = `This URL does not accept the method: use ${reason.allow}.`;
      return { ...invalid(message, "method_not_supported"), headers: { allow: reason.allow } };
    }
    case "unsupported_media_type":
      return invalid(reason.detail, "unsupported_content_type");
    case "too_large":
      return {
        class: "request_too_large",
        message: `Maximum content size limit (${reason.limit} bytes) exceeded. Send less.`,
        code: "request_too_large",
      };
    case "unauthenticated":
      return {
        class: "auth",
        message: reason.detail,
        code: "invalid_api_key",
        headers: { "www-authenticate": "Bearer" },
      };
    case "denied":
      if (reason.status === 503) return { ...overloaded(), ...UNSURE };
      return { ...DENIED, class: reason.status === 402 ? "quota" : "permission" };
    case "forbidden_model":
    case "unpriced_model":
    case "model_not_found":
    case "no_eligible_backend":
    case "cannot_translate":
      return { ...modelWords(reason.kind, quoted(reason.model)), param: "model" };
    case "loss_refused":
      return {
        class: "unsupported",
        message: `${quoted(reason.path)} cannot be carried to this model's API: ${reason.detail}`,
        code: "unsupported_parameter",
        param: reason.path,
        shouldRetry: false,
      };
    case "rate_limited":
      return rateWords(reason);
    case "budget_exhausted":
      return quotaWords(reason);
    case "overloaded":
      return { ...overloaded(reason.what), retryAfterMs: reason.retryAfterMs, shouldRetry: true };
    case "draining":
      return { ...overloaded(), retryAfterMs: DRAINED_MS, shouldRetry: true };
    case "upstream_failed":
      return { ...wordsOfFault(reason.fault), ...retryOf(reason.fault) };
    case "client_gone":
      return {
        class: "cancelled",
        message: "The client closed the request.",
        code: "client_closed_request",
      };
    case "bug":
      return {
        class: "server",
        message: "The server had an error while processing your request.",
        code: "internal_error",
      };
  }
}

function unknownUrl(path: string): Words {
  const message = `Unknown request URL: ${quoted(path)}. Check its spelling.`;
  return { class: "not_found", message, code: "unknown_url" };
}

const DENIED: Omit<Words, "class"> = {
  message: "tenant is over limit or suspended",
  code: "access_denied",
  shouldRetry: false,
};

/** Too long nobody has told which tenants are shut out. */
const UNSURE: Pick<Words, "message" | "shouldRetry"> = {
  message: `The service cannot tell now whether your tenant may use it. ${LATER}`,
  shouldRetry: true,
};

type ModelKind =
  | "forbidden_model"
  | "unpriced_model"
  | "model_not_found"
  | "no_eligible_backend"
  | "cannot_translate";

/** Says the same of a model whoever could serve it: what stands outside must not show. */
function modelWords(kind: ModelKind, model: string): Words {
  switch (kind) {
    case "forbidden_model":
      return {
        class: "permission",
        message: `This API key may not use the model \`${model}\`. ${LISTED}`,
        code: "insufficient_permissions",
      };
    case "unpriced_model":
      return {
        class: "permission",
        message:
          `No price is known for the model \`${model}\`, and this API key has a budget in money. ` +
          "Ask the operator of this service to add its price.",
        code: "unpriced_model",
      };
    case "model_not_found":
      return {
        class: "model_not_found",
        message: `The model \`${model}\` does not exist or you do not have access to it. ${LISTED}`,
        code: "model_not_found",
      };
    case "no_eligible_backend":
      return {
        class: "overloaded",
        message:
          `No eligible backend serves the model \`${model}\` for this request. ` +
          "Ask the operator of this service to check how it is configured.",
        code: "no_eligible_backend",
        shouldRetry: false,
      };
    case "cannot_translate":
      return {
        class: "model_not_found",
        message:
          `The model \`${model}\` cannot be called through this API. ` +
          "Use the API it is served in.",
        code: "unsupported_protocol",
        shouldRetry: false,
      };
  }
}

const RATES: Readonly<Record<RateKind, string>> = {
  rpm: "requests per min (RPM)",
  tpm: "tokens per min (TPM)",
  concurrency: "requests at the same time",
};

const HOLDERS: Readonly<Record<Whose, string>> = { key: "this API key", tenant: "this tenant" };

type RateReason = Reason & { readonly kind: "rate_limited" };

function rateWords({ limit, retryAfterMs, whose = "key" }: RateReason): Words {
  const seconds = Math.max(0.001, retryAfterMs / 1000).toFixed(3);
  const over = `${HOLDERS[whose]} on ${RATES[limit]}`;
  return {
    class: "rate_limit",
    message: `Rate limit reached for ${over}. Please try again in ${seconds}s.`,
    limit: limit === "tpm" ? "tokens" : "requests",
    code: "rate_limit_exceeded",
    retryAfterMs,
    shouldRetry: true,
  };
}

/** Begins as OpenAI's own: programs look for the sentence. */
function quotaWords({
  retryAfterMs,
  whose = "key",
}: Reason & { readonly kind: "budget_exhausted" }): Words {
  return {
    class: "quota",
    message:
      `You exceeded your current quota: the budget of ${HOLDERS[whose]} is used up, ` +
      "or what is left is less than this request may use. Ask for a shorter answer, " +
      "wait until it is renewed, or ask the operator of this service for more.",
    code: "insufficient_quota",
    retryAfterMs,
    shouldRetry: false,
  };
}

function wordsOfFault(fault: Fault): Words {
  switch (fault.kind) {
    case "rate_limited":
      return {
        class: "rate_limit",
        message: `Rate limit reached for the model. ${LATER}`,
        limit: "requests",
        code: "rate_limit_exceeded",
      };
    case "overloaded":
      return overloaded();
    case "server_error":
    case "billing":
      return failed(`The model failed to answer. ${LATER}`, "upstream_error");
    case "timeout":
    case "not_now":
      return {
        class: "timeout",
        message: `The model did not answer in time. ${LATER}`,
        code: "timeout",
      };
    case "network":
    case "address_refused":
      return failed(`The model could not be reached. ${LATER}`, "upstream_unreachable");
    case "tls":
      return failed(
        "The model's identity could not be verified. Ask the operator.",
        "upstream_tls",
      );
    case "protocol":
      return failed(`The model's answer could not be read. ${LATER}`, "upstream_protocol");
    case "redirect":
      return failed("The model is served elsewhere. Ask the operator.", "upstream_redirect");
    case "auth":
      return failed(
        "The model did not accept this service's credential. Ask the operator to renew it.",
        "upstream_auth",
      );
    case "context_length":
      return {
        class: "context_length",
        message:
          "The request exceeds this model's maximum context length. " +
          "Please reduce the length of the messages.",
        code: "context_length_exceeded",
        param: "messages",
      };
    case "client_error":
      return invalid("The model refused the request. Check its parameters.");
  }
}

/** Our own attempts are used up by then, so the SDK should not start over by itself. */
function retryOf(fault: Fault): Pick<Words, "retryAfterMs" | "shouldRetry"> {
  switch (fault.kind) {
    case "rate_limited":
    case "overloaded":
      return { retryAfterMs: sane(fault.retryAfterMs), shouldRetry: false };
    case "server_error":
    case "billing":
    case "timeout":
    case "network":
    case "address_refused":
    case "tls":
    case "protocol":
    case "redirect":
    case "auth":
      return { shouldRetry: false };
    case "context_length":
    case "client_error":
    case "not_now":
      return {};
  }
}

/** A wait cut to the longest we keep was nonsense or out of sight: it is not handed on. */
function sane(retryAfterMs: Ms | undefined): Ms | undefined {
  return retryAfterMs === RETRY_AFTER_MS_MAX ? undefined : retryAfterMs;
}

function overloaded(what?: "ledger"): Words {
  const state = what === undefined ? "is currently overloaded" : "cannot account for usage now";
  return {
    class: "overloaded",
    message: `The service ${state}. ${LATER}`,
    code: "overloaded",
  };
}

function invalid(message: string, code?: string): Words {
  return { class: "invalid_request", message, code };
}

function failed(message: string, code: string): Words {
  return { class: "bad_upstream", message, code };
}

function quoted(text: string): string {
  return text.length <= QUOTED_LENGTH_MAX ? text : `${text.slice(0, QUOTED_LENGTH_MAX)}…`;
}
