import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { credentialKind } from "../../../src/state/keys/credential-kind.ts";

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const everything = { has: () => true };
const nothing = { has: () => false };
const kindOf = (text: string, configured: { has(digest: string): boolean } = nothing) =>
  credentialKind(text, configured).kind;

test("what begins with our prefixes is ours, be it known as a configured key or not", () => {
  fc.assert(
    fc.property(fc.string(), fc.boolean(), (rest, known) => {
      const configured = known ? everything : nothing;
      expect(kindOf(`bai_${rest}`, configured)).toBe("signed");
      expect(kindOf(`ilk_${rest}`, configured)).toBe("stored");
    }),
  );
});

test.each([
  "BAI_v1.1.x.y",
  "Bai_v1",
  '"bai_v1.1.x.y"',
  "'bai_v1",
  " bai_v1",
  "\tbai_v1",
  "Bearer bai_v1",
  "Bearer Bearer bai_v1",
  "bearer:bai_v1",
  "=bai_v1",
  "<bai_v1>",
])("a key of ours that was pasted badly never counts as a provider's: %p", (text) => {
  expect(kindOf(text)).toBe("signed");
});

test.each(["sk-proj-bai_x", "bai", "bai-v1", "xbai_", "ilk", "sk-ant-ilk_", "AKIAEXAMPLE", ""])(
  "a provider's key is foreign: %p",
  (text) => {
    expect(kindOf(text)).toBe("foreign");
  },
);

test("any other text is configured exactly when its SHA-256 is listed", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, other) => {
      fc.pre(text !== other && !/(bai|ilk)_/i.test(text + other));
      const configured = new Map([[digestOf(text), 1]]);
      expect(credentialKind(text, configured)).toEqual({
        kind: "configured",
        digest: digestOf(text),
      });
      expect(kindOf(other, configured)).toBe("foreign");
    }),
  );
});

test("a text made to be slow is judged in time that grows with its length alone", () => {
  for (const part of ["bearer ", " ", '"', "bearer"]) {
    const begun = process.hrtime.bigint();
    kindOf(part.repeat(100_000));
    expect(Number(process.hrtime.bigint() - begun) / 1e6).toBeLessThan(1_000);
  }
});
