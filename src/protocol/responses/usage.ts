import type { Chunk } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import { type Foreign, foreignObject, parseForeign } from "../../wire/foreign.ts";
import { wantedMembers } from "../../wire/json-keys.ts";
import { scanJson } from "../../wire/json-scan.ts";
import type { IrUsage } from "../ir/answer.ts";
import { isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";

/** More than any answer has: a count above it is a mistake of the host. */
const TOKENS_MAX = 1e9;
/** Deeper than any answer is; what is deeper is parsed whole. */
const DEPTH_MAX = 512;
const WANTED = wantedMembers(["usage"]);

/** Usage of a whole answer: the rest, pictures and all, is only stepped over. */
export function readUsage(body: Chunk): Usage | undefined {
  const scan = scanJson(body, { depthMax: DEPTH_MAX, wanted: WANTED });
  if (!scan.ok) return usageOf(foreignObject(parseForeign(body))?.["usage"]);
  const [usage] = scan.members;
  return usage && usageOf(parseForeign(body.subarray(usage.start, usage.end)));
}

/** Usage of one event of a stream: the terminal ones hold the whole response. */
export function usageOfEvent(event: Foreign): Usage | undefined {
  return usageOf(foreignObject(event["response"])?.["usage"]);
}

/** Usage as this wire writes it; undefined when it says nothing one can bill. */
export function usageOf(value: unknown): Usage | undefined {
  const said = foreignObject(value);
  if (said === undefined) return undefined;
  const input = count(said["input_tokens"]);
  const output = count(said["output_tokens"]);
  if (input === undefined && output === undefined) return undefined;
  if (input === "insane" || output === "insane") return undefined;
  const details = foreignObject(said["input_tokens_details"]);
  const cacheReadTokens = sane(details?.["cached_tokens"]);
  const reasoningTokens = sane(foreignObject(said["output_tokens_details"])?.["reasoning_tokens"]);
  const inputTokens = whole(input ?? 0, cacheReadTokens ?? 0);
  const cacheWriteTokens = Math.min(sane(details?.["cache_write_tokens"]) ?? 0, inputTokens);
  return {
    inputTokens,
    outputTokens: whole(output ?? 0, reasoningTokens ?? 0),
    cacheReadTokens: cacheReadTokens ?? 0,
    cacheWriteTokens: cacheWriteTokens || undefined,
    reasoningTokens: reasoningTokens ?? 0,
  };
}

/** The counts for another protocol: protocols.md 4.3. The object itself rides along. */
export function readIrUsage(value: Json | undefined): IrUsage | undefined {
  if (!isObject(value)) return undefined;
  const input = sane(value["input_tokens"]);
  const output = sane(value["output_tokens"]);
  const read = isObject(value["input_tokens_details"]) ? value["input_tokens_details"] : undefined;
  const wrote = isObject(value["output_tokens_details"])
    ? value["output_tokens_details"]
    : undefined;
  const cacheRead = sane(read?.["cached_tokens"]);
  const reasoning = sane(wrote?.["reasoning_tokens"]);
  return {
    inputTotal: input === undefined ? undefined : whole(input, cacheRead ?? 0),
    cacheRead,
    cacheWrite: sane(read?.["cache_write_tokens"]),
    outputTotal: output === undefined ? undefined : whole(output, reasoning ?? 0),
    reasoning,
    raw: { responses: value },
  };
}

/** The object of this wire, whose type wants every count: what nobody told is 0 and reported. */
export function writeIrUsage(usage: IrUsage, report: Report): JsonObject {
  if (usage.raw.responses !== undefined) return usage.raw.responses;
  const { inputTotal, outputTotal, cacheRead, cacheWrite, reasoning } = usage;
  if (inputTotal === undefined || outputTotal === undefined) {
    report({ code: "L-USAGE", path: "usage", action: "defaulted" });
  }
  return {
    input_tokens: inputTotal ?? 0,
    input_tokens_details: { cached_tokens: cacheRead ?? 0, cache_write_tokens: cacheWrite ?? 0 },
    output_tokens: outputTotal ?? 0,
    output_tokens_details: { reasoning_tokens: reasoning ?? 0 },
    total_tokens: (inputTotal ?? 0) + (outputTotal ?? 0),
  };
}

/** A part larger than its whole is counted beside it: Grok on Azure, protocols.md finding 6. */
function whole(total: number, part: number): number {
  return part > total ? total + part : total;
}

function sane(value: unknown): number | undefined {
  const tokens = count(value);
  return tokens === "insane" ? undefined : tokens;
}

function count(value: unknown): number | "insane" | undefined {
  if (value === undefined || value === null) return undefined;
  const isCount = typeof value === "number" && Number.isInteger(value);
  return isCount && value >= 0 && value <= TOKENS_MAX ? value : "insane";
}
