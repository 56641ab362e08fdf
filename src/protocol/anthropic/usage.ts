import type { Chunk } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import { foreignObject, parseForeign } from "../../wire/foreign.ts";

/** More than any answer has: a count above it is a mistake of the host. */
const TOKENS_MAX = 1e9;
const MARKER = Buffer.from('"usage"');
const searchBack = Buffer.prototype.lastIndexOf;
const BRACE = Buffer.from("{");
const BACKSLASH = 0x5c;

/** What this wire counts: input without what a cache read or kept. */
export interface Counts {
  readonly input?: number | undefined;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
  /** Part of `cacheWrite` that is kept for an hour. */
  readonly cacheWriteLong?: number | undefined;
  readonly output?: number | undefined;
  readonly thinking?: number | undefined;
}

/** Usage of a whole answer. It mostly stands last, so that the rest need not be built. */
export function readUsage(body: Chunk): Usage | undefined {
  const root = foreignObject(lastMembers(body) ?? parseForeign(body));
  return usageOfCounts(readCounts(root?.["usage"], undefined));
}

/**
 * What stands from the last `"usage"` to the end, as an object of its own: it parses only where
 * that is a member of the outermost object.
 */
function lastMembers(body: Chunk): unknown {
  const at: number = searchBack.call(body, MARKER);
  if (at <= 0 || body[at - 1] === BACKSLASH) return undefined;
  return parseForeign(Buffer.concat([BRACE, body.subarray(at)]));
}

/** Counts as `value` says them; what it leaves out stays as it was. */
export function readCounts(value: unknown, before: Counts | undefined): Counts | undefined {
  const said = foreignObject(value);
  if (said === undefined) return before;
  const details = foreignObject(said["output_tokens_details"]);
  const byTtl = foreignObject(said["cache_creation"]);
  return {
    input: sane(said["input_tokens"]) ?? before?.input,
    cacheRead: sane(said["cache_read_input_tokens"]) ?? before?.cacheRead,
    cacheWrite: sane(said["cache_creation_input_tokens"]) ?? before?.cacheWrite,
    cacheWriteLong: sane(byTtl?.["ephemeral_1h_input_tokens"]) ?? before?.cacheWriteLong,
    output: sane(said["output_tokens"]) ?? before?.output,
    thinking: sane(details?.["thinking_tokens"]) ?? before?.thinking,
  };
}

/** Every input token once; undefined when nothing one can bill was said. */
export function usageOfCounts(counts: Counts | undefined): Usage | undefined {
  if (counts === undefined) return undefined;
  const { input, cacheRead = 0, cacheWrite = 0, cacheWriteLong = 0, output, thinking = 0 } = counts;
  if (input === undefined && output === undefined) return undefined;
  return {
    inputTokens: (input ?? 0) + cacheRead + cacheWrite,
    outputTokens: output ?? 0,
    cacheReadTokens: cacheRead,
    cacheWriteTokens: cacheWrite || undefined,
    cacheWriteLongTokens: Math.min(cacheWriteLong, cacheWrite) || undefined,
    reasoningTokens: thinking,
  };
}

function sane(value: unknown): number | undefined {
  const isCount = typeof value === "number" && Number.isInteger(value);
  return isCount && value >= 0 && value <= TOKENS_MAX ? value : undefined;
}
