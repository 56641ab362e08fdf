import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";

/** The text part of an answer: all members that the SDK's type wants. */
export function outputText(
  text: string,
  annotations: readonly Json[],
  logprobs: readonly Json[],
): JsonObject {
  return { type: "output_text", annotations, logprobs, text };
}

/** The refusal part of an answer. */
export function refusalPart(refusal: string): JsonObject {
  return { type: "refusal", refusal };
}

/** One part of a reasoning item's summary. */
export function summaryPart(text: string): JsonObject {
  return { type: "summary_text", text };
}

/** One part of a reasoning item's content. */
export function reasoningPart(text: string): JsonObject {
  return { type: "reasoning_text", text };
}

/** Whether an item is still being written. */
export type ItemStatus = "in_progress" | "completed" | "incomplete";

/** A message of an answer. */
export function messageItem(message: {
  readonly id: string;
  readonly status: ItemStatus;
  readonly phase: string | undefined;
  readonly content: readonly JsonObject[];
}): JsonObject {
  const { id, status, phase, content } = message;
  return compact({ id, type: "message", status, content, phase, role: "assistant" });
}

/** A reasoning item of an answer. */
export function reasoningItem(reasoning: {
  readonly id: string;
  readonly summary: readonly JsonObject[];
  readonly content: readonly JsonObject[];
  readonly sealed: string | undefined;
}): JsonObject {
  const { id, summary, content, sealed } = reasoning;
  const said = content.length === 0 ? undefined : content;
  return compact({ id, type: "reasoning", summary, content: said, encrypted_content: sealed });
}

/** A call of a function or of a custom tool in an answer. */
export function callItem(call: {
  readonly id: string;
  readonly callId: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly freeform: boolean;
  readonly args: string;
  readonly status: ItemStatus;
}): JsonObject {
  const { id, callId, name, namespace, freeform, args, status } = call;
  const type = freeform ? "custom_tool_call" : "function_call";
  const text = freeform ? { input: args } : { arguments: args };
  return compact({ id, type, status, ...text, call_id: callId, name, namespace });
}
