import { expect, test } from "bun:test";
import fc from "fast-check";
import { answerHeader, askerHeader, isAnswer, readAsker } from "../../src/wire/peer-auth.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const NONCE = "00112233445566778899aabbccddeeff";
const proof = { ms: 1_700_000_000_000, nonce: NONCE };

test("a question is its asker's, for its target and nothing else", () => {
  const header = askerHeader(SECRET, "/peers/registers?after=1", proof);
  expect(readAsker(SECRET, "/peers/registers?after=1", header)).toEqual(proof);
  expect(readAsker(SECRET, "/peers/registers?after=2", header)).toBeUndefined();
  expect(readAsker(`${SECRET}x`, "/peers/registers?after=1", header)).toBeUndefined();
  for (const bad of [null, "", "1 2 3", header.slice(1), `${header}0`, header.toUpperCase()]) {
    expect(readAsker(SECRET, "/peers/registers?after=1", bad)).toBeUndefined();
  }
});

test("whatever one character of it is changed to, a proof proves nothing any more", () => {
  const target = "/peers/registers?epoch=&after=0";
  const header = askerHeader(SECRET, target, proof);
  fc.assert(
    fc.property(fc.nat(header.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, one) => {
      fc.pre(header[at] !== one);
      const other = header.slice(0, at) + one + header.slice(at + 1);
      expect(readAsker(SECRET, target, other)).toBeUndefined();
    }),
  );
});

test("an answer is to one question, and whole", () => {
  const header = answerHeader(SECRET, NONCE, "body");
  expect(isAnswer(SECRET, { nonce: NONCE, body: "body", header })).toBe(true);
  expect(isAnswer(SECRET, { nonce: NONCE, body: "bodY", header })).toBe(false);
  expect(isAnswer(SECRET, { nonce: NONCE.replace("0", "1"), body: "body", header })).toBe(false);
  expect(isAnswer("other", { nonce: NONCE, body: "body", header })).toBe(false);
  expect(isAnswer(SECRET, { nonce: NONCE, body: "body", header: null })).toBe(false);
});
