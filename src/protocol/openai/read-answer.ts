import type { Candidate, IrAnswer } from "../ir/answer.ts";
import type { Block } from "../ir/block.ts";
import { compact, Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { readIrUsage } from "./ir-usage.ts";
import { readTokens } from "./logprobs.ts";
import { readAssistant } from "./read-assistant.ts";
import { spelled, spellingOf } from "./spelling.ts";
import { readStop } from "./stop.ts";

/** A whole chat completion. What says nothing across protocols stays where it stood. */
export function readAnswer(body: JsonObject): IrAnswer {
  const fields = new Fields(body);
  const list = fields.peek("choices");
  const choices = isList(list) && list.length > 0 && list.every(isObject) ? list : [];
  if (choices.length > 0) fields.skip("choices");
  const usage = fields.object("usage");
  return {
    origin: "openai",
    id: fields.text("id"),
    model: fields.text("model"),
    createdAt: fields.number("created"),
    candidates: choices.map(readChoice),
    usage: usage && readIrUsage(usage),
    tier: fields.text("service_tier"),
    fingerprint: fields.text("system_fingerprint"),
    ext: fields.ext("openai"),
  };
}

/** A choice's own rest, and its message's in a member of the message's name. */
function readChoice(choice: JsonObject, position: number): Candidate {
  const fields = new Fields(choice);
  const message = fields.object("message");
  const said = new Fields(message ?? {});
  const place = { at: undefined, keepsEmpty: false };
  const { blocks, bareString, beside } = readAssistant(said, place);
  const word = fields.text("finish_reason");
  const refused = blocks.some(({ type }) => type === "refusal");
  const stop = word === undefined ? undefined : readStop(word, { refused });
  const { index } = choice;
  const probed = withLogprobs(fields, blocks);
  const rest: Record<string, Json> = {};
  if (message !== undefined) rest["message"] = said.ext("openai")?.openai ?? {};
  if (probed.rest !== undefined) rest["logprobs"] = probed.rest;
  const candidate: Candidate = {
    index: isIndex(index) ? index : position,
    blocks: probed.blocks,
    stop,
    bareString,
    ext: { openai: compact(rest, fields.ext("openai")?.openai) },
  };
  return spelled(candidate, { beside });
}

function isIndex(value: Json | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

interface Probed {
  readonly blocks: readonly Block[];
  /** What else stood in `logprobs`. */
  readonly rest: JsonObject | undefined;
}

/** Log probabilities belong to the text, and to the refusal, that they are of. */
function withLogprobs(fields: Fields, blocks: readonly Block[]): Probed {
  const given = fields.peek("logprobs");
  if (!isObject(given)) return { blocks, rest: undefined };
  const inner = new Fields(given);
  let probed = blocks;
  for (const [member, type] of LOGPROB_PLACES) {
    const logprobs = readTokens(given[member]);
    const index = blocks.findIndex((block) => block.type === type);
    const block = probed[index];
    if (logprobs === undefined || block === undefined) continue;
    inner.skip(member);
    probed = probed.with(index, spelled({ ...block, logprobs } as Block, spellingOf(block)));
  }
  fields.skip("logprobs");
  return { blocks: probed, rest: inner.ext("openai")?.openai ?? {} };
}

/** Where `logprobs` has whose. */
export const LOGPROB_PLACES = [
  ["content", "text"],
  ["refusal", "refusal"],
] as const;
