import type { Bytes, Chunk } from "../core/units.ts";

/** As long as what ends an event may be, but for the byte that is not here yet. */
const BEFORE_BYTES: Bytes = 3;
const END = /(?:\r\n|\n|\r(?!\n)){2}/g;

/**
 * How many bytes of `chunk` end the event that `before` left open; undefined when they do not:
 * WHATWG HTML §9.2.6.
 */
export function eventEnd(before: Chunk, chunk: Chunk): Bytes | undefined {
  const tail = before.subarray(-BEFORE_BYTES);
  const text = Buffer.concat([tail, chunk]).toString("latin1");
  for (const { index, 0: found } of text.matchAll(END)) {
    const end = index + found.length - tail.byteLength;
    if (end > 0) return end;
  }
  return undefined;
}
