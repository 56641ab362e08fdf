import type { Ms } from "../../core/units.ts";
import { momentOf } from "../store/hlc.ts";
import type { RegisterEntry } from "../store/registers.ts";
import type { Store } from "../store/store.ts";
import { deniedByHand, denyByHand } from "./deny-events.ts";
import { readReason, readTenant } from "./deny-source.ts";

// Tenants that are shut out by hand as registers, which nodes without a database exchange: the
// reason for as long as one is, a tombstone from when it no longer is.

const PREFIX = "deny/";

/** The tenant that a register is about; undefined when it is about none. */
export function tenantOfRegister(name: string): bigint | undefined {
  return name.startsWith(PREFIX) ? readTenant(name.slice(PREFIX.length)) : undefined;
}

/** What is known of registers. */
export interface KnownRegisters {
  names(): Iterable<string>;
  get(name: string): string | undefined;
}

export interface DenyRegistersOptions {
  readonly store: Pick<Store, "revision" | "view" | "append">;
  readonly newId: () => string;
  readonly wall: () => Ms;
}

/** A node's denials by hand, as whoever exchanges registers sees them. */
export class DenyRegisters {
  readonly #options: DenyRegistersOptions;
  #revision = -1;

  constructor(options: DenyRegistersOptions) {
    this.#options = options;
  }

  /** What was set or taken away here and the registers do not say. */
  async changed(
    known: KnownRegisters,
  ): Promise<readonly (readonly [string, string | undefined])[]> {
    const { store } = this.#options;
    const revision = await store.revision();
    if (revision === this.#revision) return [];
    const denied = await deniedByHand(store);
    this.#revision = revision;
    const changes = [...denied]
      .map(([tenant, reason]) => [`${PREFIX}${tenant}`, reason] as const)
      .filter(([name, reason]) => known.get(name) !== reason);
    const ended = [...known.names()].filter((name) => {
      const tenant = tenantOfRegister(name);
      return tenant !== undefined && known.get(name) !== undefined && !denied.has(tenant);
    });
    return [...changes, ...ended.map((name) => [name, undefined] as const)];
  }

  /** Does here what was done elsewhere; the audit log names the node. */
  async put(entries: Iterable<RegisterEntry>): Promise<void> {
    const { store, newId, wall } = this.#options;
    let denied: Awaited<ReturnType<typeof deniedByHand>> | undefined;
    for (const { key, value, stamp } of entries) {
      const tenant = tenantOfRegister(key);
      if (tenant === undefined) continue;
      denied ??= await deniedByHand(store);
      const reason = value === undefined ? undefined : readReason(value);
      if (denied.get(tenant) === reason) continue;
      const node = momentOf(stamp)?.node ?? "unknown";
      const action = reason === undefined ? "deny.remove" : "deny.set";
      const detail = JSON.stringify(reason === undefined ? {} : { reason });
      const at = Math.floor(wall());
      const audit = { at, actor: `node:${node}`, action, subject: String(tenant), detail };
      await denyByHand(store, { tenant, reason }, { id: newId(), node, audit });
    }
  }
}
