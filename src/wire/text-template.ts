import type { Bytes } from "../core/units.ts";
import { isNothing, memberValue } from "./json-look.ts";
import { QUOTE } from "./json-token.ts";
import type { SseFrame } from "./sse-block.ts";

/** The members a template looks for, prepared once for many streams. */
export interface TemplateNames {
  readonly texts: readonly Uint8Array[];
  readonly telling: readonly Uint8Array[];
  /** Whether a telling name begins with a byte. */
  readonly isSuspect: Uint8Array;
}

const PREFIX_BYTES_MAX: Bytes = 4096;
/** A stream whose events never begin alike is asked again only this often. */
const MISSES_MAX = 16;
const NOTHING = new Uint8Array(0);
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
/** What `\uXXXX` mostly stands for beyond ASCII: a character of three UTF-8 bytes. */
const ESCAPED_BYTES: Bytes = 3;

const search = Buffer.prototype.indexOf;
const compare = Buffer.prototype.compare;

/**
 * `texts`: members that hold generated text, the most likely first. `telling`: members for which an
 * event must be parsed, unless they hold nothing.
 */
export function templateNames(names: {
  readonly texts: readonly string[];
  readonly telling: readonly string[];
}): TemplateNames {
  const texts = names.texts.map((name) => Buffer.from(`"${name}"`));
  const telling = names.telling.map((name) => Buffer.from(`"${name}"`));
  const isSuspect = new Uint8Array(256);
  for (const name of telling) isSuspect[name[1]!] = 1;
  return { texts, telling, isSuspect };
}

/**
 * Knows the events of a stream that are like one already parsed but for one text in them, which is
 * most of them, at a fraction of a parse. What it lets pass has no telling member, in any spelling.
 */
export class TextTemplate {
  readonly #names: TemplateNames;
  /** An event's data from its start to the opening quote of its text. */
  #prefix: Uint8Array = NOTHING;
  #misses = 0;

  constructor(names: TemplateNames) {
    this.#names = names;
  }

  /** The UTF-8 length of the one text in `frame`; -1 when the event must be parsed. */
  textBytes({ bytes, start, end }: SseFrame): number {
    const prefix = this.#prefix;
    const from = start + prefix.length;
    if (from === start || from > end) return -1;
    if (compare.call(bytes, prefix, 0, prefix.length, start, from) !== 0) return -1;
    let length = 0;
    let at = from;
    for (; at < end && bytes[at] !== QUOTE; length++) {
      if (bytes[at] !== BACKSLASH) {
        at++;
      } else if (bytes[at + 1] === LOWER_U) {
        length += ESCAPED_BYTES - 1;
        at += 6;
      } else {
        at += 2;
      }
    }
    if (!this.#isPlain(bytes, at + 1, end)) return -1;
    this.#misses = 0;
    return length;
  }

  /** Takes an event that had to be parsed as the one that others are like, if it can be. */
  learn(frame: SseFrame): void {
    if (this.#misses++ >= MISSES_MAX && this.#misses % MISSES_MAX !== 0) return;
    const { bytes, start, end } = frame;
    const text = this.#textStart(bytes.subarray(start, end));
    if (text < 0 || text > PREFIX_BYTES_MAX) return;
    if (!this.#isPlain(bytes, start, start + text - 1)) return;
    this.#prefix = bytes.slice(start, start + text);
    if (this.textBytes(frame) < 0) this.#prefix = NOTHING;
  }

  /** Where the first text with something in it begins, behind its quote; -1 when there is none. */
  #textStart(data: Uint8Array): number {
    for (const name of this.#names.texts) {
      const at = search.call(data, name);
      const value = at < 0 ? -1 : memberValue(data, at + name.length);
      if (value >= 0 && data[value] === QUOTE && data[value + 1] !== QUOTE) return value + 1;
    }
    return -1;
  }

  /** Whether nothing telling stands there. A backslash could spell a name in another way. */
  #isPlain(bytes: Uint8Array, start: Bytes, end: Bytes): boolean {
    const { isSuspect } = this.#names;
    for (let at = start; at < end; at++) {
      const byte = bytes[at];
      if (byte === BACKSLASH) return false;
      if (byte !== QUOTE || isSuspect[bytes[at + 1]!] !== 1) continue;
      if (this.#tells(bytes, at)) return false;
    }
    return true;
  }

  #tells(bytes: Uint8Array, at: Bytes): boolean {
    for (const name of this.#names.telling) {
      if (!stands(name, bytes, at)) continue;
      const value = memberValue(bytes, at + name.length);
      return value < 0 || !isNothing(bytes, value); // As a value it may tell, too.
    }
    return false;
  }
}

function stands(name: Uint8Array, bytes: Uint8Array, at: Bytes): boolean {
  for (let index = 1; index < name.length; index++) {
    if (bytes[at + index] !== name[index]) return false;
  }
  return true;
}
