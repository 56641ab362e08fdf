import { describe, expect, test } from "bun:test";
import { generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import {
  parseSignedKey,
  proveSignedKey,
  type SignedKey,
  type SignedKeyFault,
} from "../../src/wire/signed-key.ts";
import { readSigners, type SignerEntry } from "../../src/wire/signed-key-signers.ts";

/** Signed by OpenSSL 3 (`openssl pkeyutl -sign -rawin`) with the seed 00 01 … 1f. */
const PUBLIC_KEY = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
const VECTORS: readonly (readonly [string, SignedKey])[] = [
  [
    "bai_v1.1.KgAAAAAAAAAHAAAAAAAAAA.uaFusULrvadSjVV7Wv5e5pr4GdoOx6BNhazviXVfdTTGcnrkjG0SUIJg95DaSOjPBXTsRI0-L2JVFTtuGlGWBg",
    { kid: 1, tenant: 42n, vpc: 7n },
  ],
  [
    "bai_v1.4294967295.__________8AAAAAAAAAgA.-87NRS_fMS2LEoals-0wgn3sgXKLV9MbJgAHYosD2looWW88hoYFDm43se2FsoUxkoc1fvTqCzPxVNvXYxHfCQ",
    { kid: 4294967295, tenant: 2n ** 64n - 1n, vpc: 2n ** 63n },
  ],
  [
    "bai_v1.0.AAAAAAAAAAAAAAAAAAAAAA.sU_HndUUZMaYdIeKtsGgUJ8yw5OEVjdtDw4cX_Yjmm4GtWcVaqBT3dBrynOk3BMRBcSdtysgfs52jGnu7QFKAg",
    { kid: 0, tenant: 0n, vpc: 0n },
  ],
];

function signersOf(...entries: readonly SignerEntry[]) {
  const signers = readSigners(entries);
  if (!(signers instanceof Map)) throw new Error(JSON.stringify(signers));
  return signers;
}
const ring = signersOf(...[0, 1, 4294967295].map((kid) => ({ kid, publicKey: PUBLIC_KEY })));

function judged(text: string, signers = ring): SignedKey | SignedKeyFault {
  const parsed = parseSignedKey(text);
  return typeof parsed === "string" ? parsed : proveSignedKey(parsed, signers);
}

test.each(VECTORS)("what OpenSSL signed is proven: %s", (text, says) => {
  expect(judged(text)).toEqual(says);
});

/** Made with node:crypto alone: not with our own mint. */
function foreignMint(says: SignedKey, privateKey: Parameters<typeof sign>[2]): string {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, says.tenant, true);
  view.setBigUint64(8, says.vpc, true);
  const payload = new Uint8Array(view.buffer).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
  const message = `bai_v1.${says.kid}.${payload}`;
  return `${message}.${sign(null, Buffer.from(message), privateKey).toString("base64url")}`;
}
const pair = generateKeyPairSync("ed25519");
const raw = Buffer.from(pair.publicKey.export({ format: "jwk" }).x ?? "", "base64url");
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const claims = fc.record({ kid: fc.nat(0xffff_ffff), tenant: u64, vpc: u64 });

test("whatever a known signer says is read as said", () => {
  fc.assert(
    fc.property(claims, (says) => {
      const signers = signersOf({ kid: says.kid, publicKey: raw });
      expect(judged(foreignMint(says, pair.privateKey), signers)).toEqual(says);
    }),
  );
});

test("one changed bit anywhere proves nothing", () => {
  const [text] = VECTORS[0]!;
  const bytes = Buffer.from(text, "latin1");
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(typeof judged(changed.toString("latin1"))).toBe("string");
  }
});

test("no two texts prove the same: every other spelling of a character is refused", () => {
  const [text] = VECTORS[0]!;
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. ";
  for (const at of [text.length - 1, text.indexOf(".uaF") - 1]) {
    const right = [...alphabet].filter(
      (each) => typeof judged(text.slice(0, at) + each + text.slice(at + 1)) !== "string",
    );
    expect(right).toEqual([text[at]!]);
  }
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  expect([judged(standard), judged(`${text}=`), judged(`${text}\n`)]).toEqual(
    Array(3).fill("malformed"),
  );
});

test("a payload with bits left over is malformed, though its signer signed just that", () => {
  const message = "bai_v1.1.KgAAAAAAAAAHAAAAAAAAAB";
  const signed = sign(null, Buffer.from(message), pair.privateKey).toString("base64url");
  const signers = signersOf({ kid: 1, publicKey: raw });
  expect(judged(`${message}.${signed}`, signers)).toBe("malformed");
});

describe("each fault has its name", () => {
  const [good] = VECTORS[0]!;
  const [, , payload, signature] = good.split(".");
  test.each([
    ["", "malformed"],
    ["bai_", "malformed"],
    ["bai_v1", "malformed"],
    ["bai_v1.", "malformed"],
    ["bai_v1.1.KgAA", "malformed"],
    [`bai_v1.01.${payload}.${signature}`, "malformed"],
    [`bai_v1.-1.${payload}.${signature}`, "malformed"],
    [`bai_v1.4294967296.${payload}.${signature}`, "malformed"],
    [`bai_v1.1.${payload}A.${signature}`, "malformed"],
    [`${good}.x`, "malformed"],
    [`${good}${"A".repeat(100_000)}`, "malformed"],
    [good.replace("v1", "v2"), "bad_version"],
    ["bai_v11.x", "bad_version"],
    ["bai_.", "bad_version"],
    [`bai_v1.7.${payload}.${signature}`, "unknown_kid"],
    [`bai_v1.0.${payload}.${signature}`, "bad_signature"],
    [good.replace("KgAA", "KwAA"), "bad_signature"],
  ])("%s: %s", (text, fault) => {
    expect(judged(text)).toBe(fault as SignedKeyFault);
  });
});

test("signers rotate by kid: the new one is known beside the old, and each for itself alone", () => {
  const next = generateKeyPairSync("ed25519");
  const nextRaw = Buffer.from(next.publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  const old = foreignMint({ kid: 1, tenant: 5n, vpc: 0n }, pair.privateKey);
  const young = foreignMint({ kid: 2, tenant: 5n, vpc: 0n }, next.privateKey);
  const mixed = foreignMint({ kid: 1, tenant: 5n, vpc: 0n }, next.privateKey);
  const [one, two] = [
    { kid: 1, publicKey: raw },
    { kid: 2, publicKey: nextRaw },
  ];
  const seen = (...entries: readonly SignerEntry[]) =>
    [old, young, mixed].map((text) => {
      const verdict = judged(text, signersOf(...entries));
      return typeof verdict === "string" ? verdict : verdict.kid;
    });
  expect(seen(one)).toEqual([1, "unknown_kid", "bad_signature"]);
  expect(seen(one, two)).toEqual([1, 2, "bad_signature"]);
  expect(seen(two)).toEqual(["unknown_kid", 2, "unknown_kid"]);
});

test("any text is judged without an exception", () => {
  const segments = fc.array(fc.string({ unit: "binary" }), { maxLength: 5 });
  fc.assert(
    fc.property(segments, (parts) => {
      expect(typeof judged(`bai_v1.${parts.join(".")}`)).toBe("string");
    }),
  );
});
