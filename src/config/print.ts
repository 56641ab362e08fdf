import type { AnyBackend } from "../core/backend.ts";
import type { Limits } from "../core/limits.ts";
import { NANO_PER_USD } from "./limits.ts";
import { printPeriod } from "../core/period-text.ts";
import type { AnyLane } from "../core/pool.ts";
import type { Secret } from "../core/secret.ts";
import { printCondition } from "./condition.ts";
import type {
  Config,
  DenyConfig,
  KeyConfig,
  OwnKeysConfig,
  PoolConfig,
  RoutingRule,
  SignedKeysConfig,
  StateConfig,
  TenantConfig,
} from "./config.ts";
import { keyIdIn } from "./keys.ts";
import { type Path, say } from "./path.ts";
import { plainLabel } from "./tenants.ts";
import { vendorErrors } from "./vendor-errors.ts";

/** Plain values in the shape of the file. */
export interface Printed {
  readonly [name: string]: unknown;
}

/** What `resolve` tells beside the configuration. */
export interface PrintOptions {
  readonly origins: ReadonlyMap<string, string>;
  readonly written: ReadonlyMap<string, string>;
}

/**
 * A configuration in the shape of the file it could have come from. Secrets are printed as the
 * variable that holds them, so that the result loads again; one that stood in the file is not
 * printed at all.
 */
export function printConfig(config: Config, options: PrintOptions): Printed {
  const { server, relay, failover, pools, models, keys, rules, defaultBackend } = config;
  return tidy({
    server: {
      host: server.host,
      port: server.port,
      metrics_port: server.metricsPort ?? "off",
      metrics_host: server.metricsHost,
      workers: server.workers,
      max_connections: server.connectionsMax,
      drain_seconds: server.drainMs / 1000,
    },
    privacy: { default: config.privacy.default },
    providers: entries(config.backends, (each) => [each.name, printBackend(each, options)]),
    models: entries(models, ([name, lane]) => [name, printModel(lane)]),
    pools: entries(pools, ([name, pool]) => [name, printPool(pool)]),
    keys: printKeys(config, options),
    signed_keys: config.signedKeys && printSignedKeys(config.signedKeys, options),
    tenants: entries(config.tenants, ([id, each]) => [id, printTenant(each, { keys, ...options })]),
    own_keys: config.ownKeys && printOwnKeys(config.ownKeys),
    budgets: printBudgets(config.budgets, options),
    routing: { default_provider: defaultBackend?.name, rules: rules.map(printRule) },
    resilience: {
      retry: {
        max_attempts: failover.attemptsMax,
        deadline_seconds: failover.deadlineMs / 1000,
      },
    },
    relay: {
      heartbeat_seconds: relay.heartbeatMs / 1000,
      client_stall_seconds: relay.clientStallMs / 1000,
      on_revoked: relay.onRevoked,
      max_buffer_bytes: relay.bufferBytesMax,
    },
    metering: { include_usage: relay.injectIncludeUsage ? "inject" : "off" },
    on_loss: relay.onLoss,
    stream_failure: relay.streamFailure,
    ledger: printLedger(config.ledger),
    admin: { tokens: printAdmin(config, options) },
    state: printState(config.state, options),
    stealth: config.stealth,
    security: {
      headers: { allowed_hosts: server.allowedHosts },
      rate_limit: server.addressRateMax && {
        enabled: true,
        requests_per_minute: server.addressRateMax,
      },
      validation: { max_request_size_bytes: server.bodyBytesMax, max_depth: server.depthMax },
    },
    telemetry: { logging: { level: config.logLevel } },
  });
}

function printBackend(backend: AnyBackend, { origins, written }: PrintOptions): Printed {
  const { deadlines, placement, proxy } = backend;
  const keyPath = say(["providers", backend.name, "api_key"]);
  return {
    protocol: backend.dialect,
    base_url: backend.baseUrl.href.replace(/\/$/, ""),
    api_key: backend.credential && secretText(keyPath, { origins, written }),
    auth: backend.auth,
    api_version: backend.query?.replace(/^api-version=/, ""),
    placement,
    zone: backend.zone,
    operator_controlled: backend.operatorControlled || undefined,
    private_addresses: backend.privateAddresses || undefined,
    unix: backend.unix,
    proxy: proxy && printProxy(proxy, written.get(say(["providers", backend.name, "proxy"]))),
    terminal: backend.terminal,
    error_rules: printErrorRules(backend),
    timeout: {
      connect_seconds: deadlines.connectMs / 1000,
      request_seconds: deadlines.firstEventMs / 1000,
      stall_seconds: deadlines.stallMs / 1000,
      streaming_seconds: deadlines.totalMs / 1000,
    },
  };
}

