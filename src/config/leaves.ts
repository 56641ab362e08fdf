import * as z from "zod/mini";
import type { Period } from "../core/limits.ts";
import { PERIOD_WORDS, readPeriod } from "../core/period-text.ts";

/** Reads one scalar; undefined means that it is not what was wanted. */
export type Reader<T> = (value: unknown) => T | undefined;

/** A reader and the words for what it wants, as they follow "expected". */
export interface Leaf<T> {
  readonly expected: string;
  readonly read: Reader<T>;
}

/** Longer texts than this are refused: no field needs them. */
const TEXT_LENGTH_MAX = 8192;
const DECIMAL = /^[+-]?(?:\d{1,15})(?:\.\d{1,9})?$/;

/** Over what time a budget counts. */
export const period: Leaf<Period> = {
  expected: `one of ${PERIOD_WORDS}`,
  read: (value) => (typeof value === "string" ? readPeriod(value) : undefined),
};

/** A number, or its decimal text: `"${PORT}"` is a text until somebody wants a number. */
function readNumber(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value === "string" && DECIMAL.test(value)) return Number(value);
  return undefined;
}

/** A whole number within bounds, both included. */
export function whole(min: number, max: number): Leaf<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    read(value) {
      const number = readNumber(value);
      if (number === undefined || !Number.isInteger(number)) return undefined;
      return number >= min && number <= max ? number : undefined;
    },
  };
}

/** One of a few numbers. */
export function oneOf<const N extends number>(...numbers: readonly N[]): Leaf<N> {
  return {
    expected: `one of ${numbers.join(", ")}`,
    read(value) {
      const number = readNumber(value);
      return numbers.find((known) => known === number);
    },
  };
}

/** A number within bounds, both included. */
export function decimal(min: number, max: number): Leaf<number> {
  return {
    expected: `a number from ${min} to ${max}`,
    read(value) {
      const number = readNumber(value);
      return number !== undefined && number >= min && number <= max ? number : undefined;
    },
  };
}

/** A TCP port. 0 is accepted too: the operating system then picks a free one. */
export const port: Leaf<number> = {
  expected: "a whole number from 1 to 65535",
  read: whole(0, 65535).read,
};

const UNSIGNED64_MAX = 2n ** 64n - 1n;

/** A number of 64 bits, as text: from 2 ** 53 on YAML's own numbers are no longer exact. */
export const unsigned64: Leaf<string> = {
  expected: "a whole number from 0 to 18446744073709551615, in quotes where it is large",
  read(value) {
    if (typeof value === "number") {
      return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
    }
    if (typeof value !== "string" || !/^\d{1,20}$/.test(value)) return undefined;
    const number = BigInt(value);
    return number <= UNSIGNED64_MAX ? String(number) : undefined;
  },
};

/** `true` or `false`. */
export const flag: Leaf<boolean> = {
  expected: "true or false",
  read(value) {
    if (typeof value === "boolean") return value;
    if (value === "true") return true;
    return value === "false" ? false : undefined;
  },
};

/** Any text that says something. */
export const text: Leaf<string> = {
  expected: "text",
  read(value) {
    if (typeof value !== "string" || value.length > TEXT_LENGTH_MAX) return undefined;
    return value.trim() === "" ? undefined : value;
  },
};

/** Any text, even an empty one, so that a later check can say more than "expected text". */
export const anyText: Leaf<string> = {
  expected: "text",
  read: (value) =>
    typeof value === "string" && value.length <= TEXT_LENGTH_MAX ? value : undefined,
};

/** A text of a certain form. */
export function form(expected: string, pattern: RegExp): Leaf<string> {
  return {
    expected,
    read: (value) => (typeof value === "string" && pattern.test(value) ? value : undefined),
  };
}

/** One of a few words. */
export function word<const W extends string>(...words: readonly W[]): Leaf<W> {
  return {
    expected: `one of ${words.join(", ")}`,
    read: (value) => words.find((known) => known === value),
  };
}

/** A whole number within bounds, or one certain word in its place. */
export function wholeOr<const W extends string>(bounds: Leaf<number>, other: W): Leaf<number | W> {
  return {
    expected: `${bounds.expected}, or ${other}`,
    // YAML readers disagree whether `off` is a text or `false`; both mean off.
    read: (value) =>
      value === other || (other === "off" && value === false) ? other : bounds.read(value),
  };
}

/** A scalar of the file. Absent is fine everywhere: what is required is decided by resolve. */
export function scalar<T>(leaf: Leaf<T>) {
  return z.optional(
    z.transform<unknown, T>((value, context) => {
      const read = leaf.read(value);
      if (read !== undefined) return read;
      context.issues.push({ code: "custom", message: leaf.expected, input: value });
      return z.NEVER;
    }),
  );
}

/** A block with fixed names. Anything else in it is an error; an empty one is as good as none. */
export function section<const S extends z.core.$ZodLooseShape>(shape: S) {
  return z.nullish(z.strictObject(shape));
}

/** Entries under names of the operator's choice. */
export function named<const S extends z.core.SomeType>(entry: S) {
  return z.nullish(z.record(z.string(), entry));
}

/**
 * A list. A bad entry is taken out and reported, so entries may be missing afterwards. A name with
 * nothing behind it is an error here: an `allow:` that lost its entries must not allow everything.
 */
export function list<const S extends z.core.SomeType>(entry: S) {
  return z.optional(z.array(z.optional(entry)));
}
