import { expect, test } from "bun:test";
import { webcrypto } from "node:crypto";
import fc from "fast-check";
import { mintSignedKey, publicKeyText, signerOf } from "../../src/wire/signed-key-mint.ts";
import { parseSignedKey } from "../../src/wire/signed-key.ts";

const SEED = Buffer.from(Array.from({ length: 32 }, (_, i) => i));

test("a minted key is, letter by letter, the one OpenSSL makes of the same words", () => {
  const signer = signerOf(SEED);
  expect(mintSignedKey({ kid: 1, tenant: 42n, vpc: 7n }, signer)).toBe(
    "bai_v1.1.KgAAAAAAAAAHAAAAAAAAAA.uaFusULrvadSjVV7Wv5e5pr4GdoOx6BNhazviXVfdTTGcnrkjG0SUIJg95DaSOjPBXTsRI0-L2JVFTtuGlGWBg",
  );
  expect(publicKeyText(signer)).toBe("A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=");
});

test("WebCrypto verifies what is minted, over exactly the bytes before the last point", async () => {
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
  await fc.assert(
    fc.asyncProperty(seeds, fc.nat(0xffff_ffff), u64, u64, async (seed, kid, tenant, vpc) => {
      const signer = signerOf(seed);
      const text = mintSignedKey({ kid, tenant, vpc }, signer);
      expect(parseSignedKey(text)).toMatchObject({ kid, tenant, vpc });
      const raw = Buffer.from(publicKeyText(signer), "base64");
      const key = await webcrypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
      const at = text.lastIndexOf(".");
      const signature = Buffer.from(text.slice(at + 1), "base64url");
      const message = Buffer.from(text.slice(0, at));
      expect(await webcrypto.subtle.verify("Ed25519", key, signature, message)).toBe(true);
    }),
    { numRuns: 50 },
  );
});
