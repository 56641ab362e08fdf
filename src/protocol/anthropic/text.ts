import type { Bytes } from "../../core/units.ts";
import { type Foreign, foreignObject, foreignText } from "../../wire/foreign.ts";

/** The members generated text stands in, the most likely first. */
export const TEXT_NAMES = ["text", "partial_json", "thinking"] as const;

/** UTF-8 bytes of what an event adds to its answer: text, thinking, arguments. */
export function textBytesOf(event: Foreign): Bytes {
  const place = foreignObject(event["delta"]) ?? foreignObject(event["content_block"]);
  let length = 0;
  for (const name of TEXT_NAMES) {
    const text = foreignText(place?.[name]);
    if (text !== undefined) length += Buffer.byteLength(text);
  }
  return length;
}
