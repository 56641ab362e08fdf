import type { Usage } from "../../core/usage.ts";

/**
 * Token counts that can be priced. `inputTokens` is every input token once, whatever the cache did
 * with it; `outputTokens` is every output token, reasoning among them.
 */
export interface BillableUsage extends Usage {
  /** Part of `inputTokens` that was put into a prompt cache. */
  readonly cacheWriteTokens: number;
  /** Part of `cacheWriteTokens` that is kept for an hour instead of five minutes. */
  readonly cacheWriteLongTokens: number;
}

/** A usage without words about cache writes has none. */
export function billable(usage: Usage): BillableUsage {
  return {
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    cacheReadTokens: usage.cacheReadTokens,
    cacheWriteTokens: usage.cacheWriteTokens ?? 0,
    cacheWriteLongTokens: usage.cacheWriteLongTokens ?? 0,
    reasoningTokens: usage.reasoningTokens,
  };
}

/** The kinds of token that have a price of their own. No token is of two of them. */
export interface TokenSplit {
  readonly input: bigint;
  readonly cacheRead: bigint;
  readonly cacheWrite: bigint;
  readonly cacheWriteLong: bigint;
  readonly output: bigint;
  readonly reasoning: bigint;
}

/**
 * Each token in exactly one kind. Parts that claim more than their whole are cut to it, the dearest
 * first, so that a provider's muddle never bills a token twice.
 */
export function splitTokens(usage: BillableUsage): TokenSplit {
  let inputLeft = tokensOf(usage.inputTokens);
  const take = (claimed: bigint): bigint => {
    const taken = claimed < inputLeft ? claimed : inputLeft;
    inputLeft -= taken;
    return taken;
  };
  const writes = tokensOf(usage.cacheWriteTokens);
  const longClaimed = tokensOf(usage.cacheWriteLongTokens);
  const long = longClaimed < writes ? longClaimed : writes;
  const cacheWriteLong = take(long);
  const cacheWrite = take(writes - long);
  const cacheRead = take(tokensOf(usage.cacheReadTokens));
  const outputAll = tokensOf(usage.outputTokens);
  const thought = tokensOf(usage.reasoningTokens);
  const reasoning = thought < outputAll ? thought : outputAll;
  return {
    input: inputLeft,
    cacheRead,
    cacheWrite,
    cacheWriteLong,
    output: outputAll - reasoning,
    reasoning,
  };
}

/** @throws when a count is no whole number: whoever made it has a bug. */
function tokensOf(count: number): bigint {
  return count > 0 ? BigInt(count) : 0n;
}

/** As nearly every usage is. */
function isConsistent(usage: BillableUsage): boolean {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
  const { cacheWriteLongTokens, reasoningTokens } = usage;
  const parts = [cacheReadTokens, cacheWriteTokens, cacheWriteLongTokens, reasoningTokens];
  return (
    parts.every((part) => part >= 0) &&
    cacheReadTokens + cacheWriteTokens <= inputTokens &&
    cacheWriteLongTokens <= cacheWriteTokens &&
    reasoningTokens <= outputTokens
  );
}

/** The same with no part greater than its whole, so that a sum splits as its terms do. */
export function consistent(usage: BillableUsage): BillableUsage {
  if (isConsistent(usage)) return usage;
  const split = splitTokens(usage);
  return {
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    cacheReadTokens: Number(split.cacheRead),
    cacheWriteTokens: Number(split.cacheWrite + split.cacheWriteLong),
    cacheWriteLongTokens: Number(split.cacheWriteLong),
    reasoningTokens: Number(split.reasoning),
  };
}
