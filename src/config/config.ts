import type { KeyObject } from "node:crypto";
import type { AnyBackend } from "../core/backend.ts";
import type { KeyId, TenantId } from "../core/ids.ts";
import type { Limits, OnExhausted } from "../core/limits.ts";
import type { AnyLane } from "../core/pool.ts";
import type { BudgetStatus } from "../core/rejection.ts";
import type { Privacy } from "../core/privacy.ts";
import type { Secret } from "../core/secret.ts";
import type { Bytes, Ms, Nano } from "../core/units.ts";

/** A whole, valid configuration. Immutable: a reload makes a new one. */
export interface Config {
  readonly source: ConfigSource;
  readonly server: ServerConfig;
  readonly privacy: PrivacyConfig;
  readonly backends: readonly AnyBackend[];
  /** Model alias → the lanes that serve it (one for a plain model). */
  readonly models: ReadonlyMap<string, AnyLane>;
  readonly pools: ReadonlyMap<string, PoolConfig>;
  /** In the order in which they are asked. */
  readonly rules: readonly RoutingRule[];
  /** Where a model nobody configured goes, under its own name; undefined refuses it with 404. */
  readonly defaultBackend: AnyBackend | undefined;
  /** Empty: open mode, allowed on loopback only. */
  readonly keys: readonly KeyConfig[];
  /** Whether a caller must show a key of whichever kind. If not, only this machine may call. */
  readonly keyed: boolean;
  /** Keys proven by their signature; undefined takes none. */
  readonly signedKeys: SignedKeysConfig | undefined;
  readonly tenants: ReadonlyMap<TenantId, TenantConfig>;
  /** Callers' own keys for providers; undefined takes none. */
  readonly ownKeys: OwnKeysConfig | undefined;
  readonly relay: RelayConfig;
  readonly budgets: BudgetsConfig;
  readonly failover: FailoverConfig;
  /** Keep what each request used, for `interlock cost`. */
  readonly ledger: LedgerConfig;
  readonly state: StateConfig;
  /** Who may use the admin API; empty: nobody. */
  readonly adminTokens: readonly AdminToken[];
  readonly stealth: boolean;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** Sections that were read and checked but change nothing yet: reported by `validate`. */
  readonly notActive: readonly string[];
  readonly warnings: readonly Diagnostic[];
}

export type ConfigSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "environment" }
  | { readonly kind: "demo" };

/** One who may use the admin API: a viewer reads, an admin changes as well. */
export interface AdminToken {
  readonly name: string;
  readonly secret: Secret;
  readonly role: AdminRole;
  /** Whose keys alone it is for; undefined is the operator's own, for everything. */
  readonly tenant?: TenantId | undefined;
}
export type AdminRole = "admin" | "viewer";

export interface LedgerConfig {
  readonly enabled: boolean;
  /** Somebody asked for it: where none can be kept at all, that is a failure as well. */
  readonly isWanted: boolean;
  readonly onFailure: LedgerFailure;
}
/** What keys may do while usage cannot be written down. */
export type LedgerFailure =
  /** Start nothing. */
  | { readonly mode: "strict" }
  /** For so long, each may still spend so much in each process; then as `strict`. */
  | { readonly mode: "grace"; readonly graceMs: Ms; readonly capNano: Nano };

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** The admin listener's port: /metrics and health. 0 picks a free one; undefined turns it off. */
  readonly metricsPort: number | undefined;
  /** Where that listens: other nodes and scrapers of other machines need more than loopback. */
  readonly metricsHost: string;
  /** Processes that serve; `auto` is one for each core of the machine that starts. */
  readonly workers: number | "auto";
  readonly connectionsMax: number;
  readonly bodyBytesMax: Bytes;
  /** JSON nesting accepted in a request body. */
  readonly depthMax: number;
  readonly drainMs: Ms;
  /** Host names accepted in `Host`; empty accepts any well-formed one. */
  readonly allowedHosts: readonly string[];
  /** Requests a minute that one address may send before any key is looked at. */
  readonly addressRateMax: number | undefined;
}

export interface PrivacyConfig {
  readonly default: Privacy;
  /** One clause for the banner: why this default. */
  readonly why: string;
}

export interface PoolConfig {
  readonly name: string;
  readonly lanes: readonly AnyLane[];
  /** A private pool makes every request that names it private. */
  readonly privacy: Privacy | undefined;
  readonly streamFailure: StreamFailure | undefined;
  readonly onLoss: OnLoss | undefined;
}

export interface RoutingRule {
  readonly name: string;
  readonly condition: ModelCondition;
  readonly backend: AnyBackend;
  /** Lower is asked first, as with lanes. */
  readonly priority: number;
}
export interface ModelCondition {
  readonly test: "starts_with" | "ends_with" | "contains" | "equals";
  readonly value: string;
}

export interface KeyConfig {
  readonly id: KeyId;
  /** SHA-256 of the key, lower-case hex: what a key that is sent is found by. */
  readonly digest: string;
  /** The key itself, to check signatures by; undefined where only its digest is known. */
  readonly secret: Secret | undefined;
  readonly privacy: Privacy | undefined;
  /** Pool and model names this key may use; undefined allows all. */
  readonly allow: readonly string[] | undefined;
  /** Zones its requests may be sent to; undefined allows all. */
  readonly zones?: readonly string[] | undefined;
  readonly streamFailure: StreamFailure | undefined;
  readonly onLoss: OnLoss | undefined;
  readonly limits: Limits;
  /** Whose it is; undefined where it is the operator's own. */
  readonly tenant?: TenantConfig | undefined;
}

