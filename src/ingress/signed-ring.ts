import type { SignedKeysConfig } from "../config/config.ts";
import { Rejection } from "../core/rejection.ts";
import type { DenySet } from "../state/keys/deny-set.ts";
import type { SignedKey } from "../wire/signed-key.ts";
import type { Key } from "./authenticate.ts";
import { judgeTenant } from "./deny-set.ts";
import { VerifiedKeys } from "./signed-key-cache.ts";

/** Keys that prove themselves: who signed them, and which of their tenants are shut out. */
export class SignedRing {
  readonly #verified: VerifiedKeys;
  readonly #config: SignedKeysConfig;
  readonly #denied: DenySet | undefined;
  readonly #keys = new WeakMap<SignedKey, Key>();

  constructor(config: SignedKeysConfig, denied: DenySet | undefined) {
    this.#verified = new VerifiedKeys(config.signers);
    this.#config = config;
    this.#denied = denied;
  }

  /** The tenant's key, its refusal, or undefined when the text proves nothing. */
  check(text: string, digest: string): Key | Rejection | undefined {
    const proven = this.#verified.check(text, digest);
    if (typeof proven === "string") return undefined;
    if (this.#denied !== undefined) {
      const { stalenessMaxMs } = this.#config.deny;
      const denial = judgeTenant(proven.tenant, { denied: this.#denied, stalenessMaxMs });
      if (denial !== undefined) return new Rejection({ kind: "denied", status: denial.status });
    }
    return this.#keyOf(proven);
  }

  /** The same object for the same proof: what counts for it is found by it. */
  #keyOf(proven: SignedKey): Key {
    let key = this.#keys.get(proven);
    if (key === undefined) {
      const { privacy, allow, limits } = this.#config;
      const rest = { streamFailure: undefined, onLoss: undefined, limits: { ...limits } };
      const denied = this.#denied;
      const isValid = denied && (() => denied.find(proven.tenant) === undefined);
      key = { id: `tenant-${proven.tenant}`, privacy, allow, ...rest, isValid };
      this.#keys.set(proven, key);
    }
    return key;
  }
}
