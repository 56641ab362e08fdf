import type { Bytes } from "../../core/units.ts";
import { type Foreign, foreignText } from "../../wire/foreign.ts";

/** The members generated text stands in, the most likely first. */
export const TEXT_NAMES = ["delta"] as const;

/** UTF-8 bytes of what an event adds to its answer: text, reasoning, arguments, refusal, code. */
export function textBytesOf(event: Foreign): Bytes {
  const text = foreignText(event["delta"]);
  return text === undefined ? 0 : Buffer.byteLength(text);
}