/** A namespace: limits that its keys share, what they may use, and names that are theirs alone. */
export interface TenantConfig {
  readonly id: TenantId;
  /** The entry that it is held by: its own, or that of tenants without one. */
  readonly entry: TenantId | undefined;
  /** Switched off: all its keys are refused, whatever kind they are. */
  readonly enabled: boolean;
  /** Its number in signed keys, in decimal. */
  readonly signedId: string | undefined;
  readonly privacy: "private" | undefined;
  /** Of the names that all may use, those it may; undefined allows all. */
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[];
  readonly zones: readonly string[] | undefined;
  readonly streamFailure: StreamFailure | undefined;
  readonly onLoss: OnLoss | undefined;
  /** Providers for which its callers may bring a key of their own beside ours. */
  readonly ownKeys: readonly string[];
  /** Added to what is charged. */
  readonly markupPercent: number;
  readonly limits: Limits;
  readonly models: ReadonlyMap<string, AnyLane>;
  readonly pools: ReadonlyMap<string, PoolConfig>;
}

/** Keys that are not ours, which go on to their provider as they came. */
export interface OwnKeysConfig {
  /** Where a path names one of these. */
  readonly providers: ReadonlySet<string>;
  readonly privacy: Privacy | undefined;
  /** Of each such key. */
  readonly requestsPerMinute: number | undefined;
}

/** Signed keys: who may sign them, and what each of their tenants may do. */
export interface SignedKeysConfig {
  readonly signers: ReadonlyMap<number, KeyObject>;
  readonly deny: DenyConfig;
  /** The entry by which each tenant is held that has none; undefined holds it to `limits`. */
  readonly defaultTenant: TenantId | undefined;
  readonly knownTenantsOnly: boolean;
  readonly privacy: Privacy | undefined;
  readonly allow: readonly string[] | undefined;
  readonly zones: readonly string[] | undefined;
  /** Of each tenant that has no entry. */
  readonly limits: Limits;
}

/** Where it is said which tenants are shut out. The admin API says it too, without being named. */
export interface DenyConfig {
  /** Lines that are followed as they change. */
  readonly file: string | undefined;
  readonly nats: { readonly url: Secret; readonly bucket: string } | undefined;
  readonly postgres: { readonly url: Secret } | undefined;
  /** A directory for what these said last, in force before they answer; undefined: the state's. */
  readonly snapshot: string | undefined;
  /** A source that is behind for longer shuts every tenant out; Infinity never does. */
  readonly stalenessMaxMs: Ms;
}

/**
 * What happens to a request whose translation loses something: `allow` sends it in any case, `warn`
 * refuses what would break a promise in silence (state kept elsewhere, files, guardrails, tools the
 * vendor runs), `refuse` refuses all that may change the answer. Every loss is reported anyway.
 */
export type OnLoss = "allow" | "warn" | "refuse";

/** What a client sees when its stream breaks off: features.md conflict 1. */
export type StreamFailure = "surface" | "graceful" | "abort";

export type OnRevoked = "cut" | "finish";

export interface RelayConfig {
  readonly streamFailure: StreamFailure;
  /** Silence after which a comment is sent on a committed stream; 0 sends none. */
  readonly heartbeatMs: Ms;
  /** What becomes of an answer whose key is revoked or expires while it is given. */
  readonly onRevoked: OnRevoked;
  /** How long a client may take nothing while we hold bytes for it. */
  readonly clientStallMs: Ms;
  /** A buffered answer larger than this is relayed as it comes instead of held whole. */
  readonly bufferBytesMax: Bytes;
  /** What a lossy translation does where neither key nor pool says. */
  readonly onLoss: OnLoss;
  /** Ask for usage on OpenAI streams whose caller did not, and strip the extra chunk. */
  readonly injectIncludeUsage: boolean;
}

/** What happens around every key's budgets. */
export interface BudgetsConfig {
  /** What a call over its budget is answered with. */
  readonly status: BudgetStatus;
  readonly onExhausted: OnExhausted;
  readonly alerts: AlertsConfig;
}

/** Who is told how much of a budget is used up. */
export interface AlertsConfig {
  /** Rising; nobody is told anything where there is none. */
  readonly percents: readonly number[];
  readonly webhook: WebhookConfig | undefined;
}

export interface WebhookConfig {
  /** May hold a secret, in its path or its query. */
  readonly url: URL;
  readonly secret: Secret | undefined;
}

export interface FailoverConfig {
  readonly attemptsMax: number;
  readonly deadlineMs: Ms;
}

/** State that outlives a process, beside the files of the state directory. */
export interface StateConfig {
  /** A PostgreSQL database that several nodes share; undefined keeps to the node's own files. */
  readonly databaseUrl: Secret | undefined;
  /** Whether the file names it. A variable may be another program's: nothing is made there then. */
  readonly isNamed: boolean;
  readonly connectionsMax: number;
  /**
   * Which part of a budget a node may use before it has asked the others; undefined where budgets
   * are each node's own.
   */
  readonly slicePart: number | undefined;
  /** Other nodes to exchange stored keys with; undefined where nobody is talked to. */
  readonly peers: PeersConfig | undefined;
}

/** Nodes that share no database. Each asks the admin listeners of the others. */
export interface PeersConfig {
  readonly urls: readonly URL[];
  /** What all of them know. */
  readonly secret: Secret;
}

/** One thing wrong (or doubtful) in a configuration: where, why, and what to do. */
export interface Diagnostic {
  /** Dotted path as a person would say it: `providers.openai.base_url`. */
  readonly path: string;
  readonly reason: string;
  readonly fix: string;
}
