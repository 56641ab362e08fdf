import type { Usage } from "../../core/usage.ts";
import { type Foreign, foreignObject, foreignText, parseForeign } from "../../wire/foreign.ts";
import { usageOf } from "./usage.ts";

/** The one event of `/invoke-with-response-stream`. */
export const CHUNK_EVENT = "chunk";

/** The model's own event in a chunk, which holds base64 of JSON; undefined when it holds none. */
export function invokedEvent(payload: Foreign): Foreign | undefined {
  const bytes = foreignText(payload["bytes"]);
  return bytes === undefined
    ? undefined
    : foreignObject(parseForeign(Buffer.from(bytes, "base64")));
}

/** What Bedrock adds to the last event of a stream: protocols.md §2. */
const METRICS = "amazon-bedrock-invocationMetrics";

/** The counts of an invoked stream; undefined until its last event. */
export function invokedUsage(event: Foreign): Usage | undefined {
  return usageOf(event[METRICS]);
}

/**
 * Whether an event is the last that says anything: the metrics are in it, or it is Claude's or
 * Nova's own end. A guardrail that steps in answers with one event that has neither.
 */
export function isInvokedEnd(event: Foreign): boolean {
  return (
    event[METRICS] !== undefined ||
    event["type"] === "message_stop" ||
    event["messageStop"] !== undefined ||
    event["amazon-bedrock-guardrailAction"] === "INTERVENED"
  );
}
