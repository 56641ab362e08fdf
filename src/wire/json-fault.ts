import type { Bytes } from "../core/units.ts";

/** Why a document was refused, and where. */
export interface JsonFault {
  readonly kind: "syntax" | "utf8" | "depth" | "repeated" | "lookalike";
  readonly offset: Bytes;
  /** One clause, the offset in it, with at most one character of the document. */
  readonly reason: string;
  /** The wanted member at fault; undefined when the fault is the document's. */
  readonly path: string | undefined;
}

/** Something stands at `at` where the grammar wants `expected`. */
export function unexpected(
  body: Uint8Array,
  { at, expected }: { readonly at: Bytes; readonly expected: string },
): JsonFault {
  const what = at < body.length ? nameOf(body[at] ?? 0) : "end";
  return syntax(at, `unexpected ${what} at byte ${at}, expected ${expected}`);
}

/** The string ends at `at` without its quote: the document does, or a raw control character. */
export function badString(body: Uint8Array, at: Bytes): JsonFault {
  if (at >= body.length) return syntax(at, `string without an end at byte ${at}`);
  const what = nameOf(body[at] ?? 0);
  return syntax(at, `control character ${what} in a string at byte ${at}, escape it`);
}

/** The escape whose backslash stands at `at` is none of RFC 8259 §7. */
export function badEscape(at: Bytes): JsonFault {
  return syntax(at, `invalid escape at byte ${at}`);
}

/** The document starts with U+FEFF, which RFC 8259 §8.1 forbids a sender to add. */
export function byteOrderMark(): JsonFault {
  return syntax(0, "byte order mark at byte 0, send the JSON without it");
}

/** The container opened at `offset` is one too deep. */
export function tooDeep(offset: Bytes, depthMax: number): JsonFault {
  const reason = `nesting deeper than ${depthMax} at byte ${offset}`;
  return { kind: "depth", offset, reason, path: undefined };
}

/** A wanted member's name stands at `offset` again. */
export function repeated(path: string, offset: Bytes): JsonFault {
  return { kind: "repeated", offset, reason: `'${path}' again at byte ${offset}`, path };
}

/** A name at `offset` is spelt so that another parser may take it for a wanted one. */
export function lookalike(path: string, offset: Bytes): JsonFault {
  const reason = `another spelling of '${path}' at byte ${offset}`;
  return { kind: "lookalike", offset, reason, path };
}

/** The body is not UTF-8. Looks at every byte, so it is for refusals only. */
export function badUtf8(body: Uint8Array): JsonFault {
  const offset = firstIllFormed(body);
  const reason = `invalid UTF-8 at byte ${offset}`;
  return { kind: "utf8", offset, reason, path: undefined };
}

function syntax(offset: Bytes, reason: string): JsonFault {
  return { kind: "syntax", offset, reason, path: undefined };
}

function nameOf(byte: number): string {
  if (byte > 0x20 && byte < 0x7f) return `'${String.fromCharCode(byte)}'`;
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

/** Where the first ill-formed sequence starts: the Unicode Standard, table 3-7. */
function firstIllFormed(body: Uint8Array): Bytes {
  let at = 0;
  while (at < body.length) {
    const length = sequenceLength(body, at);
    if (length === 0) return at;
    at += length;
  }
  return at;
}

function sequenceLength(body: Uint8Array, at: Bytes): number {
  const lead = body[at] ?? 0;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  const second = body[at + 1] ?? 0;
  if (second < low || second > high) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (let next = at + 2; next < at + length; next++) {
    if (((body[next] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}
