import { expect, test } from "bun:test";
import fc from "fast-check";
import { PIECE_BYTES, piecesOf } from "../../../src/cli/fleet/process-log.ts";

const line = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.integer({ min: 1, max: 9000 }).map((length) => "é".repeat(length)),
);

test("pieces are whole lines, all of them, and small enough for a pipe to take whole", () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
      const text = lines.map((each) => `${each.replaceAll("\n", " ")}\n`).join("");
      const pieces = piecesOf(text);
      expect(pieces.join("")).toBe(text);
      for (const piece of pieces) {
        expect(piece).toEndWith("\n");
        const isOneLine = piece.indexOf("\n") === piece.length - 1;
        if (!isOneLine) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(PIECE_BYTES);
      }
    }),
  );
});
