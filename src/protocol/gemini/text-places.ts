import type { Bytes } from "../../core/units.ts";

/** Bytes between two marks, and so the most that one look-up walks. */
const STEP: Bytes = 256;

/**
 * Where the characters of a text stand in its UTF-8: Gemini counts bytes (protocols.md finding 23),
 * the representation code points. Half a surrogate pair counts as the U+FFFD it becomes.
 */
export class TextPlaces {
  readonly #bytes: Buffer;
  /** Code points before every `STEP`th byte; undefined where each byte is one. */
  readonly #marks: Uint32Array | undefined;
  readonly codePoints: number;

  constructor(text: string) {
    this.#bytes = Buffer.from(text);
    if (this.#bytes.length === text.length) {
      this.codePoints = text.length;
      return;
    }
    const marks = new Uint32Array(Math.ceil(this.#bytes.length / STEP) + 1);
    let count = 0;
    for (const [at, byte] of this.#bytes.entries()) {
      if (at % STEP === 0) marks[at / STEP] = count;
      if (startsCharacter(byte)) count++;
    }
    marks[marks.length - 1] = count;
    this.#marks = marks;
    this.codePoints = count;
  }

  get byteLength(): Bytes {
    return this.#bytes.length;
  }

  /** How many characters begin before a byte. */
  codePointOf(byte: Bytes): number {
    if (this.#marks === undefined) return byte;
    let at = Math.floor(byte / STEP) * STEP;
    let count = this.#marks[at / STEP]!;
    for (; at < byte; at++) if (startsCharacter(this.#bytes[at]!)) count++;
    return count;
  }

  /** Where a character begins; the text's end for the one behind its last. */
  byteOf(codePoint: number): Bytes {
    if (this.#marks === undefined) return codePoint;
    if (codePoint >= this.codePoints) return this.#bytes.length;
    let low = 0;
    let high = this.#marks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#marks[middle]! <= codePoint) low = middle;
      else high = middle - 1;
    }
    let at = low * STEP;
    let count = this.#marks[low]!;
    for (; at < this.#bytes.length; at++) {
      if (!startsCharacter(this.#bytes[at]!)) continue;
      if (count === codePoint) return at;
      count++;
    }
    return this.#bytes.length;
  }

  /** The text between two bytes. */
  slice(start: Bytes, end: Bytes): string {
    return this.#bytes.toString("utf8", start, end);
  }

  /** Where another text stands; -1 when it does not. */
  find(text: string): Bytes {
    return text === "" ? -1 : this.#bytes.indexOf(text);
  }

  /** Whether a text stands between two bytes; looks at no more than its own length. */
  holds(text: string, start: Bytes, end: Bytes): boolean {
    return end - start <= text.length * 3 && this.slice(start, end) === text;
  }
}

function startsCharacter(byte: number): boolean {
  return (byte & 0xc0) !== 0x80;
}

/** Where in a rising list the last number stands that is not above `value`; -1 when none is. */
export function lastAtMost(rising: readonly number[], value: number): number {
  let low = -1;
  let high = rising.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rising[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
