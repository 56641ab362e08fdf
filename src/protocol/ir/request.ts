import type { Effort } from "../../core/effort.ts";
import type { DialectId } from "../../core/ids.ts";
import type { Block, CacheMark, CacheMarkBlock, OpaqueBlock, TextBlock } from "./block.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Node } from "./node.ts";

/**
 * A request for an answer, whatever protocol it came in. A reader changes nothing and loses
 * nothing: what is not modelled here stands in `ext`. `prepare` makes it fit a target and reports.
 */
export interface IrRequest extends Node {
  readonly origin: DialectId;
  /** As the client wrote it; the writer is told the target's own name. */
  readonly model: string;
  /** The protocol's own top slot only (Anthropic `system`, Responses `instructions`, …). */
  readonly system: readonly SystemBlock[];
  /** The top slot was a bare string. */
  readonly systemBareString?: boolean | undefined;
  /** System messages inside the list stay where they stood. */
  readonly messages: readonly Message[];
  /** The Responses `input` was a bare string. */
  readonly inputBareString?: boolean | undefined;
  /** Undefined when the caller sent no list; empty when it sent an empty one. */
  readonly tools: readonly Tool[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
  readonly parallelToolCalls?: boolean | undefined;
  readonly sampling: Sampling;
  readonly maxOutputTokens?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  /** Chat takes a bare string. */
  readonly stopBareString?: boolean | undefined;
  readonly candidates?: number | undefined;
  readonly seed?: number | undefined;
  readonly logprobs?: { readonly enabled: boolean; readonly top?: number | undefined } | undefined;
  readonly reasoning?: ReasoningAsk | undefined;
  readonly output?: OutputFormat | undefined;
  readonly modalities?: readonly string[] | undefined;
  readonly stream: boolean;
  /** Chat's `stream_options.include_usage`; the other five always tell. */
  readonly streamUsage?: boolean | undefined;
  readonly cacheKey?: string | undefined;
  /** Anthropic's top-level `cache_control`. */
  readonly autoCache?: CacheMark | undefined;
  /** Cohere's documents beside the messages. */
  readonly documents?: readonly DocumentRef[] | undefined;
  readonly endUser?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** The source's own word; `prepare` maps it. */
  readonly tier?: string | undefined;
  readonly verbosity?: string | undefined;
}
export interface Sampling {
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly logitBias?: JsonObject | undefined;
}
export interface ReasoningAsk extends Node {
  readonly mode: "off" | "on" | "adaptive";
  readonly effort?: Effort | undefined;
  /** -1 is Gemini's "as it sees fit". */
  readonly budgetTokens?: number | undefined;
  readonly show?: "full" | "summary" | "omit" | undefined;
  /** Responses' word for how much of a summary. */
  readonly summary?: string | undefined;
  /** Responses' `include: ["reasoning.encrypted_content"]`. */
  readonly wantSealed?: boolean | undefined;
}
export type OutputFormat = Node &
  (
    | { readonly kind: "text" }
    | { readonly kind: "json" }
    | {
        readonly kind: "schema";
        readonly schema: Json;
        readonly schemaDialect: SchemaDialect;
        readonly name?: string | undefined;
        readonly description?: string | undefined;
        readonly strict?: boolean | undefined;
      }
  );
/** Gemini's older slots take an OpenAPI subset with upper-case type names. */
export type SchemaDialect = "json-schema" | "openapi";

export type ToolChoice = Node &
  (
    | { readonly kind: "auto" | "none" | "required" | "validated" }
    | { readonly kind: "tool"; readonly name: string; readonly toolType?: string | undefined }
    | {
        readonly kind: "allowed";
        readonly mode: "auto" | "required";
        readonly names: readonly string[];
      }
  );

export type Tool = FunctionTool | FreeformTool | HostedTool | CacheMarkTool;
export interface FunctionTool extends Node {
  readonly kind: "function";
  readonly name: string;
  readonly description?: string | undefined;
  readonly parameters?: Json | undefined;
  readonly schemaDialect: SchemaDialect;
  readonly strict?: boolean | undefined;
  readonly cache?: CacheMark | undefined;
}
/** Chat's and Responses' `custom` tool: its argument is plain text. */
export interface FreeformTool extends Node {
  readonly kind: "freeform";
  readonly name: string;
  readonly description?: string | undefined;
  readonly format?: JsonObject | undefined;
  readonly cache?: CacheMark | undefined;
}
/** A tool the vendor runs; never translated. `raw` is the whole entry. */
export interface HostedTool extends Node {
  readonly kind: "hosted";
  readonly vendor: DialectId;
  readonly type: string;
  readonly name?: string | undefined;
  readonly raw: JsonObject;
}
/** Bedrock's `{cachePoint}` in a tool list. */
export interface CacheMarkTool extends Node {
  readonly kind: "cache_mark";
  readonly cache: CacheMark;
}

export type Role = "system" | "developer" | "user" | "assistant" | "tool";
export interface Message extends Node {
  readonly role: Role;
  readonly name?: string | undefined;
  readonly blocks: readonly Block[];
  /** The content was a bare string, not a list. Identity needs it. */
  readonly bareString?: boolean | undefined;
}
export type SystemBlock = TextBlock | CacheMarkBlock | OpaqueBlock;
export interface DocumentRef extends Node {
  readonly id?: string | undefined;
  readonly data: Json;
}
