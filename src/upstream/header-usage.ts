import type { Usage } from "../core/usage.ts";

const PREFIX = "x-amzn-bedrock-";
const TOKENS_MAX = 1e9;

/**
 * Usage as Bedrock tells it of a model whose own body has none, beside that body: protocols.md 2.
 * What a cache read or kept is not part of its input count.
 */
export function usageInHeaders(headers: Headers): Usage | undefined {
  const input = count(headers, "input");
  const output = count(headers, "output");
  if (input === undefined || output === undefined) return undefined;
  const cacheReadTokens = count(headers, "cache-read-input") ?? 0;
  const cacheWriteTokens = count(headers, "cache-write-input") ?? 0;
  return {
    inputTokens: input + cacheReadTokens + cacheWriteTokens,
    outputTokens: output,
    cacheReadTokens,
    cacheWriteTokens: cacheWriteTokens || undefined,
    reasoningTokens: 0,
  };
}

function count(headers: Headers, what: string): number | undefined {
  const text = headers.get(`${PREFIX}${what}-token-count`);
  if (text === null || !/^\d{1,10}$/.test(text)) return undefined;
  const tokens = Number(text);
  return tokens <= TOKENS_MAX ? tokens : undefined;
}
