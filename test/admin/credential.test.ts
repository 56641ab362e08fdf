import { expect, test } from "bun:test";
import fc from "fast-check";
import { callerOf } from "../../src/admin/credential.ts";
import { Secret } from "../../src/core/secret.ts";

const TOKEN = "a-token-of-decent-length";
const OTHER = "another-token-as-long";
const tokens = [
  { name: "one", secret: new Secret(TOKEN), role: "admin" },
  { name: "two", secret: new Secret(OTHER), role: "viewer" },
] as const;
const check = (headers: Headers): boolean => callerOf(headers, tokens)?.name === "one";

test("each token is its owner's", () => {
  expect(callerOf(new Headers({ "x-admin-token": OTHER }), tokens)?.name).toBe("two");
  expect(callerOf(new Headers({ "x-admin-token": OTHER }), [])).toBeUndefined();
});

test("the token is taken as Bearer in any case and in its own header", () => {
  expect(check(new Headers({ authorization: `Bearer ${TOKEN}` }))).toBe(true);
  expect(check(new Headers({ authorization: `bearer  ${TOKEN}` }))).toBe(true);
  expect(check(new Headers({ "x-admin-token": TOKEN }))).toBe(true);
});

test("anything else is not the token", () => {
  const close = fc.constantFrom(TOKEN.slice(1), `${TOKEN}x`, TOKEN.toUpperCase(), `${TOKEN},`, "");
  const other = fc.oneof(close, fc.stringMatching(/^[!-~]{0,40}$/)).filter((one) => one !== TOKEN);
  fc.assert(
    fc.property(other, (offered) => {
      expect(check(new Headers({ authorization: `Bearer ${offered}` }))).toBe(false);
      expect(check(new Headers({ "x-admin-token": offered }))).toBe(false);
    }),
  );
  expect(check(new Headers())).toBe(false);
  expect(check(new Headers({ authorization: TOKEN }))).toBe(false);
  expect(check(new Headers({ authorization: `Basic ${TOKEN}` }))).toBe(false);
  expect(check(new Headers({ authorization: `Bearer ${TOKEN} and more` }))).toBe(false);
  expect(check(new Headers({ authorization: `Bearer ${TOKEN}, Bearer ${TOKEN}` }))).toBe(false);
});
