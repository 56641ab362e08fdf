/** Token counts of one answer, as OpenTelemetry's GenAI conventions name them. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Part of `inputTokens` that was read from a prompt cache. */
  readonly cacheReadTokens: number;
  /** Part of `inputTokens` that was put into a prompt cache, at a price of its own. */
  readonly cacheWriteTokens?: number | undefined;
  /** Part of `cacheWriteTokens` that is kept for an hour instead of minutes. */
  readonly cacheWriteLongTokens?: number | undefined;
  /** Part of `outputTokens` spent on reasoning. */
  readonly reasoningTokens: number;
}

/** Who says so: the provider, our own count, or the provider about a part only. */
export type Provenance = "reported" | "estimated" | "partial";

export interface MeteredUsage extends Usage {
  readonly provenance: Provenance;
}
