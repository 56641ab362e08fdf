import type { DialectId } from "../../core/ids.ts";
import type { WireError } from "../wire-error.ts";
import type { IrAnswer, IrUsage, Stop } from "./answer.ts";
import type { Block, Citation, ResultContent, Signed, TokenLogprob } from "./block.ts";
import type { Json } from "./json.ts";
import type { Node } from "./node.ts";

/**
 * One step of a streamed answer. Grammar: start, then anything, then `stop` for each candidate,
 * then `end` when the source's own terminator came. A block is started, grows, and is stopped;
 * blocks of one candidate may interleave, as Chat's tool calls do. `c` is the candidate's index and
 * `b` a block's number within it: unique, rising by first appearance, not necessarily dense.
 */
export type IrEvent = Node &
  (
    | {
        readonly t: "start";
        readonly id?: string | undefined;
        readonly model?: string | undefined;
        readonly createdAt?: number | undefined;
        readonly usage?: IrUsage | undefined;
      }
    /** A skeleton: type, ids, name; its text grows by deltas. A proof may be there whole. */
    | { readonly t: "block_start"; readonly c: number; readonly b: number; readonly block: Block }
    | { readonly t: "delta"; readonly c: number; readonly b: number; readonly d: Delta }
    /** `final` is what the wire repeated of the whole block, where it does. */
    | {
        readonly t: "block_stop";
        readonly c: number;
        readonly b: number;
        readonly final?: Block | undefined;
      }
    | { readonly t: "stop"; readonly c: number; readonly stop: Stop }
    /** Cumulative: the last one counts. */
    | { readonly t: "usage"; readonly usage: IrUsage }
    | { readonly t: "meta"; readonly patch: MetaPatch }
    | { readonly t: "ping" }
    /** The upstream reported an error: terminal. */
    | { readonly t: "error"; readonly error: WireError }
    /** The protocol's own end marker was read. */
    | { readonly t: "end" }
    /** An event this build does not know, kept for its own protocol. */
    | {
        readonly t: "raw";
        readonly from: DialectId;
        readonly event?: string | undefined;
        readonly data: Json;
      }
  );
export type MetaPatch = Partial<Pick<IrAnswer, "tier" | "fingerprint" | "blocked" | "status">>;

export type Delta =
  | { readonly k: "text"; readonly text: string }
  | { readonly k: "refusal"; readonly text: string }
  | { readonly k: "reasoning"; readonly text: string }
  | { readonly k: "summary"; readonly part: number; readonly text: string }
  | { readonly k: "signature"; readonly signed: Signed }
  | { readonly k: "sealed"; readonly signed: Signed }
  /** Gemini's proof on a text or a call. */
  | { readonly k: "proof"; readonly signed: Signed }
  /** A fragment of JSON text, or of free text for a freeform tool. */
  | { readonly k: "args"; readonly text: string }
  | { readonly k: "citation"; readonly citation: Citation }
  | { readonly k: "logprobs"; readonly tokens: readonly TokenLogprob[] }
  | {
      readonly k: "audio";
      readonly data?: string | undefined;
      readonly transcript?: string | undefined;
    }
  | { readonly k: "result"; readonly content: readonly ResultContent[] }
  /** A delta of a block whose type is not modelled. */
  | { readonly k: "raw"; readonly data: Json };