/** The operator's own, in the one form that can say all of them; the catalogue's stand behind. */
function printErrorRules({ name, errorRules }: AnyBackend): readonly Printed[] {
  const own = errorRules.slice(0, errorRules.length - vendorErrors(name).length);
  return own.map(({ status, code, type, message, means }) => ({
    ...{ status, code, type, message, means },
  }));
}

/** A proxy's user name and password are a credential too. */
function printProxy(proxy: URL, written: string | undefined): string {
  if (written?.startsWith("${") === true) return written;
  const bare = new URL(proxy);
  bare.username = "";
  bare.password = "";
  return bare.href.replace(/\/$/, "");
}

function printModel(lane: AnyLane): Printed {
  return {
    provider: lane.backend.name,
    upstream_model: lane.upstreamModel,
    context_max: lane.contextMax,
    max_output_tokens: lane.capabilities.outputCapMax,
    default_max_tokens: lane.capabilities.outputCapDefault,
    reasoning: lane.capabilities.reasoning,
    web_search: lane.capabilities.webSearch && lane.capabilities.webSearch.length > 0,
    prompt_caching: lane.capabilities.cacheMarks === "none" ? false : undefined,
  };
}

function printPool({ privacy, streamFailure, onLoss, lanes }: PoolConfig): Printed {
  const members = lanes.map(({ model, priority, weight, contextMax }) => ({
    ...{ model, priority, weight, context_max: contextMax },
  }));
  return { privacy, stream_failure: streamFailure, on_loss: onLoss, members };
}

/** The keys that stand at the top; those of a tenant's own section are printed there. */
function printKeys({ keys }: Config, options: PrintOptions): Printed {
  const own = keys.filter((key) => nameIn(key.tenant, key) === undefined);
  return entries(own, (key) => {
    const at = ["keys", key.id];
    return [key.id, { tenant: key.tenant?.id, ...printKey(key, { ...options, at }) }];
  });
}

function printTenant(
  tenant: TenantConfig,
  { keys, ...options }: PrintOptions & { readonly keys: readonly KeyConfig[] },
): Printed {
  const { id, privacy, allow, deny, zones, streamFailure, onLoss, models, pools } = tenant;
  const own = keys.flatMap((key) => {
    const name = nameIn(tenant, key);
    return name === undefined ? [] : [[name, key] as const];
  });
  return {
    tenant_id: tenant.signedId === id ? undefined : tenant.signedId,
    ...{ privacy, allow, deny, zones, stream_failure: streamFailure, on_loss: onLoss },
    enabled: tenant.enabled ? undefined : false,
    own_keys: tenant.ownKeys.length > 0 ? tenant.ownKeys : undefined,
    markup_percent: tenant.markupPercent || undefined,
    ...printLimits(tenant.limits),
    models: entries(models, ([name, lane]) => [name, printModel(lane)]),
    pools: entries(pools, ([name, pool]) => {
      const lanes = pool.lanes.map((lane) => ({ ...lane, model: plainLabel(lane.model) }));
      return [name, printPool({ ...pool, lanes })];
    }),
    keys: entries(own, ([name, key]) => {
      return [name, printKey(key, { ...options, at: ["tenants", id, "keys", name] })];
    }),
  };
}

/** The name of a key inside its tenant's section; undefined when it stands elsewhere. */
function nameIn(tenant: TenantConfig | undefined, key: KeyConfig): string | undefined {
  const prefix = tenant && keyIdIn(tenant.id, "");
  return prefix !== undefined && key.id.startsWith(prefix)
    ? key.id.slice(prefix.length)
    : undefined;
}

function printKey(
  key: KeyConfig,
  { at, ...options }: PrintOptions & { readonly at: Path },
): Printed {
  const text = secretText(say([...at, "key"]), options);
  return {
    // The start of the digest tells two keys apart and gives neither away.
    key: text === REDACTED ? `[secret sha256:${key.digest.slice(0, 8)}]` : text,
    privacy: key.privacy,
    allow: key.allow,
    zones: key.zones,
    stream_failure: key.streamFailure,
    on_loss: key.onLoss,
    ...printLimits(key.limits),
  };
}

function printLedger({ enabled, onFailure }: Config["ledger"]): Printed {
  const { mode } = onFailure;
  if (mode === "strict") return { enabled, on_failure: mode };
  const { graceMs, capNano } = onFailure;
  return {
    ...{ enabled, on_failure: mode },
    ...{ grace_seconds: graceMs / 1000, grace_usd: capNano / NANO_PER_USD },
  };
}

