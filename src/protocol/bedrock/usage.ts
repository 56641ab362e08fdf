import type { Chunk } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import { type Foreign, foreignList, foreignObject, parseForeign } from "../../wire/foreign.ts";
import type { IrUsage } from "../ir/answer.ts";
import { compact, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";

/** More than any answer has: a count above it is a mistake of the host. */
const TOKENS_MAX = 1e9;
/** Bedrock's own words for how long a cache lives. */
const TTLS = ["5m", "1h"] as const;
const MARKER = Buffer.from('"usage"');
const search = Buffer.prototype.indexOf;

/**
 * The names of the counts: Converse and Nova; the metrics of an invoked stream; Claude invoked. In
 * all three the cache stands beside the input, not in it: protocols.md §4.3.
 */
const SPELLINGS = [
  {
    input: "inputTokens",
    output: "outputTokens",
    read: ["cacheReadInputTokens", "cacheReadInputTokenCount"],
    write: ["cacheWriteInputTokens", "cacheWriteInputTokenCount"],
  },
  {
    input: "inputTokenCount",
    output: "outputTokenCount",
    read: ["cacheReadInputTokenCount"],
    write: ["cacheWriteInputTokenCount"],
  },
  {
    input: "input_tokens",
    output: "output_tokens",
    read: ["cache_read_input_tokens"],
    write: ["cache_creation_input_tokens"],
  },
] as const;

/** Usage of a whole answer of Converse, or of an invoked model that writes it as Claude does. */
export function readUsage(body: Chunk): Usage | undefined {
  if (search.call(body, MARKER) < 0) return undefined;
  return usageOf(foreignObject(parseForeign(body))?.["usage"]);
}

/** Usage as one of the three spellings has it; undefined when it says nothing one can bill. */
export function usageOf(value: unknown): Usage | undefined {
  const said = foreignObject(value);
  if (said === undefined) return undefined;
  for (const { input, output, read, write } of SPELLINGS) {
    const inputTokens = count(said[input]);
    const outputTokens = count(said[output]);
    if (inputTokens === undefined && outputTokens === undefined) continue;
    const cacheReadTokens = firstOf(said, read);
    const cacheWriteTokens = firstOf(said, write);
    return {
      inputTokens: (inputTokens ?? 0) + cacheReadTokens + cacheWriteTokens,
      outputTokens: outputTokens ?? 0,
      cacheReadTokens,
      cacheWriteTokens: cacheWriteTokens || undefined,
      cacheWriteLongTokens: Math.min(keptForAnHour(said), cacheWriteTokens) || undefined,
      reasoningTokens:
        count(foreignObject(said["output_tokens_details"])?.["thinking_tokens"]) ?? 0,
    };
  }
  return undefined;
}

/** What is cached for an hour, at a price of its own: Converse's word for it, and Claude's. */
function keptForAnHour(said: Foreign): number {
  const details = foreignList(said["cacheDetails"]).map(foreignObject);
  const inDetails = details.find((detail) => detail?.["ttl"] === "1h")?.["inputTokens"];
  const byTtl = foreignObject(said["cache_creation"]);
  return count(inDetails) || count(byTtl?.["ephemeral_1h_input_tokens"]) || 0;
}

/** Usage of Converse in the representation's one convention. */
export function readIrUsage(said: JsonObject): IrUsage {
  const cacheRead = optional(said, "cacheReadInputTokens", "cacheReadInputTokenCount");
  const cacheWrite = optional(said, "cacheWriteInputTokens", "cacheWriteInputTokenCount");
  const input = optional(said, "inputTokens");
  return {
    inputTotal: input === undefined ? undefined : input + (cacheRead ?? 0) + (cacheWrite ?? 0),
    cacheRead,
    cacheWrite,
    cacheWriteByTtl: writesByTtl(said["cacheDetails"]),
    outputTotal: optional(said, "outputTokens"),
    raw: { bedrock: said },
  };
}

/** Usage as Converse writes it; the type wants both counts, and a total that includes the cache. */
export function writeIrUsage(usage: IrUsage | undefined, report: Report): JsonObject {
  if (usage?.raw.bedrock !== undefined) return usage.raw.bedrock;
  const { inputTotal, outputTotal, cacheRead, cacheWriteByTtl = {} } = usage ?? {};
  const cacheWrite = writtenOf(usage);
  if (inputTotal === undefined || outputTotal === undefined) {
    report({ code: "L-USAGE", path: "usage", action: "defaulted" });
  }
  const outside = (cacheRead ?? 0) + (cacheWrite ?? 0);
  const inputTokens = Math.max(0, (inputTotal ?? 0) - outside);
  const outputTokens = outputTotal ?? 0;
  const details = TTLS.filter((ttl) => (cacheWriteByTtl[ttl] ?? 0) > 0);
  return compact({
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outside + outputTokens,
    cacheReadInputTokens: cacheRead,
    cacheWriteInputTokens: cacheWrite,
    cacheDetails:
      details.length === 0
        ? undefined
        : details.map((ttl) => ({ ttl, inputTokens: cacheWriteByTtl[ttl]! })),
  });
}

/** OpenRouter may count a token as read and as written: together they are never more than all. */
function writtenOf(usage: IrUsage | undefined): number | undefined {
  const { inputTotal = 0, cacheRead = 0, cacheWrite } = usage ?? { raw: {} };
  return cacheWrite && Math.min(cacheWrite, Math.max(0, inputTotal - cacheRead));
}

function writesByTtl(details: Json | undefined): Record<string, number> | undefined {
  if (!isList(details)) return undefined;
  const byTtl: Record<string, number> = Object.create(null);
  for (const detail of details) {
    if (!isObject(detail)) continue;
    const { ttl, inputTokens } = detail;
    if (typeof ttl === "string" && typeof inputTokens === "number") byTtl[ttl] = inputTokens;
  }
  return byTtl;
}

function optional(said: JsonObject, ...names: readonly string[]): number | undefined {
  for (const name of names) {
    const tokens = count(said[name]);
    if (tokens !== undefined) return tokens;
  }
  return undefined;
}

function firstOf(said: Foreign, names: readonly string[]): number {
  for (const name of names) {
    const tokens = count(said[name]);
    if (tokens !== undefined) return tokens;
  }
  return 0;
}

function count(value: unknown): number | undefined {
  const isCount = typeof value === "number" && Number.isInteger(value);
  return isCount && value >= 0 && value <= TOKENS_MAX ? value : undefined;
}
