import { expect, test } from "bun:test";
import type { Citation } from "../../../src/protocol/ir/block.ts";
import { type CitationSlots, saysMore } from "../../../src/protocol/ir/citation-slots.ts";

const NONE: CitationSlots = { quoted: false, place: false, names: false, data: false };
const ALL: CitationSlots = { quoted: true, place: true, names: true, data: true };
const CASES: readonly (readonly [string, Citation, keyof CitationSlots])[] = [
  ["a quotation", { quoted: "q" }, "quoted"],
  ["a place", { place: { kind: "page", start: 1 } }, "place"],
  ["which document", { place: { kind: "page", documentIndex: 0 } }, "place"],
  ["a source without an address", { sources: [{ title: "t" }] }, "names"],
  ["what the source said", { sources: [{ url: "https://a", data: { a: 1 } }] }, "data"],
];

test.each(CASES)("%s wants its slot", (_, citation, slot) => {
  expect(saysMore(citation, NONE)).toBe(true);
  expect(saysMore(citation, { ...NONE, [slot]: true })).toBe(false);
  expect(saysMore(citation, { ...ALL, [slot]: false })).toBe(true);
});

test("an address says no more than every wire can, and what is one vendor's own always does", () => {
  const citation: Citation = { sources: [{ url: "https://a" }], place: { kind: "web" } };
  expect(saysMore(citation, NONE)).toBe(false);
  expect(saysMore({ ...citation, ext: { anthropic: { encrypted_index: "x" } } }, ALL)).toBe(true);
});
