import type { IrAnswer, Stop } from "../ir/answer.ts";
import { isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { readIrUsage } from "./ir-usage.ts";
import { OwnFields } from "./own-fields.ts";
import { readBlocks } from "./read-blocks.ts";
import { stopKind } from "./stop.ts";
import { readCounts } from "./usage.ts";

/** A whole answer of this wire: protocols.md 4, column Anth. */
export function readAnswer(body: JsonObject): IrAnswer {
  const fields = new OwnFields(body);
  skipConstants(fields);
  const content = fields.objects("content");
  const usage = fields.object("usage");
  return {
    origin: "anthropic",
    id: fields.text("id"),
    model: fields.text("model"),
    candidates:
      content === undefined
        ? []
        : [{ index: 0, blocks: readBlocks(content, "content"), stop: readStop(fields) }],
    usage: usage && readIrUsage(usage, readCounts(usage, undefined) ?? {}),
    ext: fields.own(),
  };
}

/** What every message says of itself, and the writer says again. */
export function skipConstants(fields: OwnFields): void {
  if (fields.peek("type") === "message") fields.skip("type");
  if (fields.peek("role") === "assistant") fields.skip("role");
  if (fields.peek("stop_sequence") === null) fields.skip("stop_sequence");
  if (fields.peek("stop_reason") === null) fields.skip("stop_reason");
}

/** Why it stopped; undefined where that is not said (yet). Details stay in `ext` as well. */
export function readStop(fields: OwnFields): Stop | undefined {
  const raw = fields.text("stop_reason");
  if (raw === undefined) return undefined;
  const sequence = fields.text("stop_sequence");
  return { kind: stopKind(raw), raw, sequence, detail: explanationIn(fields.peek("stop_details")) };
}

function explanationIn(details: Json | undefined): string | undefined {
  const explanation = isObject(details) ? details["explanation"] : undefined;
  return typeof explanation === "string" ? explanation : undefined;
}
