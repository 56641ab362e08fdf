import { bench, do_not_optimize, group } from "mitata";
import { judgeTenant } from "../src/ingress/deny-set.ts";
import { VerifiedKeys } from "../src/ingress/signed-key-cache.ts";
import { mintSignedKey, publicKeyText, signerOf } from "../src/wire/signed-key-mint.ts";
import { readSigners } from "../src/wire/signed-key-signers.ts";
import { parseSignedKey, proveSignedKey } from "../src/wire/signed-key.ts";
import { findStoredKey } from "../src/ingress/stored-key.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { credentialKind } from "../src/state/keys/credential-kind.ts";
import { DenySet } from "../src/state/keys/deny-set.ts";
import type { DenyReason } from "../src/state/keys/deny-source.ts";
import type { StoredKey, StoredSecret } from "../src/state/keys/stored-key.ts";

// What a request's key costs. A text comes new with every request, so each is cut from bytes anew:
// a string that is the same object has its hash in it already.
const signer = signerOf(Buffer.alloc(32, 7));
const signers = readSigners([{ kid: 3, publicKey: publicKeyText(signer) }]);
if (!(signers instanceof Map)) throw new Error("the signer is not read");
const SIGNED = Array.from({ length: 1024 }, (_, tenant) =>
  Buffer.from(mintSignedKey({ kid: 3, tenant: BigInt(tenant), vpc: 1n }, signer), "latin1"),
);
const NOTHING = new Set<string>();
let turn = 0;
const signed = (): string => SIGNED[turn++ & 1023]!.toString("latin1");

group("signed keys", () => {
  const verified = new VerifiedKeys(signers);
  for (const bytes of SIGNED) {
    const text = bytes.toString("latin1");
    verified.check(text, credentialKind(text, NOTHING).digest);
  }
  bench("the text alone", () => do_not_optimize(signed()));
  bench("kind and digest", () => do_not_optimize(credentialKind(signed(), NOTHING)));
  bench("known: kind, digest, cache", () => {
    const text = signed();
    return do_not_optimize(verified.check(text, credentialKind(text, NOTHING).digest));
  });
  bench("parse", () => do_not_optimize(parseSignedKey(signed())));
  bench("never seen: parse and verify", () => {
    const parsed = parseSignedKey(signed());
    if (typeof parsed === "string") throw new Error(parsed);
    return do_not_optimize(proveSignedKey(parsed, signers));
  });
});

/** Keys as a follower holds them. */
function storeOf(count: number): Map<string, StoredSecret> {
  const keys = new Map<string, StoredSecret>();
  for (let i = 0; i < count; i++) {
    const key: StoredKey = {
      ...{ id: `${i}`, name: `key-${i}`, tenant: undefined, created: 0 },
      ...{ expires: undefined, revoked: undefined, limits: {} },
    };
    keys.set(Bun.SHA256.hash(storedText(i), "hex"), { key, expires: undefined });
  }
  return keys;
}
function storedText(i: number): string {
  return `ilk_${String(i).padStart(16, "0")}_${"0123456789abcdef".repeat(4)}`;
}

group("stored keys: kind, digest, look-up", () => {
  for (const count of [10, 1_000, 100_000, 1_000_000]) {
    const byDigest = storeOf(count);
    const keys = { find: (digest: string) => byDigest.get(digest) };
    const texts = Array.from({ length: 1024 }, (_, i) =>
      Buffer.from(storedText((i * 7919) % count), "latin1"),
    );
    bench(`${count} keys`, () => {
      const text = texts[turn++ & 1023]!.toString("latin1");
      const { digest } = credentialKind(text, NOTHING);
      return do_not_optimize(findStoredKey(digest, { keys, wall: 1 }));
    });
  }
});

group("deny-set", () => {
  for (const count of [0, 1_000, 1_000_000]) {
    const denied = new DenySet(systemClock);
    const tenants = new Map<bigint, DenyReason>();
    for (let i = 0; i < count; i++) tenants.set(BigInt(i) * 1_000_003n, "spend");
    denied.follow({
      ...{ name: "bench", local: false, stop: async () => {} },
      start: (tell) => tell({ kind: "reset", denied: tenants, revision: 1n, ageMs: 0 }),
    });
    const asked = Array.from({ length: 1024 }, (_, i) => BigInt(i) * 1_000_003n + 1n);
    bench(`${count} denied, who is not`, () =>
      do_not_optimize(judgeTenant(asked[turn++ & 1023]!, { denied, stalenessMaxMs: Infinity })),
    );
  }
});
