import fc from "fast-check";

const SPACE = fc.string({ unit: fc.constantFrom(" ", "\n", "\t", "\r"), maxLength: 3 });
const NUMBER = fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{1,20})?([eE][+-]?\d{1,3})?$/);
const CHARACTER = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 6 }) },
);
const ESCAPE = fc.oneof(
  fc.constantFrom(...'"\\/bfnrt').map((letter) => `\\${letter}`),
  fc.stringMatching(/^\\u[0-9a-fA-F]{4}$/),
);
const STRING = fc
  .array(fc.oneof({ weight: 3, arbitrary: CHARACTER.map(withoutQuotes) }, ESCAPE), { maxLength: 6 })
  .map((parts) => `"${parts.join("")}"`);

/** Valid JSON text in every spelling the grammar has: spaces, escapes, all forms of numbers. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string; padded: string }>(
  (tie) => ({
    padded: fc.tuple(SPACE, tie("value"), SPACE).map((parts) => parts.join("")),
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.oneof(fc.constantFrom("true", "false", "null"), NUMBER, STRING),
      fc.array(tie("padded"), { maxLength: 5 }).map((items) => `[${items.join(",")}]`),
      fc
        .array(fc.tuple(SPACE, STRING, SPACE, tie("padded")), { maxLength: 5 })
        .map(
          (members) => `{${members.map(([a, name, b, v]) => `${a}${name}${b}:${v}`).join(",")}}`,
        ),
    ),
  }),
).padded;

/** A text as it stands between quotes: what must be escaped is. */
function withoutQuotes(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** A change to a document: bytes put, taken out, or overwritten somewhere. */
export interface Mutation {
  readonly at: number;
  readonly remove: number;
  readonly insert: readonly number[];
}
const TELLING = [...'{}[]",:\\/u0123456789abcdefEtrun-+. \n\t\r\0\x1f\x7f'].map((c) =>
  c.charCodeAt(0),
);
const BYTE = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...TELLING) },
  fc.constantFrom(0x80, 0xbf, 0xc0, 0xc3, 0xed, 0xef, 0xbb, 0xf4, 0xff),
  fc.integer({ min: 0, max: 255 }),
);
export const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat({ max: 1000 }),
  remove: fc.nat({ max: 3 }),
  insert: fc.array(BYTE, { maxLength: 3 }),
});

export function mutate(bytes: Uint8Array, { at, remove, insert }: Mutation): Uint8Array {
  const start = bytes.length === 0 ? 0 : at % (bytes.length + 1);
  return Uint8Array.from([...bytes.slice(0, start), ...insert, ...bytes.slice(start + remove)]);
}

/** Bytes of which many look like JSON. */
export const jsonishBytes: fc.Arbitrary<Uint8Array> = fc
  .array(BYTE, { maxLength: 60 })
  .map((bytes) => Uint8Array.from(bytes));

/** The same bytes at another address, with quotes and brackets around them that are not theirs. */
export function moved(bytes: Uint8Array, by: number): Uint8Array<ArrayBuffer> {
  const around = new Uint8Array(by + bytes.length + 9).fill(0x22);
  around.set(bytes, by);
  return around.subarray(by, by + bytes.length);
}

/** The text's nesting, counted one character at a time; for valid JSON only. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const char = text[index]!;
    if (quoted) {
      if (char === "\\") index++;
      if (char === '"') quoted = false;
    } else if (char === '"') {
      quoted = true;
    } else if (char === "{" || char === "[") {
      deepest = Math.max(deepest, ++depth);
    } else if (char === "}" || char === "]") {
      depth--;
    }
  }
  return deepest;
}

/** Whether a parser that is not ours takes the bytes, nested no deeper than `depthMax`. */
export function accepts(bytes: Uint8Array, depthMax: number): boolean {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    JSON.parse(text);
    return depthOf(text) <= depthMax;
  } catch {
    return false; // Every throw here is the parser's "no", which is the answer asked for.
  }
}
