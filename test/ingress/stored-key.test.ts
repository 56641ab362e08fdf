import { expect, test } from "bun:test";
import fc from "fast-check";
import { findStoredKey } from "../../src/ingress/stored-key.ts";
import type { StoredKey } from "../../src/state/keys/stored-key.ts";

const key: StoredKey = {
  ...{ id: "k", name: "k", tenant: undefined, created: 0 },
  ...{ expires: undefined, revoked: undefined, limits: {} },
};
const moment = fc.option(fc.nat(5), { nil: undefined });

test("a text opens its key until the first of its own end and the key's, unless that is revoked", () => {
  fc.assert(
    fc.property(moment, moment, moment, fc.nat(5), (expires, textEnds, revoked, wall) => {
      const stored: StoredKey = { ...key, expires, revoked };
      const keys = new Map([["d", { key: stored, expires: textEnds }]]);
      const store = { find: (digest: string) => keys.get(digest) };
      const ended = Math.min(expires ?? Infinity, textEnds ?? Infinity) <= wall;
      const right = revoked !== undefined ? "revoked" : ended ? "expired" : stored;
      expect(findStoredKey("d", { keys: store, wall })).toBe(right);
      expect(findStoredKey("e", { keys: store, wall })).toBe("unknown");
    }),
  );
});
