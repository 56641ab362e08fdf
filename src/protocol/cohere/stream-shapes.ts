import type { JsonObject } from "../ir/json.ts";
import type { Shape } from "./own.ts";

/** What every stream of this wire begins with: recorded 21 times of 21. */
export const FIRST_DELTA: JsonObject = {
  message: { role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] },
};
/** What each event but the first and the last has. */
export const INDEXED = { type: true, index: true } as const;
/** `message-start`. */
export const START: Shape = { type: true, id: "text", delta: true };
/** `content-start` and `content-delta`. */
export const CONTENT: Shape = {
  ...INDEXED,
  logprobs: true,
  delta: { message: { content: { type: true, text: "text", thinking: "text" } } },
};
/** `tool-call-start`; the call in it is read by itself. */
export const CALL_START: Shape = { ...INDEXED, delta: { message: { tool_calls: true } } };
/** `tool-call-delta`. */
export const CALL_DELTA: Shape = {
  ...INDEXED,
  delta: { message: { tool_calls: { function: { arguments: "text" } } } },
};
/** `tool-plan-delta`. */
export const PLAN: Shape = { type: true, delta: { message: { tool_plan: "text" } } };
/** `citation-start`; the citation in it is read by itself. */
export const CITATION: Shape = { ...INDEXED, delta: { message: { citations: true } } };
/** `message-end`. */
export const END: Shape = { type: true, delta: { finish_reason: "text", usage: true } };
/** An event of a content this build does not know. */
export const ANY_DELTA: Shape = { ...INDEXED, delta: true };
