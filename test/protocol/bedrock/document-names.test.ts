import { expect, test } from "bun:test";
import fc from "fast-check";
import { DocumentNames } from "../../../src/protocol/bedrock/document-names.ts";

/** Bedrock's own rule: `DocumentBlock.name` in its API model. */
const ALLOWED = /^[A-Za-z0-9\-()[\]]+(?: [A-Za-z0-9\-()[\]]+)*$/;

test("any names become names Bedrock takes, no two alike", () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.string({ unit: "binary" }), { nil: undefined })),
      (wanted) => {
        const names = new DocumentNames();
        const given = wanted.map((name) => names.fit(name));
        expect(new Set(given).size).toBe(given.length);
        for (const name of given) {
          expect(name).toMatch(ALLOWED);
          expect(name.length).toBeLessThanOrEqual(200);
        }
      },
    ),
  );
});

test("a name that Bedrock takes stays as it is", () => {
  const names = new DocumentNames();
  expect(names.fit("Annual report (2026) [draft]")).toBe("Annual report (2026) [draft]");
  expect(names.fit("x".repeat(500))).toHaveLength(192);
});
