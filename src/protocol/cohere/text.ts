import type { Bytes } from "../../core/units.ts";
import { type Foreign, foreignObject, foreignText } from "../../wire/foreign.ts";

/** The members generated text stands in, the most likely first. */
export const TEXT_NAMES = ["text", "thinking", "tool_plan", "arguments"] as const;

/** UTF-8 bytes of what an event adds to its answer: text, thinking, plan, arguments. */
export function textBytesOf(event: Foreign): Bytes {
  const message = foreignObject(foreignObject(event["delta"])?.["message"]);
  if (message === undefined) return 0;
  const content = foreignObject(message["content"]);
  const call = foreignObject(foreignObject(message["tool_calls"])?.["function"]);
  return (
    bytesOf(content?.["text"]) +
    bytesOf(content?.["thinking"]) +
    bytesOf(message["tool_plan"]) +
    bytesOf(call?.["arguments"])
  );
}

function bytesOf(value: unknown): Bytes {
  const text = foreignText(value);
  return text === undefined ? 0 : Buffer.byteLength(text);
}
