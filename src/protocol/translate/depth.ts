import type { Chunk } from "../../core/units.ts";

/** Deeper than what vendors write, and far from where a recursive printer ends: ir.md §4 rule 4. */
const DEPTH_MAX = 512;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `[` and `{` differ in one bit, as `]` and `}` do. */
const CASE_BIT = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Whether a JSON text is nested deeper than is safe to read. Of other texts it says anything. */
export function isDeep(json: Chunk): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]!;
    if (byte === QUOTE) {
      at = stringEnd(json, at + 1);
    } else if ((byte | CASE_BIT) === OPEN) {
      depth++;
      if (depth > DEPTH_MAX) return true;
    } else if ((byte | CASE_BIT) === CLOSE) {
      depth--;
    }
  }
  return false;
}

/** Where the string ends that begins at `from`: its closing quote. */
function stringEnd(json: Chunk, from: number): number {
  let at = from;
  for (;;) {
    const quote = json.indexOf(QUOTE, at);
    if (quote < 0) return json.length;
    let before = quote - 1;
    while (before >= from && json[before] === BACKSLASH) before--;
    if ((quote - before) % 2 === 1) return quote;
    at = quote + 1;
  }
}
