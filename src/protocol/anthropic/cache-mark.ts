import type { CacheMark } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { OwnFields } from "./own-fields.ts";

const TYPE = "ephemeral";

/** Takes `cache_control` as a mark; null and what is no object stay where they are. */
export function readCacheMark(fields: OwnFields): CacheMark | undefined {
  const object = fields.object("cache_control");
  if (object === undefined) return undefined;
  const mark = new OwnFields(object);
  if (mark.peek("type") === TYPE) mark.skip("type");
  return { ttl: mark.text("ttl"), ext: mark.own() };
}

export function writeCacheMark(mark: CacheMark | undefined): JsonObject | undefined {
  if (mark === undefined) return undefined;
  const own = mark.ext?.anthropic;
  return compact({ type: own?.["type"] ?? TYPE, ttl: mark.ttl }, own);
}
