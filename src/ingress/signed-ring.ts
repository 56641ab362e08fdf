import type { SignedKeysConfig, TenantConfig } from "../config/config.ts";
import { bareTenant } from "../config/tenants.ts";
import type { TenantId } from "../core/ids.ts";
import { UNLIMITED } from "../core/limits.ts";
import { Rejection } from "../core/rejection.ts";
import type { Ms } from "../core/units.ts";
import type { DenySet } from "../state/keys/deny-set.ts";
import type { SignedKey } from "../wire/signed-key.ts";
import { type Key, withTenant } from "./authenticate.ts";
import { judgeTenant } from "./deny-set.ts";
import { VerifiedKeys } from "./signed-key-cache.ts";

export interface SignedRingOptions {
  readonly denied?: DenySet | undefined;
  readonly tenants?: ReadonlyMap<TenantId, TenantConfig> | undefined;
}

/** Keys that prove themselves: who signed them, and which of their tenants are shut out. */
export class SignedRing {
  readonly #verified: VerifiedKeys;
  readonly #config: SignedKeysConfig;
  readonly #denied: DenySet | undefined;
  /** By their number in decimal. */
  readonly #tenants: ReadonlyMap<string, TenantConfig>;
  readonly #fallback: TenantConfig | undefined;
  readonly #keys = new WeakMap<SignedKey, Key>();

  constructor(config: SignedKeysConfig, { denied, tenants }: SignedRingOptions = {}) {
    this.#verified = new VerifiedKeys(config.signers);
    this.#config = config;
    this.#denied = denied;
    const numbered = [...(tenants?.values() ?? [])].flatMap((tenant) => {
      return tenant.signedId === undefined ? [] : [[tenant.signedId, tenant] as const];
    });
    this.#tenants = new Map(numbered);
    this.#fallback = tenants?.get(config.defaultTenant ?? "");
  }

  /** The tenant's key, its refusal, or undefined when the text proves nothing. */
  check(text: string, digest: string): Key | Rejection | undefined {
    const proven = this.#verified.check(text, digest);
    if (typeof proven === "string") return undefined;
    const { stalenessMaxMs } = this.#config.deny;
    return this.#denial(proven.tenant, stalenessMaxMs) ?? this.#keyOf(proven);
  }

  /** The refusal of a tenant that is shut out, for its other keys, which no stale set shuts. */
  denialOf(signedId: string): Rejection | undefined {
    return this.#denial(BigInt(signedId), Number.POSITIVE_INFINITY);
  }

  #denial(tenant: bigint, stalenessMaxMs: Ms): Rejection | undefined {
    if (this.#denied === undefined) return undefined;
    const denial = judgeTenant(tenant, { denied: this.#denied, stalenessMaxMs });
    return denial && new Rejection({ kind: "denied", status: denial.status });
  }

  /** The same object for the same proof: what counts for it is found by it. */
  #keyOf(proven: SignedKey): Key | undefined {
    let key = this.#keys.get(proven);
    if (key === undefined) {
      const tenant = this.#tenantOf(String(proven.tenant));
      if (tenant === undefined) return undefined;
      const { privacy, allow, zones } = this.#config;
      // A tenant with an entry is held by that; without one, by what holds for all such.
      const limits = { ...(tenant.entry === undefined ? this.#config.limits : UNLIMITED) };
      // Also where no entry gives the tenant its number: a running answer ends with it.
      const isValid = () => this.#denial(proven.tenant, Number.POSITIVE_INFINITY) === undefined;
      const rest = { streamFailure: undefined, onLoss: undefined, limits, tenant, isValid };
      const id = `tenant-${proven.tenant}`;
      key = withTenant({ id, privacy, allow, zones, ...rest }, this);
      this.#keys.set(proven, key);
    }
    return key;
  }

  /** Undefined where only known tenants are taken, and this is none. */
  #tenantOf(number: string): TenantConfig | undefined {
    const own = this.#tenants.get(number);
    if (own !== undefined) return own;
    if (this.#fallback !== undefined) {
      return { ...this.#fallback, id: number, signedId: number };
    }
    const bare = { ...bareTenant(number), signedId: number };
    return this.#config.knownTenantsOnly ? undefined : bare;
  }
}
