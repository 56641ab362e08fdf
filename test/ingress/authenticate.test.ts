import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { KeyConfig } from "../../src/config/config.ts";
import { Rejection } from "../../src/core/rejection.ts";
import { ANONYMOUS, authenticate, keyRing } from "../../src/ingress/authenticate.ts";

const SECRET = "app-key-0123456789";
const digestOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");
const app: KeyConfig = {
  id: "app",
  digest: digestOf(SECRET),
  privacy: "private",
  allow: ["fast"],
  streamFailure: undefined,
};
const ring = keyRing([app]);

describe("a known key is found in each of the three headers", () => {
  test.each([
    { authorization: `Bearer ${SECRET}` },
    { authorization: `bearer ${SECRET}` },
    { "x-api-key": SECRET },
    { "x-goog-api-key": SECRET },
  ])("%p", (headers) => {
    expect(authenticate(new Headers(headers as Record<string, string>), ring)).toMatchObject({
      id: "app",
      privacy: "private",
    });
  });
});

test("Bearer goes before x-api-key: a wrong first one is not saved by a right second", () => {
  const headers = new Headers({ authorization: "Bearer wrong", "x-api-key": SECRET });
  expect(authenticate(headers, ring)).toBeInstanceOf(Rejection);
});

test("no other text is accepted in its place", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
      fc.pre(text.trim() !== SECRET);
      const headers = new Headers({ "x-api-key": text });
      const refused = authenticate(headers, ring);
      expect(refused instanceof Rejection && refused.reason.kind).toBe("unauthenticated");
    }),
  );
});

test("the digest itself is not a key", () => {
  const headers = new Headers({ authorization: `Bearer ${app.digest}` });
  expect(authenticate(headers, ring)).toBeInstanceOf(Rejection);
});

test("without any key configured everybody is the anonymous key", () => {
  expect(authenticate(new Headers(), keyRing([]))).toBe(ANONYMOUS);
});
