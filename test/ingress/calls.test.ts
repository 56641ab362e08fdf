import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ANONYMOUS, authenticate, keyRing } from "../../src/ingress/authenticate.ts";
import { findCall, withoutKey } from "../../src/ingress/calls.ts";
import { Rejection } from "../../src/core/rejection.ts";
import { digestOf } from "../../src/config/keys.ts";

const SECRET = "app-key-0123456789";
const ring = keyRing(
  [{ ...ANONYMOUS, id: "app", digest: digestOf(SECRET), secret: undefined } as never],
  { wall: () => 0 },
);

describe("a key in the query stays here", () => {
  const paths = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1beta/models/m:generateContent",
    "/model/m/converse",
    "/v2/chat",
  ];
  for (const path of paths) {
    test(`of ${path}`, () => {
      const query = `a=1&key=${SECRET}&b=2`;
      expect(findCall(path, query)?.head.query).toBe("a=1&b=2");
    });
  }

  test("whatever query opens the gateway, none of the key is left in what goes on", () => {
    const names = fc.constantFrom("key", "k%65y", "%6bey", "KEY", "xkey", "key%00", "a", "");
    const values = fc.constantFrom(SECRET, encodeURIComponent(SECRET), "other");
    const pairs = fc.array(fc.tuple(names, values), { maxLength: 5 });
    fc.assert(
      fc.property(pairs, (given) => {
        const query = given.map(([name, value]) => `${name}=${value}`).join("&");
        const isIn = !(authenticate(new Headers(), ring, { query }) instanceof Rejection);
        const shown = given.find(([name]) => name === "key")?.[1];
        expect(isIn).toBe(shown === SECRET || shown === encodeURIComponent(SECRET));
        expect(withoutKey(query).split("&")).not.toContain(`key=${shown}`);
      }),
    );
  });
});
