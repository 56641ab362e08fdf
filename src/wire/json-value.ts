import type { Bytes } from "../core/units.ts";
import { type JsonFault, tooDeep, unexpected } from "./json-fault.ts";
import { fail, type JsonText, QUOTE, skipScalar, skipSpace, skipString } from "./json-token.ts";

export const COMMA = 0x2c;
export const BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
const BRACKET = 0x5b;
const COLON = 0x3a;
/** `}` and `]` stand this far after `{` and `[` in ASCII. */
const TO_CLOSE = 2;

/** One value of any kind. Loops where others recurse, so depth costs no stack. */
export function skipValue(text: JsonText, start: Bytes): number {
  const { body, open } = text;
  const outer = text.depth;
  let depth = outer;
  let at = start;
  for (;;) {
    const byte = at < body.length ? body[at]! : 0;
    if (byte === QUOTE) {
      at = skipString(text, at);
    } else if (byte === BRACE || byte === BRACKET) {
      if (depth >= text.depthMax) return fail(text, tooDeep(at, text.depthMax));
      at = skipSpace(body, at + 1);
      if (at >= body.length || body[at]! !== byte + TO_CLOSE) {
        open[depth++] = byte;
        if (byte === BRACE) at = skipName(text, at);
        if (at < 0) return at;
        continue;
      }
      at++;
    } else {
      at = skipScalar(text, at);
    }
    if (at < 0) return at;
    while (depth > outer) {
      at = skipSpace(body, at);
      const next = at < body.length ? body[at]! : 0;
      const container = open[depth - 1]!;
      if (next === COMMA) {
        at = skipSpace(body, at + 1);
        if (container === BRACE) at = skipName(text, at);
        if (at < 0) return at;
        break;
      }
      if (next !== container + TO_CLOSE) return fail(text, notClosed(text, at));
      depth--;
      at++;
    }
    if (depth === outer) return at;
  }
}

/** A member's name, its colon, and the space before its value. */
function skipName(text: JsonText, start: Bytes): number {
  const end = skipQuotedName(text, start);
  return end < 0 ? end : skipColon(text, end);
}

export function skipQuotedName(text: JsonText, start: Bytes): number {
  const { body } = text;
  if (start < body.length && body[start]! === QUOTE) return skipString(text, start);
  return fail(text, unexpected(body, { at: start, expected: "a name in double quotes" }));
}

export function skipColon(text: JsonText, start: Bytes): number {
  const { body } = text;
  const at = skipSpace(body, start);
  if (at < body.length && body[at]! === COLON) return skipSpace(body, at + 1);
  return fail(text, unexpected(body, { at, expected: "':'" }));
}

/** Neither a comma nor the container's end stands at `at`. */
export function notClosed(text: JsonText, at: Bytes): JsonFault {
  return unexpected(text.body, { at, expected: "',' or the end of the object or array" });
}
