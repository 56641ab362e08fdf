import type { Bytes } from "../core/units.ts";
import { isNothing, memberValue } from "./json-look.ts";
import { QUOTE } from "./json-token.ts";
import { NumberedBytes } from "./numbered-bytes.ts";
import type { SseFrame } from "./sse-block.ts";

/** The members a template looks for, prepared once for many streams. */
export interface TemplateNames {
  readonly texts: readonly Uint8Array[];
  readonly telling: readonly Uint8Array[] | "all";
  /** Whether a telling name begins with a byte. */
  readonly isSuspect: Uint8Array;
  readonly counters: readonly Uint8Array[];
}

/** The data of an event: JSON from `start` to `end`. */
export type EventData = Pick<SseFrame, "bytes" | "start" | "end">;

/** What stands before a text, and what stands behind it where that is kept. */
const SURROUNDINGS_BYTES_MAX: Bytes = 4096;
/** A stream whose events never begin alike is asked again only this often. */
const MISSES_MAX = 16;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const ZERO = 0x30;
const EIGHT = 0x38;
const LOWER_D = 0x64;

const search = Buffer.prototype.indexOf;

/**
 * `texts`: members that hold generated text, the most likely first. `telling`: members for which an
 * event must be parsed, unless they hold nothing; `all` when nothing but its text and counters may
 * differ from the event before. `counters`: members whose whole numbers change from event to event.
 */
export function templateNames(names: {
  readonly texts: readonly string[];
  readonly telling: readonly string[] | "all";
  readonly counters?: readonly string[];
}): TemplateNames {
  const telling = names.telling === "all" ? "all" : names.telling.map(quoted);
  const isSuspect = new Uint8Array(256);
  if (telling !== "all") for (const name of telling) isSuspect[name[1]!] = 1;
  const counters = (names.counters ?? []).map(quoted);
  return { texts: names.texts.map(quoted), telling, isSuspect, counters };
}

function quoted(name: string): Uint8Array {
  return Buffer.from(`"${name}"`);
}

/**
 * Knows the events of a stream that are like one already parsed but for one text in them, which is
 * most of them, at a fraction of a parse. What it lets pass has no telling member, in any spelling.
 */
export class TextTemplate {
  readonly #names: TemplateNames;
  /** An event's data from its start to the opening quote of its text. */
  #before: NumberedBytes | undefined;
  /** From the text's closing quote to the end, where every member tells. */
  #after: NumberedBytes | undefined;
  #textEnd: Bytes = 0;
  #misses = 0;

  constructor(names: TemplateNames) {
    this.#names = names;
  }

  /** The UTF-8 length of the one text in an event; -1 when the event must be parsed. */
  textBytes({ bytes, start, end }: EventData): number {
    const before = this.#before;
    if (before === undefined) return -1;
    const from = before.endOf(bytes, start, end);
    if (from < 0) return -1;
    const length = this.#measure(bytes, from, end);
    const after = this.#after;
    if (after === undefined) {
      if (!this.#isPlain(bytes, this.#textEnd + 1, end)) return -1;
    } else if (after.endOf(bytes, this.#textEnd, end) !== end) {
      return -1;
    } else {
      before.keep();
      after.keep();
    }
    this.#misses = 0;
    return length;
  }

  /**
   * Takes an event that had to be parsed as the one that others are like, if it can be. It cannot
   * where its texts come to other than `textBytes`: there is more in it than one text.
   */
  learn({ bytes, start, end }: EventData, textBytes?: Bytes): void {
    if (this.#misses++ >= MISSES_MAX && this.#misses % MISSES_MAX !== 0) return;
    const data = bytes.subarray(start, end);
    const text = this.#textStart(data);
    if (text < 0 || text > SURROUNDINGS_BYTES_MAX || !this.#isPlain(data, 0, text - 1)) return;
    const length = this.#measure(data, text, data.length);
    if (textBytes !== undefined && textBytes !== length) return;
    const { counters, telling } = this.#names;
    const textEnd = this.#textEnd;
    if (telling === "all") {
      if (data.length - textEnd > SURROUNDINGS_BYTES_MAX) return;
      this.#after = new NumberedBytes(data.slice(textEnd), counters);
    } else if (!this.#isPlain(data, textEnd + 1, data.length)) {
      return;
    }
    this.#before = new NumberedBytes(data.slice(0, text), counters);
    this.#misses = 0;
  }

  /** Knows no event any more: what was like the others would now say something else. */
  forget(): void {
    this.#before = this.#after = undefined;
  }

  /** The event that was like the others last, with an empty text. Only where every member tells. */
  lastEvent(): Uint8Array {
    const pieces = [this.#before, this.#after].flatMap((piece) => piece?.bytes() ?? []);
    return Buffer.concat(pieces);
  }

  /** The length of the text that begins at `start`, and where it ends. */
  #measure(bytes: Uint8Array, start: Bytes, end: Bytes): Bytes {
    let length = 0;
    let at = start;
    for (; at < end && bytes[at] !== QUOTE; length++) {
      if (bytes[at] !== BACKSLASH) {
        at++;
      } else if (bytes[at + 1] === LOWER_U) {
        length += escapedBytes(bytes, at + 2) - 1;
        at += 6;
      } else {
        at += 2;
      }
    }
    this.#textEnd = at;
    return length;
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
    const { telling } = this.#names;
    if (telling === "all") return false; // Then they are compared.
    for (const name of telling) {
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

/** What the four digits of a `\u` stand for takes in UTF-8, half a pair of surrogates two bytes. */
function escapedBytes(bytes: Uint8Array, digits: Bytes): Bytes {
  const second = bytes[digits + 1]!;
  if (bytes[digits] === ZERO) {
    if (second === ZERO) return bytes[digits + 2]! < EIGHT ? 1 : 2;
    return second < EIGHT ? 2 : 3;
  }
  return (bytes[digits]! | 0x20) === LOWER_D && second >= EIGHT ? 2 : 3;
}
