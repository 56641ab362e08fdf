const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const FIRST_BYTES = 512;
/** Of the greatest number that is exact, seven bits a byte. */
const NUMBER_BYTES = 8;
const LENGTH_BYTES = 2;
const TEXT_MAX = 0xffff;
/** UTF-8 has at most three bytes for a unit of UTF-16. */
const UTF8_MAX = 3;

/** Writes numbers and texts one behind the other, each text once. */
export class BytesOut {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;
  /** Some ten texts an entry: looking through them is quicker than a map of them is made. */
  readonly #texts: string[] = [];

  /** A whole number from 0, seven bits a byte. */
  number(value: number): void {
    this.#reserve(NUMBER_BYTES);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A text, or the place of the same one before. @throws when it is longer than any name. */
  text(value: string): void {
    const known = this.#texts.indexOf(value) + 1;
    this.number(known);
    if (known > 0) return;
    this.#texts.push(value);
    this.#reserve(LENGTH_BYTES + value.length * UTF8_MAX);
    // The length goes before the bytes, and is known only after them: room is kept for it.
    const at = this.#length + LENGTH_BYTES;
    const written = this.#writeText(value, at);
    if (written > TEXT_MAX) throw new Error(`a text of ${written} bytes`);
    this.#bytes[this.#length] = written & 0xff;
    this.#bytes[this.#length + 1] = written >> 8;
    this.#length = at + written;
  }

  /** Begins anew in the same memory: views of it change. */
  reset(): void {
    this.#length = 0;
    this.#texts.length = 0;
  }

  /** The bytes so far, good until the next `reset`. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Names are mostly ASCII and short: then a loop is quicker than a call to the encoder. */
  #writeText(value: string, at: number): number {
    const bytes = this.#bytes;
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index);
      if (unit >= 0x80) return encoder.encodeInto(value, bytes.subarray(at)).written;
      bytes[at + index] = unit;
    }
    return value.length;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Reads what BytesOut wrote. @throws RangeError or TypeError when it did not write them. */
export class BytesIn {
  readonly #bytes: Uint8Array;
  #at = 0;
  readonly #texts: string[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; scale <= Number.MAX_SAFE_INTEGER; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number is too long");
  }

  text(): string {
    const known = this.number();
    if (known > 0) {
      const text = this.#texts[known - 1];
      if (text === undefined) throw new RangeError("a text is missing");
      return text;
    }
    const length = this.#byte() | (this.#byte() << 8);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("a text is cut off");
    const text = decoder.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    this.#texts.push(text);
    return text;
  }

  /** What was not read yet. */
  get rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }
  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new RangeError("the bytes end");
    return byte;
  }
}
