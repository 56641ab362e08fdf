import type { Effort } from "./effort.ts";
import type { DialectId } from "./ids.ts";

/**
 * What one model behind one protocol takes: the protocol's own record, changed by what its host and
 * its model family refuse. `prepare` makes a translated request fit it; passthrough never reads it.
 */
export interface Capabilities {
  /** Whose proofs of reasoning it takes back. */
  readonly family: "anthropic" | "openai" | "google" | "other";
  /** The name of the output cap. Only OpenAI's wire has two. */
  readonly outputCap: "max_tokens" | "max_completion_tokens" | "only";
  readonly outputCapRequired: boolean;
  /** Written where the cap is required and the caller gave none. */
  readonly outputCapDefault: number;
  /** Undefined where nobody knows it: then nothing is clamped. */
  readonly outputCapMax: number | undefined;
  /** 0: sampling by temperature and top-p is refused altogether. */
  readonly temperatureMax: number;
  readonly topP: boolean;
  readonly topK: boolean;
  readonly penalties: boolean;
  readonly logitBias: boolean;
  readonly seed: boolean;
  /** More than one candidate. */
  readonly candidates: boolean;
  /** 0: stop strings must be cut at the gateway. */
  readonly stopMax: number;
  readonly logprobs: boolean;
  /** `top`: a slot of its own before all messages; `list`: a message like any other. */
  readonly system: "blocks" | "string" | "list";
  /** System messages may stand between others. */
  readonly systemInList: boolean;
  /** The role `developer` is known. */
  readonly developerRole: boolean;
  /** Messages carry a participant's name. */
  readonly messageNames: boolean;
  /** User and assistant must take turns, the user first. */
  readonly alternation: boolean;
  /** A trailing assistant message is continued. */
  readonly prefill: boolean;
  /** Empty text is refused. */
  readonly refusesEmptyText: boolean;
  /** Where tool results stand. */
  readonly toolResults: "tool" | "user";
  /** Kinds of content a tool result takes besides text. */
  readonly resultMedia: readonly MediaKind[];
  readonly resultErrors: boolean;
  readonly resultJson: boolean;
  /** The source of a pattern that tool names must match, whole. */
  readonly toolNamePattern: string;
  readonly toolIdPattern: string | undefined;
  /** Tool calls carry ids. */
  readonly toolIds: boolean;
  /** Calls need their name repeated with the result. */
  readonly resultNeedsName: boolean;
  /** A history with tool blocks needs a tool list. */
  readonly toolsWithHistory: boolean;
  readonly strictTools: boolean;
  readonly freeformTools: boolean;
  /** The wires on which it has a web search of its own to run. */
  readonly webSearch: readonly DialectId[];
  readonly toolChoiceNone: boolean;
  readonly toolChoiceNamed: boolean;
  readonly toolChoiceSet: boolean;
  readonly parallelSwitch: boolean;
  readonly schemas: "json-schema" | "openapi";
  readonly jsonMode: boolean;
  readonly jsonSchema: boolean;
  readonly jsonSchemaName: boolean;
  /** On Anthropic's and Bedrock's wire a schema for the answer needs a tool the model must call. */
  readonly schemaTool: boolean;
  /** Kinds of media in a user message. */
  readonly media: readonly MediaKind[];
  readonly imageMimes: readonly string[];
  /** Media may be named by a public URL. */
  readonly mediaUrls: boolean;
  readonly assistantMedia: boolean;
  readonly imageDetail: boolean;
  readonly searchResults: boolean;
  readonly documentContext: boolean;
  /** Documents beside the messages. */
  readonly requestDocuments: boolean;
  readonly reasoning: ReasoningStyle;
  /** Effort words it knows, weakest first; used when `reasoning` has words. */
  readonly efforts: readonly Effort[];
  /** Thinking bars sampling and a forced tool choice. */
  readonly thinkingBarsKnobs: boolean;
  /** A place where a proof of reasoning can stand in a message. */
  readonly proofSlot: "block" | "details" | "part" | "none";
  readonly cacheMarks: "on" | "after" | "none";
  readonly cacheMarksOnTools: boolean;
  readonly cacheTtls: readonly string[];
  readonly cacheKey: boolean;
  readonly endUser: boolean;
  readonly metadata: boolean;
  /** Words for a service tier it knows. */
  readonly tiers: readonly string[];
  readonly verbosity: boolean;
  readonly audioOut: boolean;
  /** `url`: only web citations have a place. */
  readonly citations: "all" | "url" | "none";
}

export type MediaKind = "image" | "document" | "audio" | "video";
/**
 * How reasoning is asked for: not at all, by a word, by a budget of tokens, by either, or by
 * `adaptive` with a word.
 */
export type ReasoningStyle = "none" | "effort" | "budget" | "either" | "adaptive";
