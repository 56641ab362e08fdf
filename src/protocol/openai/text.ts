import type { Bytes } from "../../core/units.ts";
import { type Foreign, foreignList, foreignObject, foreignText } from "../../wire/foreign.ts";

/** The members generated text stands in, the most likely first. */
export const TEXT_NAMES = [
  "content",
  "reasoning_content",
  "reasoning",
  "arguments",
  "text",
  "refusal",
] as const;

/** UTF-8 bytes of what an event adds to its answer: text, reasoning, arguments, refusal. */
export function textBytesOf(event: Foreign): Bytes {
  let length = 0;
  for (const value of foreignList(event["choices"])) {
    const choice = foreignObject(value);
    const delta = foreignObject(choice?.["delta"]);
    // Together repeats the delta's content as the choice's text.
    length += delta === undefined ? bytesOf(choice?.["text"]) : deltaBytes(delta);
  }
  return length;
}

function deltaBytes(delta: Foreign): Bytes {
  const reasoning = bytesOf(delta["reasoning_content"]) || bytesOf(delta["reasoning"]);
  let length = bytesOf(delta["content"]) + bytesOf(delta["refusal"]) + reasoning;
  // Mistral writes content as a list of parts; some relays write reasoning as details only.
  for (const part of foreignList(delta["content"])) length += partBytes(part);
  if (reasoning === 0) {
    for (const detail of foreignList(delta["reasoning_details"])) length += partBytes(detail);
  }
  for (const call of [...foreignList(delta["tool_calls"]), { function: delta["function_call"] }]) {
    length += bytesOf(foreignObject(foreignObject(call)?.["function"])?.["arguments"]);
  }
  return length;
}

/** A part's text, and that of the parts in Mistral's part of type `thinking`. */
function partBytes(part: unknown): Bytes {
  const said = foreignObject(part);
  let length = bytesOf(said?.["text"]);
  for (const inner of foreignList(said?.["thinking"]))
    length += bytesOf(foreignObject(inner)?.["text"]);
  return length;
}

function bytesOf(value: unknown): Bytes {
  const text = foreignText(value);
  return text === undefined ? 0 : Buffer.byteLength(text);
}
