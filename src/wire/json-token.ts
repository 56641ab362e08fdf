import type { Bytes } from "../core/units.ts";
import { badEscape, badString, type JsonFault, unexpected } from "./json-fault.ts";

/** A document being scanned. The `skip` functions return the offset after what they read. */
export interface JsonText {
  readonly body: Uint8Array;
  /** The same memory four bytes at a time, from the aligned address at or before the body. */
  readonly words: Int32Array;
  /** Bytes between that address and the body. */
  readonly skew: number;
  readonly depthMax: number;
  /** Containers open around the value to be read next. */
  depth: number;
  /** The opening byte of each open container, by depth. */
  readonly open: Uint8Array;
  fault: JsonFault | undefined;
}

/** Returned in place of an offset once `fault` is set. */
export const FAILED = -1;

export const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_E = 0x65;

/** Strings up to this long are read byte by byte: most are names, and a longer start costs more. */
const NEAR = 24;

const TRUE = new TextEncoder().encode("true");
const FALSE = new TextEncoder().encode("false");
const NULL = new TextEncoder().encode("null");

/** Ready to scan. `body` must be valid UTF-8: nothing here looks at bytes above 0x7f. */
export function jsonText(body: Uint8Array, depthMax: number): JsonText {
  const skew = body.byteOffset & 3;
  const words = new Int32Array(body.buffer, body.byteOffset - skew, (skew + body.length) >> 2);
  const open = new Uint8Array(Math.min(depthMax, body.length));
  return { body, words, skew, depthMax, depth: 0, open, fault: undefined };
}

export function fail(text: JsonText, fault: JsonFault): number {
  text.fault = fault;
  return FAILED;
}

/** RFC 8259 §2: space, line feed, carriage return, tab. */
export function skipSpace(body: Uint8Array, start: Bytes): Bytes {
  let at = start;
  while (at < body.length) {
    const byte = body[at]!;
    if (byte > 0x20) break;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at++;
  }
  return at;
}

/** A string, from its opening quote. */
export function skipString(text: JsonText, start: Bytes): number {
  const { body } = text;
  const near = Math.min(start + 1 + NEAR, body.length);
  for (let at = start + 1; at < near; at++) {
    const byte = body[at]!;
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH || byte < 0x20) return skipRest(text, at);
  }
  return skipRest(text, near);
}

/** The rest of a string, four bytes a step where nothing special stands. */
function skipRest(text: JsonText, start: Bytes): number {
  const { body, words, skew } = text;
  let at = start;
  for (;;) {
    if (((at + skew) & 3) === 0) {
      let word = (at + skew) >> 2;
      while (word < words.length && isPlain(words[word]!)) word++;
      at = (word << 2) - skew;
    }
    const byte = at < body.length ? body[at]! : 0;
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) {
      at = skipEscape(text, at);
      if (at < 0) return at;
    } else if (byte < 0x20) {
      return fail(text, badString(body, at));
    } else {
      at++;
    }
  }
}

/**
 * Whether none of four bytes is a control character, a quote or a backslash. Flipping bit 1 puts
 * the quote beside the control characters; the rest is the usual "has a byte less than" test.
 */
function isPlain(word: number): boolean {
  const low = word ^ 0x02020202;
  const slash = word ^ 0x5c5c5c5c;
  const hits = ((low - 0x21212121) & ~low) | ((slash - 0x01010101) & ~slash);
  return (hits & 0x80808080) === 0;
}

/** RFC 8259 §7. A lone surrogate is valid grammar, so `\u` wants four digits and nothing more. */
function skipEscape(text: JsonText, start: Bytes): number {
  const { body } = text;
  switch (body[start + 1]) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return start + 2;
    case 0x75:
      for (let at = start + 2; at < start + 6; at++) {
        if (!isHexDigit(body[at] ?? 0)) return fail(text, badEscape(start));
      }
      return start + 6;
  }
  return fail(text, badEscape(start));
}

function isHexDigit(byte: number): boolean {
  const letter = byte | 0x20;
  return (byte >= ZERO && byte <= NINE) || (letter >= 0x61 && letter <= 0x66);
}

/** A number, `true`, `false` or `null`; anything else is no value. */
export function skipScalar(text: JsonText, start: Bytes): number {
  switch (text.body[start]) {
    case TRUE[0]:
      return skipWord(text, { start, word: TRUE });
    case FALSE[0]:
      return skipWord(text, { start, word: FALSE });
    case NULL[0]:
      return skipWord(text, { start, word: NULL });
  }
  return skipNumber(text, start);
}

function skipWord(
  text: JsonText,
  { start, word }: { readonly start: Bytes; readonly word: Uint8Array },
): number {
  const { body } = text;
  for (let index = 1; index < word.length; index++) {
    if (body[start + index] === word[index]) continue;
    const expected = `'${String.fromCharCode(...word)}'`;
    return fail(text, unexpected(body, { at: start + index, expected }));
  }
  return start + word.length;
}

/** RFC 8259 §6. */
function skipNumber(text: JsonText, start: Bytes): number {
  const { body } = text;
  const minus = body[start] === MINUS;
  const whole = minus ? start + 1 : start;
  let at = body[whole] === ZERO ? whole + 1 : skipDigits(body, whole);
  if (at === whole) {
    return fail(text, unexpected(body, { at, expected: minus ? "a digit" : "a value" }));
  }
  if (body[at] === POINT) {
    const digits = at + 1;
    at = skipDigits(body, digits);
    if (at === digits) return fail(text, unexpected(body, { at, expected: "a digit" }));
  }
  if (((body[at] ?? 0) | 0x20) === LOWER_E) {
    const sign = body[at + 1];
    const digits = sign === PLUS || sign === MINUS ? at + 2 : at + 1;
    at = skipDigits(body, digits);
    if (at === digits) return fail(text, unexpected(body, { at, expected: "a digit" }));
  }
  return at;
}

function skipDigits(body: Uint8Array, start: Bytes): Bytes {
  let at = start;
  while (at < body.length && body[at]! >= ZERO && body[at]! <= NINE) at++;
  return at;
}
