import type { CacheMark } from "../ir/block.ts";
import { compact, Fields } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";

const NAME = "prompt_cache_breakpoint";
const EXPLICIT = "explicit";

/** A part's cache breakpoint: protocols.md 3.11. */
export function readBreakpoint(fields: Fields): CacheMark | undefined {
  const breakpoint = fields.object(NAME);
  if (breakpoint === undefined) return undefined;
  const inner = new Fields(breakpoint);
  if (inner.peek("mode") === EXPLICIT) inner.skip("mode");
  return { ttl: inner.text("ttl"), ext: inner.ext("responses") };
}

/** The same as this wire spells it; `mode` has one value so far. */
export function writeBreakpoint(cache: CacheMark | undefined): JsonObject | undefined {
  if (cache === undefined) return undefined;
  const ext = cache.ext?.responses;
  const mode = ext?.["mode"] === undefined ? EXPLICIT : undefined;
  return compact({ mode, ttl: cache.ttl }, ext);
}
