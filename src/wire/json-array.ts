import type { Bytes, Chunk } from "../core/units.ts";

/** One element as bytes: nothing was decoded, and usually nothing was copied. */
export interface JsonElement {
  /** The value stands from `start` to `end`. Read it before the callback returns, or copy it. */
  readonly bytes: Uint8Array;
  readonly start: Bytes;
  readonly end: Bytes;
  /** Larger than the cap: nothing of it was kept. */
  readonly oversize: boolean;
}
export interface JsonArrayOptions {
  readonly onElement: (element: JsonElement) => void;
  readonly elementBytesMax?: Bytes;
}

/** Where in the document the next byte stands. */
type Place =
  /** Before the outermost value. */
  | "before"
  /** In the array, between its elements. */
  | "between"
  /** In an object, a list or a string. */
  | "inside"
  /** In a number or a word, which ends where something else begins. */
  | "scalar"
  /** Behind the outermost value. */
  | "behind"
  /** No JSON: nothing more is looked for. */
  | "lost";

const ELEMENT_BYTES_MAX: Bytes = 1 << 20;
const HELD_BYTES_MIN: Bytes = 1024;
const HELD_BYTES_KEPT: Bytes = 1 << 16;
const NOTHING = new Uint8Array(0);
const BYTE_ORDER_MARK = new Set([0xef, 0xbb, 0xbf]);
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Cuts a streamed JSON array into its elements, however it was cut into chunks. A document that is
 * no array is its own only element: so errors come where a stream was asked for.
 *
 * Only brackets and strings are looked at; whether an element is JSON is for its parser to say.
 */
export class JsonArrayScanner {
  readonly #onElement: (element: JsonElement) => void;
  readonly #elementBytesMax: Bytes;
  #place: Place = "before";
  #isArray = false;
  /** Containers of the element that are open. */
  #depth = 0;
  #inString = false;
  /** The string so far ends in a backslash that escapes what comes next. */
  #isEscaping = false;
  /** What came of the element in earlier chunks. */
  #held: Chunk = NOTHING;
  #heldBytes: Bytes = 0;
  #isOversize = false;

  constructor(options: JsonArrayOptions) {
    this.#onElement = options.onElement;
    this.#elementBytesMax = options.elementBytesMax ?? ELEMENT_BYTES_MAX;
  }

  /** The outermost value was read to its end. */
  get isClosed(): boolean {
    return this.#place === "behind";
  }

  feed(chunk: Chunk): void {
    let at = 0;
    // Where the element that the last byte of the chunk may stand in began.
    let from = 0;
    while (at < chunk.length) {
      switch (this.#place) {
        case "before":
        case "between":
          at = this.#seek(chunk, at);
          from = at;
          break;
        case "inside":
          at = this.#walk(chunk, at);
          if (this.#depth === 0 && !this.#inString) this.#report(chunk, from, at);
          break;
        case "scalar":
          at = scalarEnd(chunk, at);
          if (at < chunk.length) this.#report(chunk, from, at);
          break;
        case "behind":
        case "lost":
          return;
      }
    }
    if (this.#place === "inside" || this.#place === "scalar") this.#hold(chunk, from, at);
  }

  /** Reports a number or word that only the end of the transport ended. Call once. */
  end(): void {
    if (this.#place === "scalar" && !this.#isArray) this.#report(NOTHING, 0, 0);
  }

  /** Steps over what stands between values; stops at the first byte of one. */
  #seek(chunk: Chunk, start: Bytes): Bytes {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte <= 0x20) continue;
      if (this.#place === "before" && BYTE_ORDER_MARK.has(byte)) continue;
      if (byte === COMMA && this.#isArray) continue;
      if (byte === CLOSE_BRACKET && this.#isArray) {
        this.#place = "behind";
        return at + 1;
      }
      if (byte === BRACKET && this.#place === "before") {
        this.#isArray = true;
        this.#place = "between";
        continue;
      }
      this.#place = placeOf(byte);
      return at;
    }
    return chunk.length;
  }

  /** Walks through an element's brackets and strings up to its end, or the chunk's. */
  #walk(chunk: Chunk, start: Bytes): Bytes {
    let at = start;
    while (at < chunk.length) {
      if (this.#inString) {
        at = this.#walkString(chunk, at);
        if (this.#inString) return at;
      } else {
        const byte = chunk[at++]!;
        if (byte === QUOTE) this.#inString = true;
        else if (byte === BRACE || byte === BRACKET) this.#depth++;
        else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#depth--;
        else continue;
      }
      if (this.#depth <= 0 && !this.#inString) return at;
    }
    return at;
  }

  /** From inside a string to behind its closing quote, natively from quote to quote. */
  #walkString(chunk: Chunk, start: Bytes): Bytes {
    let from = start;
    if (this.#isEscaping) {
      this.#isEscaping = false;
      from++;
    }
    for (;;) {
      const quote = from < chunk.length ? chunk.indexOf(QUOTE, from) : -1;
      const end = quote < 0 ? chunk.length : quote;
      let first = end;
      while (first > from && chunk[first - 1] === BACKSLASH) first--;
      const isEscaped = (end - first) % 2 === 1;
      if (quote < 0) {
        this.#isEscaping = isEscaped;
        return chunk.length;
      }
      from = quote + 1;
      if (isEscaped) continue;
      this.#inString = false;
      return from;
    }
  }

  #report(chunk: Chunk, start: Bytes, end: Bytes): void {
    if (this.#heldBytes === 0 && !this.#isOversize) {
      const oversize = end - start > this.#elementBytesMax;
      this.#onElement(oversize ? OVERSIZE : { bytes: chunk, start, end, oversize });
    } else {
      this.#hold(chunk, start, end);
      const bytes = this.#held.subarray(0, this.#heldBytes);
      const whole = { bytes, start: 0, end: bytes.length, oversize: false };
      this.#onElement(this.#isOversize ? OVERSIZE : whole);
    }
    if (this.#held.length > HELD_BYTES_KEPT) this.#held = NOTHING;
    this.#heldBytes = 0;
    this.#isOversize = false;
    this.#depth = 0;
    this.#place = this.#isArray ? "between" : "behind";
  }

  #hold(chunk: Chunk, start: Bytes, end: Bytes): void {
    if (this.#isOversize) return;
    const needed = this.#heldBytes + end - start;
    if (needed > this.#elementBytesMax) {
      this.#isOversize = true;
      this.#held = NOTHING;
      this.#heldBytes = 0;
      return;
    }
    if (needed > this.#held.length) {
      const grown = new Uint8Array(Math.max(needed, this.#held.length * 2, HELD_BYTES_MIN));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(chunk.subarray(start, end), this.#heldBytes);
    this.#heldBytes = needed;
  }
}

const OVERSIZE: JsonElement = { bytes: NOTHING, start: 0, end: 0, oversize: true };

/** Where one stands at the first byte of a value. */
function placeOf(byte: number): Place {
  if (byte === BRACE || byte === BRACKET || byte === QUOTE) return "inside";
  const isWord = byte >= 0x61 && byte <= 0x7a; // `true`, `false`, `null`
  const isNumber = byte === 0x2d || (byte >= 0x30 && byte <= 0x39);
  return isWord || isNumber ? "scalar" : "lost";
}

function scalarEnd(chunk: Chunk, start: Bytes): Bytes {
  let at = start;
  while (at < chunk.length && !isScalarEnd(chunk[at]!)) at++;
  return at;
}

function isScalarEnd(byte: number): boolean {
  return byte <= 0x20 || byte === COMMA || byte === CLOSE_BRACKET;
}
