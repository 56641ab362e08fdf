import { SQL } from "bun";
import type { DenyConfig } from "../config/config.ts";
import type { Ms } from "../core/units.ts";
import type { Clock, Log } from "../runtime/runtime.ts";
import { eventDenials } from "../state/keys/deny-events.ts";
import { FileDenials } from "../state/keys/deny-file.ts";
import { natsConnector, natsDenials, type NatsModules } from "../state/keys/deny-nats.ts";
import { postgresDenials } from "../state/keys/deny-postgres.ts";
import { SavedDenials } from "../state/keys/deny-saved.ts";
import { DenySet, type DenySourceStatus } from "../state/keys/deny-set.ts";
import type { DenySource } from "../state/keys/deny-source.ts";
import type { Store } from "../state/store/store.ts";
import { type DenyPlace, denyPlaces, type DenyRoot } from "./deny-places.ts";

export interface DenyKeeperOptions extends DenyRoot {
  readonly clock: Clock;
  readonly log: Log;
  /** Where denials made by hand are. */
  readonly store: () => Promise<Store | string>;
}

/** Followers of the log hear that it is in step a few times while it may be behind, or so often. */
const FRESH_EVERY_MS: Ms = 10_000;
const FRESH_EVERY_MIN_MS: Ms = 250;
const STORE_AGAIN_MS: Ms = 1_000;
const POSTGRES_CONNECTIONS = 2;
const POSTGRES_CONNECT_SECONDS = 2;

/** A source, and how what it says is remembered. */
interface Saved {
  readonly place: DenyPlace;
  readonly deny: DenyConfig;
}

/**
 * Asks the sources of denials, once for a whole gateway, and writes down what they say where every
 * process that serves reads it. Exactly one process of a gateway has one at work.
 */
export class DenyKeeper {
  readonly #options: DenyKeeperOptions;
  #set: DenySet | undefined;
  #key = "";

  constructor(options: DenyKeeperOptions) {
    this.#options = options;
  }

  /** Asks what this configuration names from now on, and nobody else. */
  apply(deny: DenyConfig | undefined): void {
    const key = JSON.stringify([deny, deny?.nats?.url.expose(), deny?.postgres?.url.expose()]);
    if (this.#set !== undefined && key === this.#key) return;
    this.stop();
    if (deny === undefined) return;
    const { clock, log } = this.#options;
    const set = new DenySet(clock, (source, problem) => {
      if (problem === undefined) log.line("info", "deny-set", "A source is followed", { source });
      else log.line("error", "deny-set", "A source is out of reach", { source, problem });
    });
    this.#set = set;
    this.#key = key;
    if (deny.file !== undefined) set.follow(new FileDenials({ path: deny.file, clock }));
    for (const place of denyPlaces(deny, this.#options)) {
      if (place.name === "admin") void this.#followStore(set, { place, deny });
      else set.follow(this.#saved(this.#source(place, deny), { place, deny }));
    }
  }

  /** Lets go of all of them at once: from here on nothing is written by this process. */
  stop(): void {
    void this.#set?.stop(); // A server that is frozen may keep its farewell; nobody waits for it.
    this.#set = undefined;
  }

  /** Whether anybody asks who is shut out. */
  get isAsked(): boolean {
    return this.#set !== undefined;
  }

  statuses(): readonly DenySourceStatus[] {
    return this.#set?.statuses() ?? [];
  }

  #saved(source: DenySource, { place, deny }: Saved) {
    const { clock } = this.#options;
    const quarter = deny.stalenessMaxMs / 4;
    const freshEveryMs = Math.max(FRESH_EVERY_MIN_MS, Math.min(FRESH_EVERY_MS, quarter));
    return new SavedDenials(source, { path: place.path, clock, freshEveryMs });
  }

  #source({ name }: DenyPlace, { nats, postgres }: DenyConfig): DenySource {
    const { clock } = this.#options;
    if (name === "nats" && nats !== undefined) {
      const { url, bucket } = nats;
      return natsDenials({ clock, connect: natsConnector(packages, { url, bucket }) });
    }
    if (postgres === undefined) throw new Error("a source was named that is not configured");
    const connect = (): SQL =>
      new SQL(postgres.url.expose(), {
        max: POSTGRES_CONNECTIONS,
        connectionTimeout: POSTGRES_CONNECT_SECONDS,
      });
    return postgresDenials({ clock, connect });
  }

  /** The state's own log may be out of order at the start: what was saved is in force meanwhile. */
  async #followStore(set: DenySet, saved: Saved): Promise<void> {
    const { clock, store, log } = this.#options;
    const opened = await store();
    if (set !== this.#set) return;
    if (typeof opened !== "string") {
      const { local } = saved.place;
      set.follow(this.#saved(eventDenials({ store: opened, clock, local }), saved));
      return;
    }
    log.line("error", "deny-set", "Denials made here cannot be read", { problem: opened });
    clock.after(STORE_AGAIN_MS, () => void this.#followStore(set, saved));
  }
}

/** Loaded when they are needed. */
async function packages(): Promise<NatsModules> {
  const [transport, kv] = await Promise.all([
    import("@nats-io/transport-node"),
    import("@nats-io/kv"),
  ]);
  return { transport, kv } as unknown as NatsModules;
}
