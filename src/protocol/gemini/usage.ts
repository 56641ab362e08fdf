import type { Chunk } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import { type Foreign, foreignObject, parseForeign } from "../../wire/foreign.ts";
import type { IrUsage } from "../ir/answer.ts";
import { compact, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";

/** More than any answer has: a count above it is a mistake of the host. */
const TOKENS_MAX = 1e9;
const MARKER = Buffer.from('"usageMetadata"');
const search = Buffer.prototype.indexOf;

/** Usage of a whole answer, or of the last chunk that tells it when the answer is an array. */
export function readUsage(body: Chunk): Usage | undefined {
  // Embeddings have none, and are megabytes of numbers.
  if (search.call(body, MARKER) < 0) return undefined;
  const root = parseForeign(body);
  const chunks = Array.isArray(root) ? root : [root];
  return chunks.map((chunk) => usageOf(foreignObject(chunk))).findLast(Boolean);
}

/** Usage of one chunk: cumulative, so the last one counts. */
export function usageOf(chunk: Foreign | undefined): Usage | undefined {
  const said = foreignObject(chunk?.["usageMetadata"]);
  if (said === undefined) return undefined;
  const prompt = count(said["promptTokenCount"]);
  const candidates = count(said["candidatesTokenCount"]);
  if (prompt === undefined && candidates === undefined) return undefined;
  if (prompt === "insane" || candidates === "insane") return undefined;
  const reasoningTokens = sane(said["thoughtsTokenCount"]);
  return {
    inputTokens: (prompt ?? 0) + sane(said["toolUsePromptTokenCount"]),
    outputTokens: (candidates ?? 0) + reasoningTokens,
    cacheReadTokens: sane(said["cachedContentTokenCount"]),
    reasoningTokens,
  };
}

/**
 * The counts in the one convention (protocols.md 4.3): the prompt's include the cached ones, tool
 * use and thoughts are counted apart.
 */
export function readIrUsage(said: JsonObject): IrUsage {
  const prompt = number(said["promptTokenCount"]);
  const toolInput = number(said["toolUsePromptTokenCount"]);
  const candidates = number(said["candidatesTokenCount"]);
  const reasoning = number(said["thoughtsTokenCount"]);
  const isCounted = prompt !== undefined || number(said["totalTokenCount"]) !== undefined;
  const isAnswered = candidates !== undefined || reasoning !== undefined || isCounted;
  return {
    inputTotal: prompt === undefined ? undefined : prompt + (toolInput ?? 0),
    cacheRead: number(said["cachedContentTokenCount"]),
    toolInput,
    // Absent means none.
    outputTotal: isAnswered ? (candidates ?? 0) + (reasoning ?? 0) : undefined,
    reasoning,
    audioInput: audioOf(said["promptTokensDetails"]),
    audioOutput: audioOf(said["candidatesTokensDetails"]),
    raw: { gemini: said },
  };
}

/** The counts as this wire has them; what it has no name for is reported. */
export function writeIrUsage(usage: IrUsage, report: Report): JsonObject {
  if (usage.raw.gemini !== undefined) return usage.raw.gemini;
  const { inputTotal, toolInput, outputTotal, reasoning, cacheRead, cacheWrite } = usage;
  if (cacheWrite !== undefined && cacheWrite > 0) {
    report({ code: "L-USAGE", path: "usage.cacheWrite", action: "dropped" });
  }
  return compact({
    promptTokenCount: less(inputTotal, toolInput),
    cachedContentTokenCount: cacheRead,
    candidatesTokenCount: less(outputTotal, reasoning),
    thoughtsTokenCount: reasoning,
    toolUsePromptTokenCount: toolInput,
    totalTokenCount:
      inputTotal === undefined || outputTotal === undefined ? undefined : inputTotal + outputTotal,
  });
}

/** A part never exceeds its whole, whatever a host says. */
function less(total: number | undefined, part: number | undefined): number | undefined {
  return total === undefined ? undefined : Math.max(0, total - (part ?? 0));
}

function audioOf(details: Json | undefined): number | undefined {
  if (!isList(details)) return undefined;
  const audio = details.find((detail) => isObject(detail) && detail["modality"] === "AUDIO");
  return isObject(audio) ? number(audio["tokenCount"]) : undefined;
}

function number(value: Json | undefined): number | undefined {
  const tokens = count(value);
  return tokens === "insane" ? undefined : tokens;
}

function sane(value: unknown): number {
  const tokens = count(value);
  return tokens === undefined || tokens === "insane" ? 0 : tokens;
}

function count(value: unknown): number | "insane" | undefined {
  if (value === undefined || value === null) return undefined;
  const isCount = typeof value === "number" && Number.isInteger(value);
  return isCount && value >= 0 && value <= TOKENS_MAX ? value : "insane";
}
