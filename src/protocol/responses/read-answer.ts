import type { Candidate, IrAnswer } from "../ir/answer.ts";
import type { Block } from "../ir/block.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { readItem } from "./read-items.ts";
import { readStop, saidBy } from "./stop.ts";
import { readIrUsage } from "./usage.ts";

/** A whole response. What it repeats of its request stays in `ext`: protocols.md 4.1. */
export function readAnswer(body: JsonObject): IrAnswer {
  const fields = new Fields(body);
  fields.skip("object");
  const usage = readIrUsage(fields.object("usage"));
  return {
    origin: "responses",
    id: fields.text("id"),
    model: fields.text("model"),
    createdAt: fields.number("created_at"),
    candidates: readOutput(body, fields),
    usage,
    status: fields.text("status"),
    tier: fields.text("service_tier"),
    ext: fields.ext("responses"),
  };
}

/** None where there is no list, so that none is written again. */
function readOutput(body: JsonObject, fields: Fields): readonly Candidate[] {
  const output = fields.peek("output");
  if (!isList(output) || !output.every(isObject)) return [];
  fields.skip("output");
  const blocks: Block[] = [];
  for (const [number, item] of output.entries()) blocks.push(...readItem(item, { number }));
  return [{ index: 0, blocks, stop: readStop(body, saidBy(blocks)) }];
}
