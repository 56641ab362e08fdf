import type { Bytes } from "../core/units.ts";
import { memberValue } from "./json-look.ts";
import { QUOTE } from "./json-token.ts";

/** Members of the name elsewhere that are stepped over before the search is given up. */
const TRIES_MAX = 8;
const BACKSLASH = 0x5c;
const BRACE = 0x7b;
const BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

const searchBack = Buffer.prototype.lastIndexOf;

/** Which member's value is looked for. */
export interface TailMember {
  /** In its quotes. */
  readonly name: Uint8Array;
  /** Objects around it, the outermost one included. */
  readonly depth: number;
}

/**
 * The last member of a name and depth that holds an object, looked for from the end: what stands
 * before it is never read. Undefined where there is none, or the document does not close behind it.
 */
export function objectInTail(body: Uint8Array, member: TailMember): Uint8Array | undefined {
  const { name, depth } = member;
  let at = body.length;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    at = at === 0 ? -1 : searchBack.call(body, name, at - 1);
    if (at < 0) return undefined;
    const start = body[at - 1] === BACKSLASH ? -1 : memberValue(body, at + name.length);
    const end = body[start] === BRACE ? objectEnd(body, start, depth) : -1;
    if (end > 0) return body.subarray(start, end);
  }
  return undefined;
}

/** Where the object at `start` ends, if as many around it as wanted end with the body; else -1. */
function objectEnd(body: Uint8Array, start: Bytes, around: number): number {
  let depth = 0;
  let end = -1;
  for (let at = start; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === QUOTE) {
      at = stringEnd(body, at);
    } else if (byte === BRACE || byte === BRACKET) {
      depth++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
      if (depth === 0 && end < 0) end = at + 1;
      if (depth === -around) return isBlank(body, at + 1) ? end : -1;
    }
  }
  return -1;
}

/** The closing quote of the string that opens at `start`, natively from quote to quote. */
function stringEnd(body: Uint8Array, start: Bytes): Bytes {
  let at = start;
  for (;;) {
    at = body.indexOf(QUOTE, at + 1);
    if (at < 0) return body.length;
    let before = at - 1;
    while (body[before] === BACKSLASH) before--;
    if ((at - before) % 2 === 1) return at;
  }
}

function isBlank(body: Uint8Array, start: Bytes): boolean {
  for (let at = start; at < body.length; at++) if (body[at]! > 0x20) return false;
  return true;
}
