import type { Chunk } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import { foreignObject, parseForeign } from "../../wire/foreign.ts";
import { wantedMembers } from "../../wire/json-keys.ts";
import { scanJson } from "../../wire/json-scan.ts";
import type { IrUsage } from "../ir/answer.ts";
import { compact, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";

/** More than any answer has: a count above it is a mistake of the host. */
const TOKENS_MAX = 1e9;
/** Chat says `usage`; embed and rerank say `meta`, behind what may be megabytes of numbers. */
const WANTED = wantedMembers(["usage", "meta"]);
const ANSWER_DEPTH_MAX = 512;

/** Usage of a whole answer; nothing but the one member that tells it is built. */
export function readUsage(body: Chunk): Usage | undefined {
  const scan = scanJson(body, { depthMax: ANSWER_DEPTH_MAX, wanted: WANTED });
  if (!scan.ok) return undefined;
  const [usage, meta] = scan.members;
  const said = usage ?? meta;
  return said && usageOf(parseForeign(body.subarray(said.start, said.end)));
}

/** Usage as this wire writes it; undefined when it says nothing one can bill. */
export function usageOf(value: unknown): Usage | undefined {
  const said = foreignObject(value);
  const { input, output, cached, reasoning } = countsOf(said);
  if (input === undefined && output === undefined) return undefined;
  const inputTokens = input ?? 0;
  const outputTokens = output ?? 0;
  return {
    inputTokens,
    outputTokens,
    cacheReadTokens: Math.min(cached ?? 0, inputTokens),
    reasoningTokens: Math.min(reasoning ?? 0, outputTokens),
  };
}

/** The same in the representation's convention: protocols.md 4.3. */
export function readIrUsage(raw: JsonObject): IrUsage {
  const { input, output, cached, reasoning } = countsOf(raw);
  const billed = raw["billed_units"];
  return {
    inputTotal: input,
    cacheRead: cached,
    outputTotal: output,
    reasoning,
    billed: isObject(billed) ? billed : undefined,
    raw: { cohere: raw },
  };
}

/**
 * Cohere's own object again, or one in which what was used is what is billed. Every answer of
 * Cohere counts, and readers of this wire want the counts: one nobody told is 0 and reported.
 */
export function writeIrUsage(usage: IrUsage | undefined, report: Report): JsonObject {
  const own = usage?.raw.cohere;
  if (own !== undefined) return own;
  const { inputTotal, outputTotal, reasoning, cacheRead } = usage ?? { raw: {} };
  if (inputTotal === undefined || outputTotal === undefined) {
    report({ code: "L-USAGE", path: "usage", action: "defaulted" });
  }
  if (usage !== undefined) report({ code: "L-BILLED", path: "usage", action: "defaulted" });
  const counts = { input_tokens: inputTotal ?? 0, output_tokens: outputTotal ?? 0 };
  return compact({
    billed_units: counts,
    tokens: compact({ ...counts, reasoning_tokens: reasoning }),
    cached_tokens: cacheRead,
  });
}

interface Counts {
  readonly input: number | undefined;
  readonly output: number | undefined;
  readonly cached: number | undefined;
  readonly reasoning: number | undefined;
}

/**
 * `tokens` counts the chat template, too; embed knows the billed ones only. Pictures stand beside
 * the input's text: recorded are 34 input and 259 image tokens of which 267 are billed.
 */
function countsOf(said: { readonly [name: string]: unknown } | undefined): Counts {
  const tokens = foreignObject(said?.["tokens"]);
  const billed = foreignObject(said?.["billed_units"]);
  const counted = tokens ?? billed;
  const text = count(counted?.["input_tokens"]);
  const image = count(counted?.["image_tokens"]);
  return {
    input: text === undefined && image === undefined ? undefined : (text ?? 0) + (image ?? 0),
    output: count(counted?.["output_tokens"]),
    cached: count(said?.["cached_tokens"]),
    reasoning: count(tokens?.["reasoning_tokens"]),
  };
}

function count(value: unknown): number | undefined {
  const isCount = typeof value === "number" && Number.isInteger(value);
  return isCount && value >= 0 && value <= TOKENS_MAX ? value : undefined;
}
