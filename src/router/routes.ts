import type {
  Config,
  ModelCondition,
  OnLoss,
  PoolConfig,
  StreamFailure,
  TenantConfig,
} from "../config/config.ts";
import { mayUse } from "../config/tenants.ts";
import type { AnyBackend } from "../core/backend.ts";
import { type AnyLane, Pool } from "../core/pool.ts";
import { Rejection } from "../core/rejection.ts";
import type { Envelope } from "../core/request.ts";
import type { Privacy, Private, Shareable } from "../core/privacy.ts";
import { within, type Zones } from "./zones.ts";

/** What a model name stands for: the lanes of each class, built once per configuration. */
export interface Target {
  /** The configured name; `other` for a name only a rule or the default matched. A metric label. */
  readonly label: string;
  readonly kind: "model" | "pool" | "rule" | "default" | "provider";
  /** A private target makes every request that names it private. */
  readonly privacy: Privacy | undefined;
  readonly streamFailure: StreamFailure | undefined;
  readonly onLoss: OnLoss | undefined;
  readonly private: Pool<Private>;
  readonly shareable: Pool<Shareable>;
}

/** Every name a request may say, resolved. Immutable; a reload builds a new one. */
export interface Routes {
  readonly named: ReadonlyMap<string, Target>;
  readonly rules: readonly RuleTarget[];
  /** Each provider by itself, for calls whose path names it. */
  readonly providers: ReadonlyMap<string, Target>;
  readonly fallback: Target | undefined;
  /** Whether a name nobody configured may be asked for; undefined where any may. */
  readonly grants?: ((name: string) => boolean) | undefined;
}
interface RuleTarget {
  readonly condition: ModelCondition;
  readonly target: Target;
}

/** The label of a model nobody configured: what a client wrote is never a label. */
export const OTHER_MODEL = "other";

export function buildRoutes(config: Config): Routes {
  const named = new Map<string, Target>();
  for (const [name, lane] of config.models) {
    named.set(name, makeTarget("model", name, [lane]));
  }
  for (const pool of config.pools.values()) named.set(pool.name, poolTarget(pool));
  const rules = config.rules.map((rule) => ({
    condition: rule.condition,
    target: makeTarget("rule", OTHER_MODEL, [anyModelOf(rule.backend)]),
  }));
  const fallback =
    config.defaultBackend &&
    makeTarget("default", OTHER_MODEL, [anyModelOf(config.defaultBackend)]);
  const providers = new Map(
    config.backends.map((backend) => {
      const lane = { ...anyModelOf(backend), model: backend.name };
      return [backend.name, makeTarget("provider", backend.name, [lane])];
    }),
  );
  return { named, rules, providers, fallback };
}

function poolTarget({ name, lanes, privacy, streamFailure, onLoss }: PoolConfig): Target {
  return { ...makeTarget("pool", name, lanes), privacy, streamFailure, onLoss };
}

/**
 * The names as a tenant sees them: of all those it may use, and its own, which go before them. What
 * it may not use is not there, so that it hears of it what it hears of a name nobody has.
 */
export function routesFor(tenant: TenantConfig, all: Routes): Routes {
  const { models, pools } = tenant;
  const grants = (name: string): boolean => mayUse(tenant, name);
  const isOwn = (name: string): boolean => models.has(name) || pools.has(name);
  const named = new Map([...all.named].filter(([name]) => grants(name)));
  for (const [name, lane] of models) named.set(name, makeTarget("model", name, [lane]));
  for (const pool of pools.values()) named.set(pool.name, poolTarget(pool));
  const providers = [...all.providers].filter(([name]) => grants(name) && !isOwn(name));
  return { ...all, named, providers: new Map(providers), grants };
}

/** Whom a path names by its first segment, whatever model its body asks for. */
export interface Named {
  readonly name: string;
  /** The pool or model of that name; undefined where it is a provider. */
  readonly target: Target | undefined;
  /** The provider's model, where the path names that too. */
  readonly model?: string;
}

/** The envelope of a call whose path names who answers it. */
export function renamed(envelope: Envelope, { name, target, model }: Named): Envelope {
  const routed = target === undefined ? model : name;
  if (routed === undefined || routed === envelope.model) return envelope;
  return { ...envelope, model: routed, written: envelope.model };
}

/** What a caller asks for, and what it may ask for. */
export interface Wish {
  readonly model: string;
  /** Whom the path named. */
  readonly named?: Named | undefined;
  readonly key: {
    readonly allow: readonly string[] | undefined;
    readonly zones?: Zones;
    readonly tenant?: { readonly zones: Zones } | undefined;
  };
}

/** The target `model` names: a configured name, else the first rule's, else the default's. */
export function findTarget(routes: Routes, { model, key, named }: Wish): Target | Rejection {
  const target = named === undefined ? byModel(routes, model) : byName(routes, named);
  const granted = named?.name ?? model;
  if (target === undefined || isHidden(routes, target, granted)) {
    return new Rejection({ kind: "model_not_found", model });
  }
  if (key.allow !== undefined && !key.allow.includes(granted)) {
    return new Rejection({ kind: "forbidden_model", model: granted });
  }
  return within(target, key.zones, key.tenant?.zones);
}

/** Configured names that may not be asked for are not in the routes; others are asked about. */
function isHidden({ grants }: Routes, { kind }: Target, name: string): boolean {
  return grants !== undefined && (kind === "rule" || kind === "default") && !grants(name);
}

function byName(routes: Routes, { name, target }: Named): Target | undefined {
  return target ?? routes.providers.get(name);
}

function byModel(routes: Routes, model: string): Target | undefined {
  return routes.named.get(model) ?? unnamed(routes, model);
}

function unnamed(routes: Routes, model: string): Target | undefined {
  for (const { condition, target } of routes.rules) {
    if (matches(condition, model)) return target;
  }
  return routes.fallback;
}

export function matches(condition: ModelCondition, model: string): boolean {
  switch (condition.test) {
    case "starts_with":
      return model.startsWith(condition.value);
    case "ends_with":
      return model.endsWith(condition.value);
    case "contains":
      return model.includes(condition.value);
    case "equals":
      return model === condition.value;
  }
}

function makeTarget(kind: Target["kind"], label: string, lanes: readonly AnyLane[]): Target {
  return {
    label,
    kind,
    privacy: undefined,
    streamFailure: undefined,
    onLoss: undefined,
    private: Pool.private(label, lanes),
    shareable: Pool.shareable(label, lanes),
  };
}

function anyModelOf(backend: AnyBackend): AnyLane {
  return {
    backend,
    model: OTHER_MODEL,
    upstreamModel: undefined,
    priority: 0,
    weight: 1,
    contextMax: undefined,
    capabilities: {},
  };
}
