import type { Config } from "../config/config.ts";
import { DEMO_BACKEND_NAME } from "../config/names.ts";
import type { Backend } from "../core/backend.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement } from "../core/privacy.ts";
import type { Ms } from "../core/units.ts";
import { VERSION } from "../core/version.ts";
import { createGovernor, type Governor } from "../governor/governor.ts";
import { LedgerGate } from "../governor/ledger-gate.ts";
import type { LimitBook } from "../governor/limit-book.ts";
import { LATE_CARD, type RateCard } from "../state/rate-card/rate-card.ts";
import { type KeyRing, keyRing } from "../ingress/authenticate.ts";
import { SignedRing } from "../ingress/signed-ring.ts";
import type { DenySet } from "../state/keys/deny-set.ts";
import type { StoredKeys } from "../ingress/stored-key.ts";
import { alerting } from "./alerts.ts";
import { KeyWatch } from "./stream-rules.ts";
import { type Dialects, dialects } from "../protocol/dialects.ts";
import { createProofs, type Proofs } from "../protocol/translate/proofs.ts";
import { buildRoutes, type Routes, routesFor } from "../router/routes.ts";
import { ownedLabel } from "../config/tenants.ts";
import type { TenantId } from "../core/ids.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { type BreakerState, createMetrics, type LimitSource } from "../telemetry/catalogue.ts";
import { HeapCells } from "../telemetry/cells.ts";
import { createRecorder, type Recorder } from "../telemetry/record.ts";
import { demoNetwork } from "../upstream/demo.ts";
import { createEgress, type Egress } from "../upstream/egress.ts";

/** Everything one configuration needs to serve: built whole, then swapped in as one value. */
export interface Gateway {
  readonly config: Config;
  readonly runtime: Runtime;
  readonly dialects: Dialects;
  readonly keys: KeyRing;
  readonly routes: Routes;
  /** The names as each tenant of the configuration sees them. */
  readonly views: ReadonlyMap<TenantId, Routes>;
  /** Seals what one vendor must get back unseen through another vendor's protocol. */
  readonly proofs: Proofs;
  readonly governor: Governor;
  /** Whether facts of usage are kept; undefined where they never are. */
  readonly ledger: LedgerGate | undefined;
  /** What models cost. */
  readonly card: RateCard;
  readonly recorder: Recorder;
  /** Ends streams whose key does. */
  readonly keyWatch: KeyWatch;
  readonly egressOf: (lane: Lane<Placement>) => Egress;
  readonly userAgent: string;
  /** The time by which periods and keys end: the wall clock, unless that has jumped. */
  readonly wall: () => Ms;
  readonly startedAt: Ms;
  readonly startedWall: Ms;
}

export interface AssembleOptions {
  /** Lines the log has dropped so far, for the metric that must stay 0. */
  readonly logLinesDropped: () => number;
  /** Where limits are counted; without one, keys have none. */
  readonly book?: LimitBook | undefined;
  /** Keys of the state directory, where there are any. */
  readonly stored?: StoredKeys | undefined;
  /** Tenants of signed keys that are shut out. */
  readonly denied?: DenySet | undefined;
  /** Prices over the embedded ones. */
  readonly card?: RateCard | undefined;
}

const BREAKER_CLOSED: BreakerState = 0;

/** The embedded backend is reached in memory: its address is a name that cannot exist. */
function isDemo(backend: Backend<Placement>): boolean {
  return backend.name === DEMO_BACKEND_NAME && backend.baseUrl.hostname.endsWith(".invalid");
}

/**
 * The key of a carried proof: the same on every node with the same providers, and new when one of
 * their credentials is, after which an old proof is dropped like a foreign one.
 */
function proofKey({ backends }: Config): Uint8Array {
  const hasher = new Bun.CryptoHasher("sha256").update("interlock carried proofs");
  for (const { name, credential } of backends) {
    hasher.update(`\n${name}\n${credential?.expose() ?? ""}`);
  }
  return hasher.digest();
}

/** The labels of names that belong to tenants. */
function ownedLabels({ tenants }: Config): readonly string[] {
  return [...tenants.values()].flatMap(({ id, models, pools }) =>
    [...models.keys(), ...pools.keys()].map((name) => ownedLabel(id, name)),
  );
}

function limitSource(book: LimitBook): LimitSource {
  return {
    get cells() {
      const { rowsUsed, rowsMax } = book.counts;
      return { used: rowsUsed, max: rowsMax };
    },
    get shared() {
      return book.counts.rowsShared;
    },
    get recordsFull() {
      return book.counts.recordsFull;
    },
    get clockJumped() {
      return book.wall?.isFrozen === true;
    },
  };
}

export function assemble(config: Config, runtime: Runtime, options: AssembleOptions): Gateway {
  const { enabled, isWanted, onFailure } = config.ledger;
  const isKept = enabled && (isWanted || options.book?.shared === true);
  const userAgent = `interlock/${VERSION}`;
  const startedWall = runtime.clock.wall();
  const guard = options.book?.wall;
  const wall = guard === undefined ? () => runtime.clock.wall() : () => guard.read();
  const routes = buildRoutes(config);
  const { tenants } = config;
  const { denied } = options;
  const metrics = createMetrics(new HeapCells(), {
    breakers: () => config.backends.map(({ name }) => [name, BREAKER_CLOSED] as const),
    logLinesDropped: options.logLinesDropped,
    limits: options.book && limitSource(options.book),
    startedWall,
    version: VERSION,
  });
  const egresses = new Map<Backend<Placement>, Egress>();
  for (const backend of config.backends) {
    const network = isDemo(backend) ? demoNetwork(runtime) : runtime.network;
    egresses.set(backend, createEgress(backend, { network, clock: runtime.clock }));
  }
  return {
    config,
    runtime,
    dialects,
    keys: keyRing(config.keys, {
      stored: options.stored,
      wall,
      signed: config.signedKeys && new SignedRing(config.signedKeys, { denied, tenants }),
      tenants,
      own: config.ownKeys,
    }),
    routes,
    views: new Map([...tenants].map(([id, tenant]) => [id, routesFor(tenant, routes)])),
    proofs: createProofs(proofKey(config)),
    governor: createGovernor({
      inFlightMax: config.server.connectionsMax,
      book: options.book,
      addressRateMax: config.server.addressRateMax,
      machine: () => runtime.clock.machine(),
      alerts: alerting(config.budgets.alerts, { runtime, metrics, userAgent, wall }),
    }),
    ledger: isKept && options.book ? new LedgerGate(options.book, onFailure) : undefined,
    card: options.card ?? LATE_CARD,
    keyWatch: new KeyWatch(runtime.clock, wall),
    recorder: createRecorder(metrics, {
      modelNames: new Set([...routes.named.keys(), ...ownedLabels(config)]),
      observed: new Map(),
    }),
    egressOf(lane) {
      const egress = egresses.get(lane.backend);
      if (egress === undefined) throw new Error(`no egress for backend ${lane.backend.name}`);
      return egress;
    },
    userAgent,
    wall,
    startedAt: runtime.clock.now(),
    startedWall,
  };
}
