import { expect, test } from "bun:test";
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { readSigners } from "../../src/wire/signed-key-signers.ts";

const { publicKey } = generateKeyPairSync("ed25519");
const raw = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");

test("a public key is read from its bytes and from both alphabets, padded or not", () => {
  const standard = raw.toString("base64");
  const url = raw.toString("base64url");
  for (const spelled of [raw, standard, standard.slice(0, -1), url, `${url}=`]) {
    const signers = readSigners([{ kid: 9, publicKey: spelled }]);
    if (!(signers instanceof Map)) throw new Error(JSON.stringify(signers));
    expect(signers.get(9).equals(publicKey)).toBe(true);
  }
});

test("an empty list is a problem, for it would refuse everybody in silence", () => {
  expect(readSigners([])).toEqual([
    { kid: undefined, reason: "no signing key is listed", fix: expect.stringContaining("base64") },
  ]);
});

test("every entry that cannot be used is reported, not only the first", () => {
  const bad = ["", "!", raw.toString("hex"), raw.toString("base64").slice(1), "AAAA"];
  const problems = readSigners([
    ...bad.map((publicKey, kid) => ({ kid, publicKey })),
    { kid: -1, publicKey: raw },
    { kid: 2 ** 32, publicKey: raw },
    { kid: 50, publicKey: raw },
    { kid: 50, publicKey: raw },
  ]);
  if (!Array.isArray(problems)) throw new Error("they were all taken");
  expect(problems.map(({ kid }) => kid)).toEqual([0, 1, 2, 3, 4, -1, 2 ** 32, 50]);
});

// The eight points of small order and their other encodings. That they are weak is shown here, by
// forging for each without any private key.
const WEAK = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];
const SIGNED_WEAK = [
  "0000000000000000000000000000000000000000000000000000000000000080",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

test.each([...WEAK, ...SIGNED_WEAK])("anybody can sign for %s, and it is refused", (hex) => {
  const bytes = Buffer.from(hex, "hex");
  const x = bytes.toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  // R the neutral element and S zero verify wherever the hash is a multiple of the point's order.
  const forgery = Buffer.alloc(64);
  forgery[0] = 1;
  const forged = Array.from({ length: 256 }, (_, i) => verify(null, Buffer.of(i), key, forgery));
  expect(forged).toContain(true);
  expect(readSigners([{ kid: 1, publicKey: bytes }])).toEqual([
    { kid: 1, reason: "is a public key that anybody can sign for", fix: expect.any(String) },
  ]);
});
