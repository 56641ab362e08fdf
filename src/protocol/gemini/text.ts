import type { Bytes } from "../../core/units.ts";
import { type Foreign, foreignList, foreignObject } from "../../wire/foreign.ts";

/** The members generated text stands in: nearly always in this one. */
export const TEXT_NAMES = ["text"] as const;

/** Deeper than any arguments; what is below counts nothing. */
const DEPTH_MAX = 64;
/** About what a number or a word takes. */
const SCALAR_BYTES: Bytes = 4;

/** UTF-8 bytes of what a chunk adds to its answer: text, thoughts, arguments, code. */
export function textBytesOf(chunk: Foreign): Bytes {
  let length = 0;
  for (const value of foreignList(chunk["candidates"])) {
    const content = foreignObject(foreignObject(value)?.["content"]);
    for (const part of foreignList(content?.["parts"])) length += partBytes(part);
  }
  return length;
}

function partBytes(value: unknown): Bytes {
  const part = foreignObject(value);
  if (part === undefined) return 0;
  const text = part["text"];
  if (typeof text === "string") return Buffer.byteLength(text);
  const call = foreignObject(part["functionCall"]);
  if (call !== undefined) return valueBytes(call["args"], 0) + valueBytes(call["partialArgs"], 0);
  return valueBytes(foreignObject(part["executableCode"])?.["code"], 0);
}

/** About as many bytes as the value takes as JSON. */
function valueBytes(value: unknown, depth: number): Bytes {
  if (typeof value === "string") return Buffer.byteLength(value) + 2;
  if (typeof value !== "object" || value === null) return value === undefined ? 0 : SCALAR_BYTES;
  if (depth === DEPTH_MAX) return 0;
  let length = 2;
  for (const [name, inner] of Object.entries(value)) {
    length += (Array.isArray(value) ? 0 : name.length + 3) + valueBytes(inner, depth + 1) + 1;
  }
  return length;
}
