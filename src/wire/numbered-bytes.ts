import type { Bytes } from "../core/units.ts";
import { memberValue } from "./json-look.ts";

/** A number in the bytes: where its digits begin and where they end. */
interface Digits {
  readonly start: Bytes;
  readonly end: Bytes;
}

/** What is longer is no count, and nine digits are a small integer to the engine. */
const DIGITS_MAX = 9;
/** Up to here a loop is done before a native call has begun. */
const NEAR: Bytes = 32;
const ZERO = 0x30;
const NINE = 0x39;
const POINT = 0x2e;
const LOWER_E = 0x65;

const search = Buffer.prototype.indexOf;
const compare = Buffer.prototype.compare;

/** Bytes that come again and again, where only the numbers of some members in them change. */
export class NumberedBytes {
  readonly #first: Uint8Array;
  /** What follows each number. */
  readonly #rest: readonly Uint8Array[];
  #numbers: number[];
  #found: number[];

  /** `counters`: the quoted names of the members whose numbers may change. Keeps `bytes`. */
  constructor(bytes: Uint8Array, counters: readonly Uint8Array[]) {
    const digits = digitsIn(bytes, counters);
    this.#first = bytes.subarray(0, digits[0]?.start);
    this.#rest = digits.map(({ end }, index) => bytes.subarray(end, digits[index + 1]?.start));
    this.#numbers = digits.map(() => 0);
    this.#found = [...this.#numbers];
  }

  /** Where they end if they stand at `start`; -1 if they do not. */
  endOf(bytes: Uint8Array, start: Bytes, end: Bytes): number {
    const first = this.#first;
    const at = start + first.length;
    if (at > end || compare.call(bytes, first, 0, first.length, start, at) !== 0) return -1;
    return this.#numbers.length === 0 ? at : this.#endOfRest(bytes, at, end);
  }

  #endOfRest(bytes: Uint8Array, start: Bytes, end: Bytes): number {
    const rest = this.#rest;
    const found = this.#found;
    let at = start;
    for (let index = 0; index < rest.length; index++) {
      const digits = at;
      let number = 0;
      for (; at < end && at < digits + DIGITS_MAX && isDigit(bytes[at]!); at++) {
        number = number * 10 + (bytes[at]! - ZERO);
      }
      if (at === digits || (bytes[digits] === ZERO && at > digits + 1)) return -1;
      found[index] = number;
      const literal = rest[index]!;
      if (at + literal.length > end || !stands(literal, bytes, at)) return -1;
      at += literal.length;
    }
    return at;
  }

  /** Takes the numbers of the last `endOf` as those the bytes have now. */
  keep(): void {
    const kept = this.#numbers;
    this.#numbers = this.#found;
    this.#found = kept;
  }

  /** The bytes with the numbers kept last. */
  bytes(): Uint8Array {
    const rest = this.#rest.flatMap((literal, index) => [
      Buffer.from(String(this.#numbers[index])),
      literal,
    ]);
    return Buffer.concat([this.#first, ...rest]);
  }
}

function stands(literal: Uint8Array, bytes: Uint8Array, at: Bytes): boolean {
  const { length } = literal;
  if (length > NEAR) return compare.call(bytes, literal, 0, length, at, at + length) === 0;
  for (let index = 0; index < length; index++) {
    if (bytes[at + index] !== literal[index]) return false;
  }
  return true;
}

/** The counters' digits in their order; of a name that stands there twice, the first. */
function digitsIn(bytes: Uint8Array, counters: readonly Uint8Array[]): Digits[] {
  const all: Digits[] = [];
  for (const name of counters) {
    const at = search.call(bytes, name);
    const start = at < 0 ? -1 : memberValue(bytes, at + name.length);
    const end = start < 0 ? -1 : digitsEnd(bytes, start);
    if (end > start) all.push({ start, end });
  }
  return all.sort((a, b) => a.start - b.start);
}

/** Where a whole number ends; -1 when it is none, or too long a one. */
function digitsEnd(bytes: Uint8Array, start: Bytes): number {
  let end = start;
  while (end < bytes.length && isDigit(bytes[end]!)) end++;
  const next = bytes[end] ?? 0;
  const isWhole = next !== POINT && (next | 0x20) !== LOWER_E;
  return isWhole && end - start <= DIGITS_MAX ? end : -1;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
