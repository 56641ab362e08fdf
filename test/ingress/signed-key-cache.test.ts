import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { VerifiedKeys } from "../../src/ingress/signed-key-cache.ts";
import { mintSignedKey, publicKeyText, signerOf } from "../../src/wire/signed-key-mint.ts";
import { readSigners } from "../../src/wire/signed-key-signers.ts";

const signer = signerOf(Buffer.alloc(32, 3));
const entry = { kid: 1, publicKey: publicKeyText(signer) };
const signers = readSigners([entry]) as Map<number, never>;
const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const keyOf = (tenant: number): string =>
  mintSignedKey({ kid: 1, tenant: BigInt(tenant), vpc: 0n }, signer);
const KEYS = Array.from({ length: 40 }, (_, tenant) => keyOf(tenant));

test("a remembered key says what it said when it was proven, in any order of asking", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(39)), fc.integer({ min: 1, max: 12 }), (asked, max) => {
      const keys = new VerifiedKeys(signers, max);
      for (const tenant of asked) {
        const text = KEYS[tenant]!;
        const says = { kid: 1, tenant: BigInt(tenant), vpc: 0n };
        expect(keys.check(text, digestOf(text))).toEqual(says);
        expect(keys.size).toBeLessThanOrEqual(Math.max(2, max));
      }
    }),
    { numRuns: 30 },
  );
});

test("a text that shares all but its last character with a remembered one is proven by itself", () => {
  const keys = new VerifiedKeys(signers);
  const text = KEYS[5]!;
  keys.check(text, digestOf(text));
  const near = `${text.slice(0, -1)}${text.endsWith("A") ? "Q" : "A"}`;
  expect(keys.check(near, digestOf(near))).toBe("bad_signature");
  expect(keys.check(text.slice(0, -1), digestOf(text.slice(0, -1)))).toBe("malformed");
});

test("what does not verify is not remembered and evicts nothing", () => {
  const keys = new VerifiedKeys(signers, 4);
  keys.check(KEYS[0]!, digestOf(KEYS[0]!));
  const other = signerOf(Buffer.alloc(32, 9));
  for (let tenant = 0; tenant < 50; tenant++) {
    const forged = mintSignedKey({ kid: 1, tenant: BigInt(tenant), vpc: 0n }, other);
    expect(keys.check(forged, digestOf(forged))).toBe("bad_signature");
  }
  expect(keys.size).toBe(1);
});

test("a key in use stays remembered while others pass", () => {
  const max = 8;
  const keys = new VerifiedKeys(signers, max);
  const used = KEYS[0]!;
  const first = keys.check(used, digestOf(used));
  for (const text of KEYS.slice(1)) {
    keys.check(text, digestOf(text));
    // The very object of the first proof: it was not proven again.
    expect(keys.check(used, digestOf(used))).toBe(first);
  }
});

test("a signer taken out counts no more, though its keys were remembered", () => {
  const text = KEYS[0]!;
  const before = new VerifiedKeys(signers);
  expect(typeof before.check(text, digestOf(text))).toBe("object");
  const after = new VerifiedKeys(
    readSigners([{ kid: 2, publicKey: entry.publicKey }]) as Map<number, never>,
  );
  expect(after.check(text, digestOf(text))).toBe("unknown_kid");
});
