import type { Candidate, IrAnswer } from "../ir/answer.ts";
import type { Block } from "../ir/block.ts";
import { Fields, isList } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { readLogprobs } from "./logprobs.ts";
import { owned, spelled, spellingOf } from "./own.ts";
import { readBody } from "./read-messages.ts";
import { readStop } from "./stop.ts";
import { readIrUsage } from "./usage.ts";

/** A whole answer. This wire gives one, and never says which model it is of. */
export function readAnswer(body: JsonObject): IrAnswer {
  const fields = new Fields(body);
  const message = fields.object("message");
  const candidates = message === undefined ? [] : [readCandidate(message, fields)];
  const usage = fields.object("usage");
  const answer: IrAnswer = {
    origin: "cohere",
    id: fields.text("id"),
    candidates,
    usage: usage && readIrUsage(usage),
  };
  return owned(answer, fields);
}

function readCandidate(message: JsonObject, answer: Fields): Candidate {
  const fields = new Fields(message);
  if (fields.peek("role") === "assistant") fields.skip("role");
  const { blocks, bareString } = readBody(fields, undefined);
  const word = answer.text("finish_reason");
  const candidate: Candidate = {
    index: 0,
    blocks: withLogprobs(blocks, answer),
    stop: word === undefined ? undefined : readStop(word),
    bareString,
  };
  return owned(candidate, fields);
}

/** They stand beside the message and are of its text, which is the last of its contents. */
function withLogprobs(blocks: readonly Block[], answer: Fields): readonly Block[] {
  const list = answer.peek("logprobs");
  if (!isList(list) || list.length === 0) return blocks;
  const at = blocks.findLastIndex((block) => block.type === "text");
  const block = blocks[at];
  const { tokens, isWhole } = readLogprobs(list);
  if (block?.type !== "text" || tokens.length === 0) return blocks;
  answer.skip("logprobs");
  const told = { ...block, logprobs: tokens };
  const { beside } = spellingOf(block);
  return blocks.with(at, isWhole ? told : spelled(told, { beside, raw: list }));
}
