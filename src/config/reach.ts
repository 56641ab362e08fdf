import type { AnyBackend } from "../core/backend.ts";
import { type AnyLane, Pool } from "../core/pool.ts";
import { hostKind } from "./address.ts";
import { meetsCondition } from "./condition.ts";
import type { Config, KeyConfig, TenantConfig } from "./config.ts";
import { laneOf } from "./models.ts";

/** Where a request for `name` may go when nothing marks it private; a tenant's own names first. */
export function lanesFor(config: Config, name: string, tenant?: TenantConfig): readonly AnyLane[] {
  const pool = tenant?.pools.get(name) ?? config.pools.get(name);
  const model = tenant?.models.get(name) ?? config.models.get(name);
  if (pool !== undefined && tenant?.models.has(name) !== true) return pool.lanes;
  if (model !== undefined) return [model];
  const rule = config.rules.find(({ condition }) => meetsCondition(condition, name));
  const backend = rule?.backend ?? config.defaultBackend;
  return backend === undefined ? [] : [loneLane(backend)];
}

/** A lane to a backend for whatever name the caller used. */
export function loneLane(backend: AnyBackend): AnyLane {
  return laneOf(backend, { model: backend.name, upstreamModel: undefined, contextMax: undefined });
}

/** The backends of `lanes` that a private request can reach: by the type that carries it there. */
export function privateBackends(lanes: readonly AnyLane[]): readonly AnyBackend[] {
  return [...new Set(Pool.private("reach", lanes).lanes.map(({ backend }) => backend))];
}

/** Whether requests under this key are private without being marked; undefined is no key at all. */
export function isPrivateKey(config: Config, key: KeyConfig | undefined): boolean {
  return (key?.tenant?.privacy ?? key?.privacy ?? config.privacy.default) === "private";
}

/** Why a backend counts as the operator's own machine; undefined for an external one. */
export function whyLocal(backend: AnyBackend): string | undefined {
  if (backend.placement !== "local") return undefined;
  if (backend.unix !== undefined) return `a socket on this machine, ${backend.unix}`;
  const host = backend.baseUrl.hostname;
  switch (hostKind(host)) {
    case "loopback":
      return `loopback, ${backend.baseUrl.host}`;
    case "private":
      return `an address of a private network, ${backend.baseUrl.host}`;
    case "name":
    case "public":
    case "metadata":
      return backend.operatorControlled
        ? `the operator vouches for it (operator_controlled), ${backend.baseUrl.host}`
        : `each address of ${host} is checked when dialled, and must be private`;
  }
}
