import { parseJson } from "../../wire/exact-json.ts";
import type { IrAnswer } from "../ir/answer.ts";
import { argsText } from "../ir/args.ts";
import type { ToolCallBlock } from "../ir/block.ts";
import { isObject } from "../ir/fields.ts";
import type { Json } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import type { CallIds } from "./call-ids.ts";
import { blockPath } from "./pass.ts";

/** How the calls of an answer find back to what the caller named. */
export interface CallMending {
  /** By the name on the wire: the caller's. */
  readonly toolNames: ReadonlyMap<string, string>;
  /** Freeform tools that went out as functions, by the name on the wire. */
  readonly unwrapped: ReadonlySet<string>;
  readonly ids: CallIds;
  readonly report: Report;
}

const encoder = new TextEncoder();

/** Gives every call of a whole answer its caller's name, its form and an id. */
export function mendCalls(answer: IrAnswer, mending: CallMending): IrAnswer {
  const candidates = answer.candidates.map((candidate) => {
    if (!candidate.blocks.some(({ type }) => type === "tool_call")) return candidate;
    const blocks = candidate.blocks.map((block, index) => {
      if (block.type !== "tool_call") return block;
      const callId = mending.ids.next(candidate.index, block.callId);
      return mendedCall(block, { callId, mending, path: blockPath(candidate.index, index) });
    });
    return { ...candidate, blocks };
  });
  return { ...answer, candidates };
}

/** What one call gets. */
export interface CallFix {
  readonly callId: string | undefined;
  readonly mending: CallMending;
  readonly path: string;
}

/** One whole call; the id was asked for before. */
export function mendedCall(block: ToolCallBlock, fix: CallFix): ToolCallBlock {
  const named = renamed(block, fix);
  if (!isWrapped(block, fix.mending)) return named;
  const args = unwrappedInput(wrappingOf(block), fix);
  return { ...named, args, argsValue: undefined, freeform: true };
}

/** The name and the id, without a look at the arguments. */
export function renamed(block: ToolCallBlock, { callId, mending }: CallFix): ToolCallBlock {
  const name = mending.toolNames.get(block.name) ?? block.name;
  return name === block.name && callId === block.callId ? block : { ...block, name, callId };
}

/** Whether a call is of a freeform tool that went out as a function. */
export function isWrapped(block: ToolCallBlock, { unwrapped }: CallMending): boolean {
  return block.freeform !== true && unwrapped.has(block.name);
}

/** The JSON text around a freeform tool's input; empty while there is none. */
export function wrappingOf(block: ToolCallBlock): string {
  return block.argsValue === undefined && (block.args ?? "") === "" ? "" : argsText(block);
}

/** The text a freeform tool was asked for: `prepare` made it a function of one `input`. */
export function unwrappedInput(args: string, { mending, path }: Omit<CallFix, "callId">): string {
  if (args === "") return "";
  const value = parseJson(encoder.encode(args)) as Json | undefined;
  const input = isObject(value) ? value["input"] : undefined;
  if (typeof input === "string") return input;
  mending.report({ code: "L-ARGS-INVALID", path, action: "approximated" });
  return args;
}
