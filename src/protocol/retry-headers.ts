import type { WireError } from "./wire-error.ts";

/**
 * The headers by which the vendors' SDKs decide whether to try again: `retry-after` in whole
 * seconds (RFC 9110 §10.2.3), `retry-after-ms` and `x-should-retry` as OpenAI and Anthropic do.
 */
export function retryHeaders(error: WireError): Record<string, string> {
  const all: Record<string, string> = { ...error.headers };
  if (error.retryAfterMs !== undefined) {
    const ms = Math.max(1, Math.ceil(error.retryAfterMs));
    all["retry-after"] = String(Math.ceil(ms / 1000));
    all["retry-after-ms"] = String(ms);
  }
  if (error.shouldRetry !== undefined) all["x-should-retry"] = String(error.shouldRetry);
  return all;
}
