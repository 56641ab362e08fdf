import { parseJson, printJson } from "../../wire/exact-json.ts";
import type { Candidate, IrAnswer, Stop } from "../ir/answer.ts";
import { argsText } from "../ir/args.ts";
import type { Block, ToolCallBlock } from "../ir/block.ts";
import { isObject } from "../ir/fields.ts";
import type { Json } from "../ir/json.ts";
import type { AnswerTool } from "./prepare/answer-tool.ts";

const encoder = new TextEncoder();

/**
 * An answer that was given as the arguments of a tool, as the text the caller asked for. What the
 * model says around the call is no part of it: two texts would be no JSON.
 */
export function unwrapAnswer(answer: IrAnswer, tool: AnswerTool): IrAnswer {
  return { ...answer, candidates: answer.candidates.map((each) => unwrapCandidate(each, tool)) };
}

function unwrapCandidate(candidate: Candidate, tool: AnswerTool): Candidate {
  const at = candidate.blocks.findIndex((block) => isAnswer(block, tool));
  if (at < 0) return candidate;
  const blocks = candidate.blocks.flatMap((block, index): readonly Block[] => {
    if (index === at) return [{ type: "text", text: textOf(block as ToolCallBlock, tool) }];
    return block.type === "text" || isAnswer(block, tool) ? [] : [block];
  });
  const calls = blocks.some(({ type }) => type === "tool_call");
  return { ...candidate, blocks, stop: candidate.stop && stopOf(candidate.stop, calls) };
}

/** Whether a block is the call that gives the answer. */
export function isAnswer(block: Block, { name }: AnswerTool): boolean {
  return block.type === "tool_call" && block.name === name;
}

/** A call was the end of the answer; another tool's is a call still. */
export function stopOf(stop: Stop, calls: boolean): Stop {
  return stop.kind === "tool_call" && !calls ? { kind: "end" } : stop;
}

/** The answer in a whole call. */
export function textOf(call: ToolCallBlock, { property }: AnswerTool): string {
  const text = argsText(call);
  return property === undefined ? text : valueIn(text, property);
}

/** What a model wrote past its schema is told as it is. */
export function valueIn(text: string, property: string): string {
  const args = parseJson(encoder.encode(text)) as Json | undefined;
  const value = isObject(args) ? args[property] : undefined;
  return value === undefined ? text : printJson(value);
}
