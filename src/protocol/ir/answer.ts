import type { DialectId } from "../../core/ids.ts";
import type { Block } from "./block.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Node } from "./node.ts";

/** Why a model stopped: finer than any one wire (protocols.md 4.2). */
export type StopKind =
  | "end"
  | "length"
  | "context_window"
  | "stop_sequence"
  | "tool_call"
  | "pause"
  | "refusal"
  | "content_filter"
  | "guardrail"
  | "recitation"
  | "malformed_tool_call"
  | "malformed_output"
  | "error"
  | "timeout"
  | "compaction"
  | "steered"
  | "continuation"
  | "other";
export interface Stop extends Node {
  readonly kind: StopKind;
  /** The source's own word. */
  readonly raw?: string | undefined;
  /** The stop string that was met. */
  readonly sequence?: string | undefined;
  readonly detail?: string | undefined;
}

/** A whole answer. */
export interface IrAnswer extends Node {
  readonly origin: DialectId;
  readonly id?: string | undefined;
  readonly model?: string | undefined;
  /** Seconds since 1970. */
  readonly createdAt?: number | undefined;
  /** Empty when the prompt was blocked. */
  readonly candidates: readonly Candidate[];
  readonly usage?: IrUsage | undefined;
  readonly status?: string | undefined;
  /** Gemini's `promptFeedback`. */
  readonly blocked?: { readonly reason: string; readonly message?: string | undefined } | undefined;
  readonly tier?: string | undefined;
  readonly fingerprint?: string | undefined;
}
export interface Candidate extends Node {
  readonly index: number;
  readonly blocks: readonly Block[];
  readonly stop?: Stop | undefined;
  /** The content was a bare string, not a list. */
  readonly bareString?: boolean | undefined;
}

/**
 * Token counts in one convention: every input token once in `inputTotal`, of which `cacheRead` and
 * `cacheWrite` are parts; every output token once in `outputTotal`, of which `reasoning` is a part.
 */
export interface IrUsage {
  readonly inputTotal?: number | undefined;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
  readonly cacheWriteByTtl?: Readonly<Record<string, number>> | undefined;
  readonly toolInput?: number | undefined;
  readonly outputTotal?: number | undefined;
  readonly reasoning?: number | undefined;
  readonly audioInput?: number | undefined;
  readonly audioOutput?: number | undefined;
  /** Cohere's `billed_units`. */
  readonly billed?: Json | undefined;
  /** The wire object it was read from, for identity. */
  readonly raw: { readonly [D in DialectId]?: JsonObject };
}
