import type { IrUsage } from "../ir/answer.ts";
import { compact, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Counts } from "./usage.ts";

const TTL_NAME = /^ephemeral_(\w+)_input_tokens$/;

/** Counts of this wire in the representation's convention: protocols.md 4.3. */
export function readIrUsage(raw: JsonObject, counts: Counts): IrUsage {
  const { input, cacheRead, cacheWrite, output, thinking } = counts;
  return {
    inputTotal: input === undefined ? undefined : input + (cacheRead ?? 0) + (cacheWrite ?? 0),
    cacheRead,
    cacheWrite,
    cacheWriteByTtl: readByTtl(raw),
    outputTotal: output,
    reasoning: thinking,
    raw: { anthropic: raw },
  };
}

function readByTtl(raw: JsonObject): Readonly<Record<string, number>> | undefined {
  const said = raw["cache_creation"];
  if (!isObject(said)) return undefined;
  const byTtl: Record<string, number> = Object.create(null);
  for (const name of Object.keys(said)) {
    const ttl = TTL_NAME.exec(name)?.[1];
    const tokens = said[name];
    if (ttl !== undefined && typeof tokens === "number") byTtl[ttl] = tokens;
  }
  return byTtl;
}

/** The wire object it was read from, or one of its counts: the caches may be null. */
export function writeIrUsage(usage: IrUsage | undefined): JsonObject {
  const raw = usage?.raw.anthropic;
  if (raw !== undefined) return raw;
  const { inputTotal = 0, cacheRead, outputTotal = 0, reasoning } = usage ?? NOTHING;
  const cacheWrite = writtenOf(usage);
  return compact({
    input_tokens: Math.max(0, inputTotal - (cacheRead ?? 0) - (cacheWrite ?? 0)),
    cache_creation_input_tokens: cacheWrite ?? null,
    cache_read_input_tokens: cacheRead ?? null,
    cache_creation: writeByTtl(usage),
    output_tokens: outputTotal,
    output_tokens_details: reasoning === undefined ? undefined : { thinking_tokens: reasoning },
  });
}

/** OpenRouter may count a token as read and as written: together they are never more than all. */
function writtenOf(usage: IrUsage | undefined): number | undefined {
  const { inputTotal = 0, cacheRead = 0, cacheWrite } = usage ?? NOTHING;
  return cacheWrite && Math.min(cacheWrite, Math.max(0, inputTotal - cacheRead));
}

/** Whether a count that every answer of this wire has is not known. */
export function lacksCounts(usage: IrUsage | undefined): boolean {
  return usage?.inputTotal === undefined || usage.outputTotal === undefined;
}

function writeByTtl(usage: IrUsage | undefined): JsonObject | undefined {
  const byTtl = usage?.cacheWriteByTtl;
  if (byTtl === undefined) return undefined;
  return {
    ephemeral_5m_input_tokens: byTtl["5m"] ?? 0,
    ephemeral_1h_input_tokens: byTtl["1h"] ?? 0,
  };
}

const NOTHING: IrUsage = { raw: {} };
