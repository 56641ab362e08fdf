import { expect, test } from "bun:test";
import fc from "fast-check";
import { cutText } from "../../../src/protocol/anthropic/cut-text.ts";

const edge = fc.integer({ min: -3, max: 30 });
const citation = fc.record({
  quoted: fc.uuid(),
  span: fc.record({
    start: edge,
    end: edge,
    of: fc.constantFrom("block" as const, "message" as const),
  }),
});

test("the pieces are the text, none is empty, and no citation is lost", () => {
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
  const property = fc.property(text, fc.array(citation), edge, (text, citations, offset) => {
    const pieces = cutText({ text, citations }, offset);
    expect(pieces.map((piece) => piece.text).join("")).toBe(text);
    expect(pieces.filter((piece) => piece.text === "")).toEqual([]);
    const kept = new Set(pieces.flatMap((piece) => piece.citations));
    expect(kept).toEqual(new Set(citations));
  });
  fc.assert(property);
});
test("a citation stands on the pieces of its span, and on no other", () => {
  const span = { start: 12, end: 14, of: "message" } as const;
  const pieces = cutText({ text: "abcdef", citations: [{ span }] }, 10);
  expect(pieces.map(({ text, citations }) => [text, citations.length])).toEqual([
    ["ab", 0],
    ["cd", 1],
    ["ef", 0],
  ]);
});
test("more citations than anybody reads leave the text whole", () => {
  const citations = Array.from({ length: 5000 }, (_, at) => ({
    span: { start: at, end: at + 1, of: "block" as const },
  }));
  expect(cutText({ text: "x".repeat(5000), citations }, 0)).toHaveLength(1);
});
