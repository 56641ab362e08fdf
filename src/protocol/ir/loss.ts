/** How much a loss matters: protocols.md 9. `refuse` ends the request unless told otherwise. */
export type Severity = "cosmetic" | "degraded" | "semantic" | "refuse";

/** Every loss there is, and how much it matters. One that is not here cannot be reported. */
export const LOSSES = {
  /** Reference to state kept elsewhere (previous_response_id, conversation, …). */
  "L-STATE": "refuse",
  /** CachedContent: part of the prompt lies elsewhere. */
  "L-CACHEREF": "refuse",
  /** A vendor's file id in another vendor's request. */
  "L-FILEID": "refuse",
  /** More than one candidate asked, target gives one (in an answer: only the first is handed. */
  "L-N": "refuse",
  /** Vendor-run tool has no counterpart. */
  "L-HOSTED": "refuse",
  /** Options of a mapped vendor-run tool. */
  "L-HOSTED-OPTS": "semantic",
  /** Safety or guardrail settings. */
  "L-SAFETY": "semantic",
  /** Trailing assistant turn is not continued. */
  "L-PREFILL": "semantic",
  /** System message in the middle became user text in its place. */
  "L-SYSTEM-MOVED": "semantic",
  /** Parallel calls cannot be switched off. */
  "L-PARALLEL": "semantic",
  /** None cannot be said while tools must stay. */
  "L-TOOLNONE": "semantic",
  /** Forced choice together with thinking became auto. */
  "L-TOOLCHOICE-THINKING": "semantic",
  /** Strict: true cannot be said. */
  "L-STRICT": "semantic",
  /** Any-JSON mode has no counterpart. */
  "L-JSONMODE": "semantic",
  /** Freeform tool emulated as a function; its grammar is gone. */
  "L-FREEFORM": "semantic",
  /** Schema down-converted to the OpenAPI subset. */
  "L-SCHEMA": "semantic",
  /** Argument text does not parse; wrapped as _raw. */
  "L-ARGS-INVALID": "semantic",
  /** Tools added or removed in mid-conversation, merged into the list. */
  "L-TOOLS-CHANGED": "semantic",
  /** Output modality not available (400 when it is the only one). */
  "L-MODALITY": "semantic",
  /** Block type this build does not know. */
  "L-UNKNOWN-BLOCK": "semantic",
  /** Field this build does not know (a rule per field may raise it). */
  "L-UNKNOWN-FIELD": "degraded",
  /** Top_k. */
  "L-TOPK": "degraded",
  /** Frequency or presence penalty. */
  "L-PENALTY": "degraded",
  /** Seed. */
  "L-SEED": "degraded",
  /** Logit_bias. */
  "L-LOGITBIAS": "degraded",
  /** Log probabilities, whole or in part. */
  "L-LOGPROBS": "degraded",
  /** Value clamped to the target's range. */
  "L-RANGE": "degraded",
  /** Effort word approximated. */
  "L-EFFORT": "degraded",
  /** Max_tokens raised or sampling dropped because of a thinking budget. */
  "L-THINK-ADJUST": "degraded",
  /** Image detail. */
  "L-DETAIL": "degraded",
  /** Cache mark dropped (it changes the bill). */
  "L-CACHE": "degraded",
  /** Service tier. */
  "L-TIER": "degraded",
  /** End-user id. */
  "L-USER": "degraded",
  /** Metadata. */
  "L-METADATA": "degraded",
  /** Name of a message. */
  "L-NAME": "degraded",
  /** Image in a tool result moved to a user message. */
  "L-TOOLIMG-MOVED": "degraded",
  /** Assistant image in the history moved or dropped. */
  "L-ASSISTANT-MEDIA": "degraded",
  /** Context of a document. */
  "L-DOCCONTEXT": "degraded",
  /** Error flag of a tool result became a text prefix. */
  "L-ISERROR": "degraded",
  /** Reasoning block of another issuer dropped. */
  "L-REASONING-FOREIGN": "degraded",
  /** Reasoning asked of a model not known to reason. */
  "L-REASONING-ASK": "degraded",
  /** Dummy signature written in place of a foreign one. */
  "L-SIG-DUMMY": "degraded",
  /** Thinking disabled for one request because the tool loop is foreign. */
  "L-THINK-OFF": "degraded",
  /** Citation or part of it has no place. */
  "L-CITE": "degraded",
  /** Text split at span edges to place a citation. */
  "L-CITE-SPLIT": "degraded",
  /** Stop reason approximated (semantic for pause). */
  "L-STOP": "degraded",
  /** Billed units set equal to the token counts. */
  "L-BILLED": "degraded",
  /** A count is missing (0 only where the type requires one). */
  "L-USAGE": "degraded",
  /** Tool options (defer_loading, input_examples, …). */
  "L-TOOLOPTS": "degraded",
  /** System blocks joined into one string. */
  "L-SYSTEM-JOINED": "cosmetic",
  /** Minimal user turn put first. */
  "L-TURN-ADDED": "cosmetic",
  /** Empty text dropped or replaced by ".". */
  "L-EMPTY": "cosmetic",
  /** Minimal tool definitions made from the calls in the history. */
  "L-TOOLS-SYNTH": "cosmetic",
  /** Tool renamed to the target's pattern, mapped back in calls. */
  "L-TOOLNAME": "cosmetic",
  /** Tool list filtered to express a choice (moves the cache prefix). */
  "L-TOOLFILTER": "cosmetic",
  /** Document name sanitised. */
  "L-DOCNAME": "cosmetic",
  /** Name or description of a schema invented or dropped. */
  "L-SCHEMA-NAME": "cosmetic",
  /** Structured output emulated by a forced tool. */
  "L-SCHEMA-TOOL": "cosmetic",
  /** Cache lifetime approximated. */
  "L-CACHE-TTL": "cosmetic",
  /** Prompt cache key. */
  "L-CACHEKEY": "cosmetic",
  /** Place of text between calls. */
  "L-ORDER": "cosmetic",
  /** Interleaved calls buffered and put in sequence. */
  "L-BUFFERED": "cosmetic",
  /** Stop strings cut at the gateway. */
  "L-STOP-EMULATED": "cosmetic",
  /** Required output limit filled in. */
  "L-MAXTOK-DEFAULT": "cosmetic",
  /** Media behind a URL downloaded and inlined. */
  "L-URL-FETCHED": "cosmetic",
} as const satisfies Readonly<Record<string, Severity>>;

export type LossCode = keyof typeof LOSSES;

/** One thing a translation could not carry as it was. */
export interface Loss {
  readonly code: LossCode;
  /** Where it stood in the caller's body, or in the upstream's answer. */
  readonly path: string;
  readonly action: "dropped" | "approximated" | "emulated" | "defaulted" | "moved";
  /** The source's own word, where that tells more; never a caller's text. */
  readonly detail?: string | undefined;
  /** Where one code matters more in one place than the register says. */
  readonly severity?: Severity | undefined;
}
export type Report = (loss: Loss) => void;

const RANK: Readonly<Record<Severity, number>> = {
  cosmetic: 0,
  degraded: 1,
  semantic: 2,
  refuse: 3,
};

export function severityOf({ code, severity }: Loss): Severity {
  return severity ?? LOSSES[code];
}

/** Whether a loss matters at least as much as `least`. */
export function weighs(loss: Loss, least: Severity): boolean {
  return RANK[severityOf(loss)] >= RANK[least];
}
