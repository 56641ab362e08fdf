import { expect, test } from "bun:test";
import fc from "fast-check";
import { lastAtMost, TextPlaces } from "../../../src/protocol/gemini/text-places.ts";

const text = fc
  .array(fc.string({ unit: "grapheme", maxLength: 40 }), { maxLength: 40 })
  .map((all) => all.join(""));

test("a character's byte and a byte's character are what encoding its beginning tells", () => {
  fc.assert(
    fc.property(text, fc.double({ min: 0, max: 1, noNaN: true }), (said, where) => {
      const places = new TextPlaces(said);
      const characters = [...said];
      const at = Math.floor(where * characters.length);
      const byte = Buffer.byteLength(characters.slice(0, at).join(""));
      expect(places.codePoints).toBe(characters.length);
      expect(places.byteOf(at)).toBe(byte);
      expect(places.codePointOf(byte)).toBe(at);
      expect(places.byteOf(characters.length + 5)).toBeGreaterThanOrEqual(places.byteLength);
    }),
  );
});

test("the last that is not above is found", () => {
  const rising = fc.array(fc.nat(50)).map((all) => all.sort((a, b) => a - b));
  fc.assert(
    fc.property(rising, fc.nat(60), (all, value) => {
      expect(lastAtMost(all, value)).toBe(all.findLastIndex((each) => each <= value));
    }),
  );
});
