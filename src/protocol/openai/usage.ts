import type { Bytes, Chunk } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import { type Foreign, foreignList, foreignObject, parseForeign } from "../../wire/foreign.ts";
import { memberValue } from "../../wire/json-look.ts";

/** More than any answer has: a count above it is a mistake of the host. */
const TOKENS_MAX = 1e9;
/** Members called usage that are stepped over before the body is parsed whole. */
const NESTED_MAX = 8;
const MARKER = Buffer.from('"usage"');
const searchBack = Buffer.prototype.lastIndexOf;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Usage of a whole answer. It mostly stands last, so it is looked for from the end, and the rest
 * (for embeddings, megabytes of numbers) is never built.
 */
export function readUsage(body: Chunk): Usage | undefined {
  let at = body.length;
  for (let tries = 0; tries < NESTED_MAX; tries++) {
    at = at === 0 ? -1 : searchBack.call(body, MARKER, at - 1);
    if (at < 0) return undefined;
    const start = body[at - 1] === BACKSLASH ? -1 : memberValue(body, at + MARKER.length);
    const end = start < 0 ? -1 : topLevelEnd(body, start);
    if (end > 0) return usageOf(parseForeign(body.subarray(start, end)));
  }
  return usageOf(foreignObject(parseForeign(body))?.["usage"]);
}

/** Usage of one event of a stream: its own, or where Groq and Moonshot put theirs. */
export function usageOfEvent(event: Foreign): Usage | undefined {
  return (
    usageOf(event["usage"]) ??
    usageOf(foreignObject(event["x_groq"])?.["usage"]) ??
    usageOf(foreignObject(foreignList(event["choices"])[0])?.["usage"])
  );
}

/** Usage as OpenAI and those who copy it write it; undefined when it says nothing one can bill. */
export function usageOf(value: unknown): Usage | undefined {
  const said = foreignObject(value);
  if (said === undefined) return undefined;
  const input = count(said["prompt_tokens"]);
  const output = count(said["completion_tokens"]);
  if (input === undefined && output === undefined) return undefined;
  if (input === "insane" || output === "insane") return undefined;
  const counts = { input: input ?? 0, output: output ?? 0, total: countOf(said["total_tokens"]) };
  const cacheReadTokens = cacheReadOf(said);
  const reasoningTokens = reasoningOf(said);
  const inputTokens = inputOf(counts, cacheReadTokens);
  return {
    inputTokens,
    outputTokens: outputOf(counts, reasoningTokens),
    cacheReadTokens,
    cacheWriteTokens: Math.min(cacheWriteOf(said), inputTokens) || undefined,
    reasoningTokens,
  };
}

interface Counts {
  readonly input: number;
  readonly output: number;
  readonly total: number | undefined;
}

/** Grok on Azure counts cached tokens beside the prompt's: then they can exceed them. */
function inputOf({ input }: Counts, cacheRead: number): number {
  return cacheRead > input ? input + cacheRead : input;
}

/**
 * xAI leaves reasoning out of `completion_tokens` but not of the total; Vercel's Gemini leaves it
 * out of both, and bills it.
 */
function outputOf({ input, output, total }: Counts, reasoning: number): number {
  const isApart = reasoning > output || (reasoning > 0 && total === input + output + reasoning);
  return isApart ? output + reasoning : output;
}

/** OpenAI; DeepSeek; Moonshot and Together; Mistral. A host may leave one of two places at 0. */
function cacheReadOf(said: Foreign): number {
  const details = foreignObject(said["prompt_tokens_details"]);
  return Math.max(
    countOf(details?.["cached_tokens"]) ?? 0,
    countOf(said["prompt_cache_hit_tokens"]) ?? 0,
    countOf(said["cached_tokens"]) ?? 0,
    countOf(said["num_cached_tokens"]) ?? 0,
  );
}

/** OpenRouter; Vercel. */
function cacheWriteOf(said: Foreign): number {
  const details = foreignObject(said["prompt_tokens_details"]);
  return countOf(details?.["cache_write_tokens"] ?? said["cache_creation_input_tokens"]) ?? 0;
}

/** OpenAI; SGLang. */
function reasoningOf(said: Foreign): number {
  const details = foreignObject(said["completion_tokens_details"]);
  return Math.max(
    countOf(details?.["reasoning_tokens"]) ?? 0,
    countOf(said["reasoning_tokens"]) ?? 0,
  );
}

/** A sane count of tokens; undefined where there is none. */
export function countOf(value: unknown): number | undefined {
  const tokens = count(value);
  return tokens === "insane" ? undefined : tokens;
}

function count(value: unknown): number | "insane" | undefined {
  if (value === undefined || value === null) return undefined;
  const isCount = typeof value === "number" && Number.isInteger(value);
  return isCount && value >= 0 && value <= TOKENS_MAX ? value : "insane";
}

/** Where the value at `start` ends, if it is an object in the outermost one; else -1. */
function topLevelEnd(body: Uint8Array, start: Bytes): number {
  let depth = 0;
  let end = -1;
  for (let at = start; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === QUOTE) {
      at = stringEnd(body, at);
    } else if (byte === 0x7b || byte === 0x5b) {
      depth++;
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
      if (depth === 0 && end < 0) end = at + 1;
      if (depth < 0) return isBlank(body, at + 1) ? end : -1;
    }
    if (depth === 0 && end < 0) return -1;
  }
  return -1;
}

/** The closing quote of the string that opens at `start`, natively from quote to quote. */
function stringEnd(body: Uint8Array, start: Bytes): Bytes {
  let at = start;
  for (;;) {
    at = body.indexOf(QUOTE, at + 1);
    if (at < 0) return body.length;
    let before = at - 1;
    while (body[before] === BACKSLASH) before--;
    if ((at - before) % 2 === 1) return at;
  }
}

function isBlank(body: Uint8Array, start: Bytes): boolean {
  for (let at = start; at < body.length; at++) if (body[at]! > 0x20) return false;
  return true;
}
