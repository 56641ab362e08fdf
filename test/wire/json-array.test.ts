import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Chunk } from "../../src/core/units.ts";
import { JsonArrayScanner } from "../../src/wire/json-array.ts";
import { jsonText } from "./json-arbitraries.ts";

const utf8 = (text: string): Chunk => new TextEncoder().encode(text);
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), {
  maxLength: 20,
});

function cut(body: Chunk, points: readonly number[]): Chunk[] {
  const ends = [...points.map((point) => Math.floor(point * body.length)), body.length];
  let at = 0;
  return ends.sort((a, b) => a - b).map((end) => body.slice(at, (at = end)));
}
const bytewise = (body: Chunk): Chunk[] => Array.from(body, (_, at) => body.slice(at, at + 1));

/** Each chunk is overwritten once it was fed: a scanner that kept it would show it. */
function elementsOf(chunks: readonly Chunk[], elementBytesMax?: number) {
  const elements: string[] = [];
  const scanner = new JsonArrayScanner({
    onElement({ bytes, start, end, oversize }) {
      elements.push(oversize ? "<oversize>" : new TextDecoder().decode(bytes.slice(start, end)));
    },
    ...(elementBytesMax === undefined ? {} : { elementBytesMax }),
  });
  for (const chunk of chunks) {
    const own = chunk.slice();
    scanner.feed(own);
    own.fill(0x22);
  }
  scanner.end();
  return { elements, isClosed: scanner.isClosed };
}

describe("an array", () => {
  test("comes out element by element, however it is spelled and cut", () => {
    fc.assert(
      fc.property(fc.array(jsonText, { maxLength: 6 }), cuts, (texts, points) => {
        const body = utf8(`[${texts.join(",")}]\n`);
        const { elements, isClosed } = elementsOf(cut(body, points));
        expect(elements).toEqual(texts.map((text) => text.trim()));
        expect(isClosed).toBe(true);
      }),
    );
  });
  test("comes out the same byte by byte", () => {
    const body = utf8(`[{"a":"\\\\\\"]}"}\n,\r\n{"b":[1,{"c":"}"}]},"x\\\\",-1.5e3,null\n]`);
    const wanted = [`{"a":"\\\\\\"]}"}`, `{"b":[1,{"c":"}"}]}`, `"x\\\\"`, "-1.5e3", "null"];
    expect(elementsOf([body]).elements).toEqual(wanted);
    expect(elementsOf(bytewise(body)).elements).toEqual(wanted);
  });
  test("is closed by its own bracket only", () => {
    const body = utf8(`\u{feff} [{"a":"]"},[[]]]`);
    for (let end = 0; end < body.length; end++) {
      expect(elementsOf([body.slice(0, end)]).isClosed).toBe(false);
    }
    expect(elementsOf([body])).toEqual({ elements: [`{"a":"]"}`, "[[]]"], isClosed: true });
  });
  test("is over at its end: what stands behind it is nobody's", () => {
    expect(elementsOf([utf8(`[1] {"error":1}`)]).elements).toEqual(["1"]);
  });
});

test("a document that is no array is its own element", () => {
  for (const text of [`{"error":{"code":404}}`, `"a"`, "12", "true"]) {
    expect(elementsOf(bytewise(utf8(` \n${text}`)))).toEqual({ elements: [text], isClosed: true });
  }
});

test("an element above the cap is told of and not kept, in one piece and in many", () => {
  const body = utf8(`[{"a":1},{"b":"${"x".repeat(100)}"},{"c":3}]`);
  const wanted = [`{"a":1}`, "<oversize>", `{"c":3}`];
  expect(elementsOf([body], 50).elements).toEqual(wanted);
  expect(elementsOf(bytewise(body), 50).elements).toEqual(wanted);
});

test("bytes of any kind come out the same at any chunking, and nothing throws", () => {
  const telling = fc.constantFrom(...'[]{}",:\\ \n0anE-\u00e9'.split("")).map((c) => c);
  const text = fc.array(telling, { maxLength: 60 }).map((all) => all.join(""));
  fc.assert(
    fc.property(text, cuts, (said, points) => {
      const body = utf8(said);
      expect(elementsOf(cut(body, points))).toEqual(elementsOf([body]));
    }),
  );
});

test("long elements in small chunks take time in proportion to their length", () => {
  const chunk = utf8(`\\\\${"y".repeat(1022)}`);
  const scanner = new JsonArrayScanner({ onElement() {}, elementBytesMax: 1 << 26 });
  scanner.feed(utf8(`["`));
  for (let index = 0; index < 32 * 1024; index++) scanner.feed(chunk);
  scanner.feed(utf8(`"]`));
  expect(scanner.isClosed).toBe(true);
});