function printBudgets(budgets: Config["budgets"], options: PrintOptions): Printed {
  const { percents, webhook } = budgets.alerts;
  const secret = (name: string) => secretText(say(["budgets", "alerts", name]), options);
  return {
    status: budgets.status,
    on_exhausted: budgets.onExhausted,
    alerts: {
      enabled: percents.length > 0,
      at_percent: percents,
      webhook_url: webhook && secret("webhook_url"),
      webhook_secret: webhook?.secret && secret("webhook_secret"),
    },
  };
}

function printOwnKeys({ providers, privacy, requestsPerMinute }: OwnKeysConfig): Printed {
  return { providers: [...providers], privacy, requests_per_minute: requestsPerMinute };
}

function printSignedKeys(signed: SignedKeysConfig, options: PrintOptions): Printed {
  const keys = [...signed.signers].map(([kid, key]) => ({
    kid,
    key: key.export({ format: "jwk" }).x,
  }));
  const { defaultTenant, privacy, allow, zones, limits, deny } = signed;
  return {
    ...{ public_keys: keys, deny: printDeny(deny, options), default_tenant: defaultTenant },
    known_tenants_only: signed.knownTenantsOnly || undefined,
    ...{ privacy, allow, zones, ...printLimits(limits) },
  };
}

function printDeny(deny: DenyConfig, options: PrintOptions): Printed {
  const { file, nats, postgres, snapshot, stalenessMaxMs } = deny;
  const serve = stalenessMaxMs === Number.POSITIVE_INFINITY;
  const url = (source: string, address: Secret): string => {
    const { username, password } = new URL(address.expose());
    if (username === "" && password === "") return address.expose();
    return secretText(say(["signed_keys", "deny", source, "url"]), options);
  };
  return {
    file,
    nats: nats && { url: url("nats", nats.url), bucket: nats.bucket },
    postgres: postgres && { url: url("postgres", postgres.url) },
    snapshot,
    max_staleness_seconds: serve ? undefined : stalenessMaxMs / 1000,
    on_stale: serve ? "serve" : "refuse",
  };
}

function printState(state: StateConfig, options: PrintOptions): Printed {
  const { databaseUrl, connectionsMax, slicePart, peers } = state;
  if (peers !== undefined) {
    const peer_secret = secretText(say(["state", "peer_secret"]), options);
    return { peers: peers.urls.map(({ href }) => href), peer_secret };
  }
  if (databaseUrl === undefined) return {};
  const path = say(["state", "database_url"]);
  const aliased = secretText(say(["database", "url"]), options);
  const url = secretText(path, options);
  return {
    database_url: url === REDACTED ? aliased : url,
    max_connections: connectionsMax,
    budget_slice_percent: slicePart === undefined ? undefined : slicePart * 100,
  };
}

function printAdmin({ adminTokens }: Config, options: PrintOptions): Printed {
  return entries(adminTokens, ({ name, role, tenant }) => {
    const path = say(["admin", "tokens", name, "token"]);
    return [name, { token: secretText(path, options), role, tenant }];
  });
}

function printLimits(limits: Limits): Printed {
  const { budgets, expiresAt } = limits;
  const amounts = budgets.map(({ unit, amount }) => [
    unit,
    unit === "usd" ? amount / 1_000_000_000 : amount,
  ]);
  return {
    requests_per_minute: limits.requestsPerMinute,
    tokens_per_minute: limits.tokensPerMinute,
    max_concurrent: limits.concurrency,
    budget: budgets[0] && {
      ...Object.fromEntries(amounts),
      on_exhausted: limits.onExhausted,
      period: printPeriod(budgets[0].period),
    },
    expires: expiresAt === undefined ? undefined : new Date(expiresAt).toISOString(),
  };
}

function printRule({ name, condition, backend, priority }: RoutingRule): Printed {
  return {
    name,
    condition: printCondition(condition),
    target_provider: backend.name,
    priority,
  };
}

const REDACTED = "[secret]";

function secretText(path: string, { origins, written }: PrintOptions): string {
  const variable = origins.get(path);
  if (variable !== undefined) return `\${${variable}}`;
  const text = written.get(path);
  return text?.startsWith("${") === true ? text : REDACTED;
}

function entries<T>(from: Iterable<T>, print: (entry: T) => readonly [string, Printed]): Printed {
  return Object.fromEntries([...from].map(print));
}

/** Leaves out what is undefined, and blocks that have nothing in them. */
function tidy(tree: Printed): Printed {
  const kept = Object.entries(tree).flatMap(([name, value]) => {
    const inner = tidyValue(value);
    return inner === undefined ? [] : [[name, inner] as const];
  });
  return Object.fromEntries(kept);
}

function tidyValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(tidyValue);
  if (typeof value !== "object" || value === null) return value;
  const inner = tidy({ ...value });
  return Object.keys(inner).length === 0 ? undefined : inner;
}
