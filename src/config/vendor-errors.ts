import type { ErrorMeaning, ErrorRule } from "../core/error-rule.ts";
import { rulesOfMap } from "./error-rules.ts";

type Words = Readonly<Record<string, ErrorMeaning>>;

/** docs.z.ai, "Errors"; docs.bigmodel.cn, "错误码": numbers of its own, most with a 429. */
const ZAI: Words = {
  ...words("auth", "1000", "1001", "1002", "1003", "1004", "1110", "1111", "1112", "1120", "1121"),
  ...words("billing", "1113", "1304", "1308", "1309", "1310"),
  ...words("rate_limit", "1302", "1303", "1305", "1313"),
  ...words("content_filter", "1300", "1301"),
  ...{ "1261": "context_length", "1312": "overloaded", "1234": "server_error" },
};

/**
 * What single vendors call their errors where neither the words all hosts share (each protocol's
 * fault-words.ts) nor the status tell. An operator's own rules come before these.
 */
const VENDOR_ERRORS: Readonly<Record<string, readonly ErrorRule[]>> = {
  zai: rulesOfMap(ZAI),
  "z.ai": rulesOfMap(ZAI),
  // Alibaba Cloud Model Studio, "Error messages": arrears and moderation come as a plain 400.
  alibaba: rulesOfMap({
    arrearage: "billing",
    ...words("content_filter", "datainspectionfailed", "data_inspection_failed"),
  }),
  // novita.ai/docs, "Error codes": a 403 that is no wrong key.
  novita: rulesOfMap({ not_enough_balance: "billing", billing_balance_not_enough: "billing" }),
  // MiniMax, "Error codes": in base_resp, often inside a 200.
  minimax: rulesOfMap({
    ...words("auth", "1004", "2049"),
    ...words("billing", "1008", "2056"),
    ...words("content_filter", "1026", "1027"),
    ...words("client_error", "1042", "2013"),
    ...{ "1001": "timeout", "1002": "rate_limit", "1039": "rate_limit" },
  }),
  // Volcengine Ark, "错误码".
  volcengine: rulesOfMap({
    ...words("billing", "accountoverdueerror", "setlimitexceeded"),
    serveroverloaded: "overloaded",
  }),
  // A key's own spending limit is a 403, as moderation is: openrouter.ai/docs, "Limits", "Errors".
  openrouter: [{ status: 403, message: "key limit exceeded", means: "billing" }],
  // docs.mistral.ai; numbers, which another host may use for something else.
  mistral: rulesOfMap({ "1300": "rate_limit", "3505": "overloaded" }),
  // Workers AI, "Errors".
  cloudflare: rulesOfMap({ "3036": "billing", "3040": "overloaded" }),
  // A prompt over the tier's size is a 413 with a code of its own, not a body over the host's cap.
  "github-models": rulesOfMap({ tokens_limit_reached: "context_length" }),
  azure_openai: rulesOfMap({
    tokens_limit_reached: "context_length",
    responsibleaipolicyviolation: "content_filter",
  }),
  // Groq's documentation, "Errors": the flexible tier is full.
  groq: [{ status: 498, means: "overloaded" }],
};

/** What the catalogue knows of a provider's errors. */
export function vendorErrors(name: string): readonly ErrorRule[] {
  return Object.hasOwn(VENDOR_ERRORS, name) ? VENDOR_ERRORS[name]! : [];
}

/** The names that have some. */
export const VENDORS_WITH_ERRORS: readonly string[] = Object.keys(VENDOR_ERRORS);

function words(means: ErrorMeaning, ...all: readonly string[]): Words {
  return Object.fromEntries(all.map((word) => [word, means]));
}
