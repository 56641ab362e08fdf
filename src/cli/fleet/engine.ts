import type { Config, DenyConfig } from "../../config/config.ts";
import type { Ms } from "../../core/units.ts";
import { assemble, type Gateway } from "../../gateway/assemble.ts";
import { adminSource, healthFacts } from "../../gateway/probes.ts";
import type { StoredKeys } from "../../ingress/stored-key.ts";
import type { DenySet } from "../../state/keys/deny-set.ts";
import { isLimited } from "../../governor/governor.ts";
import type { LimitBook } from "../../governor/limit-book.ts";
import type { Runtime, Timer } from "../../runtime/runtime.ts";
import { type DetailedHealth, detailedHealthOf } from "../../telemetry/health.ts";
import {
  countsOf,
  type Exposition,
  mergeExpositions,
  readExposition,
  writeExposition,
} from "./merge-metrics.ts";
import { tracked } from "./sessions.ts";

/** How often an old configuration is asked whether its last request has ended. */
const RETIRE_LOOK_MS: Ms = 250;

/** One configuration at work, with what must be known to end it. */
interface Era {
  readonly gateway: Gateway;
  /** Requests that came in and have no answer yet; later the governor counts them. */
  entering: number;
  readonly left: () => void;
  readonly close: () => void;
}

export interface EngineOptions {
  readonly runtime: Runtime;
  readonly logLinesDropped: () => number;
  /** Where limits are counted; asked for once somebody has any. */
  readonly book: () => LimitBook;
  /** Keys of the state directory, once there are any. */
  readonly stored: () => StoredKeys | undefined;
  /** The tenants that are shut out, followed as that changes. */
  readonly denied: (deny: DenyConfig) => DenySet;
}

/** Built and not serving yet. */
export interface Prepared {
  readonly era: Era;
}

/**
 * The configurations of one process: the one that serves what comes in now, and older ones until
 * their last request has ended. Each request keeps the one it began with.
 */
export class Engine {
  readonly #options: EngineOptions;
  #era: Era;
  #older: Era[] = [];
  /** Counts of configurations that are gone. */
  #gone: Exposition = new Map();
  #timer: Timer | undefined;
  #mood: "welcoming" | "leaving" | "refusing" = "welcoming";

  constructor(config: Config, options: EngineOptions) {
    this.#options = options;
    this.#era = this.#build(config, undefined);
  }

  /** What serves a request that arrives now. */
  readonly current = (): Gateway => this.#era.gateway;

  /** Counts a request until it has its answer; called in the turn that asked for `current`. */
  readonly watch = (answer: Promise<unknown>): void => {
    const era = this.#era;
    era.entering++;
    void answer.then(era.left, era.left);
  };

  prepare(config: Config): Prepared {
    return { era: this.#build(config, this.#era.gateway) };
  }

  discard({ era }: Prepared): void {
    era.close();
  }

  /** One assignment: what comes in later is served by the new one whole. */
  commit({ era }: Prepared): void {
    carryObservations(this.#era.gateway, era.gateway);
    this.#older.push(this.#era);
    this.#era = era;
    this.#spread();
    this.#look();
    this.askForStoredKeys(); // It may have been built before they were.
  }

  /** Builds what serves anew once keys were made that nobody was asked for when it was built. */
  askForStoredKeys(): void {
    const { config, keys } = this.#era.gateway;
    if (keys.stored !== undefined) return;
    if (this.#options.stored() !== undefined) this.commit(this.prepare({ ...config, keyed: true }));
  }

  get inFlight(): number {
    return this.#eras().reduce((sum, { gateway }) => sum + gateway.governor.inFlight, 0);
  }

  /** Configurations that still have requests, the serving one included. */
  get erasAlive(): number {
    return this.#older.length + 1;
  }

  sayGoodbye(): void {
    this.#mood = "leaving";
    this.#spread();
  }

  /** From now on nothing new is admitted. */
  refuse(): void {
    this.#mood = "refusing";
    this.#spread();
  }

  metrics(): string {
    const own = adminSource(this.#era.gateway).metrics();
    if (this.#older.length === 0 && this.#gone.size === 0) return own;
    const older = this.#older.map(({ gateway }) => adminSource(gateway).metrics());
    const read = [...older, own].map(readExposition);
    return writeExposition(mergeExpositions([this.#gone, ...read], "generations"));
  }

  health(): DetailedHealth {
    const health = detailedHealthOf(healthFacts(this.#era.gateway));
    return { ...health, requests_in_flight: this.inFlight };
  }

  #spread(): void {
    for (const { gateway } of this.#eras()) {
      if (this.#mood === "leaving") gateway.governor.sayGoodbye();
      if (this.#mood === "refusing") gateway.governor.drain();
    }
  }

  #eras(): readonly Era[] {
    return [...this.#older, this.#era];
  }

  #build(config: Config, before: Gateway | undefined): Era {
    const { runtime, logLinesDropped, book, stored, denied } = this.#options;
    const network = tracked(runtime.network);
    const { signedKeys } = config;
    const keys = stored();
    const guards = isGuarded(config);
    const keyed = keys !== undefined || signedKeys !== undefined || hasLimits(config);
    const limited = guards || keyed || config.ledger.enabled;
    const options = {
      logLinesDropped,
      stored: keys,
      book: limited ? book() : undefined,
      denied: signedKeys && denied(signedKeys.deny),
    };
    const built = assemble(config, { ...runtime, network }, options);
    const { startedAt, startedWall } = before ?? built;
    const era: Era = {
      gateway: { ...built, startedAt, startedWall }, // The process's, whatever it serves by.
      entering: 0,
      left: () => void era.entering--,
      close: network.closeSessions,
    };
    return era;
  }

  /** Lets go of every older configuration nobody needs, and looks again while there is one. */
  #look(): void {
    this.#timer?.cancel();
    const [over, alive] = partition(this.#older, isOver);
    this.#older = alive;
    for (const era of over) this.#retire(era);
    const { clock } = this.#options.runtime;
    this.#timer = alive.length > 0 ? clock.after(RETIRE_LOOK_MS, () => this.#look()) : undefined;
  }

  #retire({ gateway, close }: Era): void {
    const last = readExposition(adminSource(gateway).metrics());
    const counts = countsOf(last, "generations");
    this.#gone = mergeExpositions([this.#gone, counts], "generations");
    close();
  }
}

function isGuarded({ server, ownKeys }: Config): boolean {
  return (server.addressRateMax ?? ownKeys?.requestsPerMinute) !== undefined;
}

function hasLimits({ keys, tenants }: Config): boolean {
  return [...keys, ...tenants.values()].some(({ limits }) => isLimited(limits));
}

function isOver({ gateway, entering }: Era): boolean {
  return entering === 0 && gateway.governor.inFlight === 0;
}

/** What was learnt of a backend stays true of the one of the same name. */
function carryObservations(from: Gateway, to: Gateway): void {
  for (const { name } of to.config.backends) {
    const seen = from.recorder.observed.get(name);
    if (seen !== undefined) to.recorder.observed.set(name, seen);
  }
}

function partition<T>(all: readonly T[], test: (each: T) => boolean): readonly [T[], T[]] {
  return [all.filter(test), all.filter((each) => !test(each))];
}
