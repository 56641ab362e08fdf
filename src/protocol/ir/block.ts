import type { DialectId } from "../../core/ids.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Ext, Node } from "./node.ts";

/** Marks that a prompt cache may keep everything up to here. `ttl` is the source's own word. */
export interface CacheMark {
  readonly ttl?: string | undefined;
  readonly ext?: Ext | undefined;
}

/** What every block may carry. */
export interface BlockBase extends Node {
  /** The vendor's own item id (Responses `msg_`, `rs_`, `fc_`); never the id of a tool call. */
  readonly id?: string | undefined;
  /** A cache breakpoint after this block. Bedrock has a block of its own for it: `cache_mark`. */
  readonly cache?: CacheMark | undefined;
  /** Blocks of one group were one item on the wire: a Responses item, Cohere's plan and calls. */
  readonly group?: string | undefined;
  readonly phase?: string | undefined;
}

export type Block =
  | TextBlock
  | RefusalBlock
  | ReasoningBlock
  | ToolCallBlock
  | ToolResultBlock
  | MediaBlock
  | SearchResultBlock
  | HostedCallBlock
  | HostedResultBlock
  | CacheMarkBlock
  | CompactionBlock
  | OpaqueBlock;

export interface TextBlock extends BlockBase {
  readonly type: "text";
  readonly text: string;
  readonly citations?: readonly Citation[] | undefined;
  readonly logprobs?: readonly TokenLogprob[] | undefined;
  /** Gemini puts proofs on text as well. */
  readonly proof?: Signed | undefined;
}
export interface RefusalBlock extends BlockBase {
  readonly type: "refusal";
  readonly text: string;
  readonly logprobs?: readonly TokenLogprob[] | undefined;
}

/** Who vouches for an opaque proof: it is only ever sent back to that family. */
export type ProofFamily = "anthropic" | "openai" | "google" | "other";

/** A vendor's opaque proof or seal, exactly as its own wire spells it (protocols.md 3.9). */
export interface Signed {
  readonly value: string;
  /** Bedrock spells Anthropic's redacted data with one more layer of base64. */
  readonly encoding: "plain" | "base64-of-plain";
  readonly family: ProofFamily;
}

export interface ReasoningBlock extends BlockBase {
  readonly type: "reasoning";
  /** Raw reasoning text; may be empty beside a proof. */
  readonly text?: string | undefined;
  /** Responses' summary parts. */
  readonly summary?: readonly string[] | undefined;
  readonly signature?: Signed | undefined;
  /** Sealed reasoning: `redacted_thinking.data`, `redactedContent`, `encrypted_content`. */
  readonly sealed?: Signed | undefined;
  /** Cohere's `tool_plan`. */
  readonly planOf?: "tool" | undefined;
  /**
   * The block only carries a proof that belongs on another one, through a protocol that has no
   * place there: the tool call of this id, or (undefined id) the block that follows.
   */
  readonly carries?: Carried | undefined;
}
export interface Carried {
  readonly proofOf: "call" | "text";
  readonly callId?: string | undefined;
}

export interface ToolCallBlock extends BlockBase {
  readonly type: "tool_call";
  /** Absent on most of Gemini's calls. */
  readonly callId?: string | undefined;
  readonly name: string;
  readonly namespace?: string | undefined;
  /** Exactly one is there: text where the wire has text, a value where it has an object. */
  readonly args?: string | undefined;
  readonly argsValue?: Json | undefined;
  /** A custom tool: `args` is plain text, not JSON. */
  readonly freeform?: boolean | undefined;
  /** Gemini's `thoughtSignature`. */
  readonly proof?: Signed | undefined;
  readonly status?: string | undefined;
}

export interface ToolResultBlock extends BlockBase {
  readonly type: "tool_result";
  readonly callId?: string | undefined;
  readonly name?: string | undefined;
  readonly content: readonly ResultContent[];
  /** The wire form was a bare string. Identity needs it. */
  readonly bareString?: boolean | undefined;
  readonly isError?: boolean | undefined;
  readonly freeform?: boolean | undefined;
  readonly status?: string | undefined;
}
export type ResultContent =
  TextBlock | MediaBlock | SearchResultBlock | JsonBlock | CacheMarkBlock | OpaqueBlock;
export interface JsonBlock extends BlockBase {
  readonly type: "json";
  readonly value: Json;
}

export interface MediaBlock extends BlockBase {
  readonly type: "media";
  readonly kind: "image" | "document" | "audio" | "video";
  /** As `image/png`; undefined for a URL that does not say. */
  readonly mime?: string | undefined;
  readonly source: MediaSource;
  readonly detail?: string | undefined;
  readonly title?: string | undefined;
  readonly filename?: string | undefined;
  readonly context?: string | undefined;
  readonly citations?: boolean | undefined;
  readonly transcript?: string | undefined;
  readonly proof?: Signed | undefined;
}
export type MediaSource =
  | { readonly kind: "base64"; readonly data: string }
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "blocks"; readonly blocks: readonly Block[] }
  /** A file, bucket object or resource that only its vendor can read. */
  | { readonly kind: "reference"; readonly vendor: DialectId; readonly raw: JsonObject };

export interface SearchResultBlock extends BlockBase {
  readonly type: "search_result";
  readonly source: string;
  readonly title?: string | undefined;
  readonly content: readonly TextBlock[];
  readonly citations?: boolean | undefined;
}
/** A tool run by the vendor, and what came of it: carried whole. */
export interface HostedCallBlock extends BlockBase {
  readonly type: "hosted_call";
  readonly vendor: DialectId;
  readonly toolType: string;
  readonly callId?: string | undefined;
  readonly raw: JsonObject;
  readonly proof?: Signed | undefined;
}
export interface HostedResultBlock extends BlockBase {
  readonly type: "hosted_result";
  readonly vendor: DialectId;
  readonly toolType: string;
  readonly callId?: string | undefined;
  readonly raw: JsonObject;
  readonly proof?: Signed | undefined;
}
/** Bedrock's `{cachePoint}`. */
export interface CacheMarkBlock extends Node {
  readonly type: "cache_mark";
  readonly cache: CacheMark;
}
export interface CompactionBlock extends BlockBase {
  readonly type: "compaction";
  readonly vendor: DialectId;
  readonly raw: JsonObject;
}
/** A block this build does not know. Its own protocol gets it back; every other reports it. */
export interface OpaqueBlock extends BlockBase {
  readonly type: "opaque";
  readonly vendor: DialectId;
  readonly wireType: string;
  readonly raw: JsonObject;
}

export interface Citation extends Node {
  /** What is quoted of the source. */
  readonly quoted?: string | undefined;
  /** Place in the answer: the readers turn bytes and UTF-16 units into code points. */
  readonly span?: CitedSpan | undefined;
  /** Place in the source. */
  readonly place?: CitedPlace | undefined;
  readonly sources?: readonly CitedSource[] | undefined;
}
export interface CitedSpan {
  readonly start: number;
  readonly end: number;
  /** Counted from the start of its block, or of all the answer's text. */
  readonly of: "block" | "message";
}
export interface CitedPlace {
  readonly kind: "char" | "page" | "block" | "chunk" | "web" | "search_result" | "file" | "tool";
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  readonly documentIndex?: number | undefined;
}
export interface CitedSource {
  readonly url?: string | undefined;
  readonly title?: string | undefined;
  readonly documentId?: string | undefined;
  readonly data?: Json | undefined;
}
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes?: readonly number[] | null | undefined;
  readonly tokenId?: number | undefined;
  readonly top?: readonly Omit<TokenLogprob, "top">[] | undefined;
}
