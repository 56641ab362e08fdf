import type { IrUsage } from "../ir/answer.ts";
import { isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import { countOf, usageOf } from "./usage.ts";

/** Usage in the one convention of the representation: protocols.md 4.3. */
export function readIrUsage(given: JsonObject): IrUsage {
  const usage = usageOf(given);
  const input = detailsOf(given, "prompt_tokens_details");
  const output = detailsOf(given, "completion_tokens_details");
  const raw = { openai: given };
  if (usage === undefined) return { raw };
  return {
    inputTotal: said(given["prompt_tokens"], usage.inputTokens),
    cacheRead: saidAny(usage.cacheReadTokens, [
      input?.["cached_tokens"],
      given["prompt_cache_hit_tokens"],
      given["cached_tokens"],
      given["num_cached_tokens"],
    ]),
    cacheWrite: countOf(input?.["cache_write_tokens"] ?? given["cache_creation_input_tokens"]),
    outputTotal: said(given["completion_tokens"], usage.outputTokens),
    reasoning: saidAny(usage.reasoningTokens, [
      output?.["reasoning_tokens"],
      given["reasoning_tokens"],
    ]),
    audioInput: countOf(input?.["audio_tokens"]),
    audioOutput: countOf(output?.["audio_tokens"]),
    raw,
  };
}

/** The count where the wire said one. */
function said(given: Json | undefined, count: number): number | undefined {
  return countOf(given) === undefined ? undefined : count;
}

function saidAny(count: number, places: readonly (Json | undefined)[]): number | undefined {
  return places.some((place) => countOf(place) !== undefined) ? count : undefined;
}

/** Usage as OpenAI writes it; what nobody counted is 0 where the type wants a number. */
export function writeIrUsage(usage: IrUsage, report: Report): JsonObject {
  const { inputTotal, outputTotal } = usage;
  const own = usage.raw.openai;
  if (own !== undefined) return own;
  if (inputTotal === undefined || outputTotal === undefined) {
    report({ code: "L-USAGE", path: "usage", action: "defaulted" });
  }
  const prompt = inputTotal ?? 0;
  const completion = outputTotal ?? 0;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...details("prompt_tokens_details", {
      cached_tokens: usage.cacheRead,
      cache_write_tokens: usage.cacheWrite,
      audio_tokens: usage.audioInput,
    }),
    ...details("completion_tokens_details", {
      reasoning_tokens: usage.reasoning,
      audio_tokens: usage.audioOutput,
    }),
  };
}

function details(
  name: string,
  counts: { readonly [name: string]: number | undefined },
): Record<string, JsonObject> {
  const known = Object.entries(counts).filter((entry): entry is [string, number] => {
    return entry[1] !== undefined;
  });
  return known.length === 0 ? {} : { [name]: Object.fromEntries(known) };
}

function detailsOf(given: JsonObject, name: string): JsonObject | undefined {
  const value = given[name];
  return isObject(value) ? value : undefined;
}
