import { existsSync } from "node:fs";
import type { Ms } from "../../core/units.ts";
import type { Clock, Log, Random, Timer } from "../../runtime/runtime.ts";
import { LEDGER } from "../../state/slab/layout.ts";
import { hasFacts, type LedgerView, tellLedger, viewLedger } from "../../state/slab/ledger-desk.ts";
import type { Slab } from "../../state/slab/slab.ts";
import { databaseFile } from "../../state/store/open.ts";
import type { ShipOrder, ShipStatus } from "../fact-shipper.ts";
import type { KeeperTalk, WriterTalk } from "../ledger-writer.ts";
import { NOTIFY_VARIABLES } from "../notify.ts";
import { hasSlab, mapSlab, type SlabPlace } from "../shared-slab.ts";
import { Deaths } from "./deaths.ts";
import { ownCommand } from "./own-command.ts";

/** How often the rings are looked at while nobody writes them out. */
const LOOK_MS: Ms = 200;
/** It has died some times within a minute by then. */
const DYING_MS: Ms = 800;
/** What the disk takes that long to take is left in the rings for the next start. */
const END_LIMIT_MS: Ms = 10_000;

export interface LedgerKeeperOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly place: SlabPlace;
  /** A database to bring facts to as well. */
  readonly ship: ShipOrder | undefined;
}

/**
 * Sees to it that a process writes facts to the ledger whenever there are some: starts it when the
 * first is in a ring, another when it dies, and lets it end when there is nothing to do.
 */
export class LedgerKeeper {
  readonly #options: LedgerKeeperOptions;
  readonly #deaths = new Deaths();
  #slab: Slab | undefined;
  #child: Bun.Subprocess | undefined;
  #notBefore: Ms = 0;
  #restarts = 0;
  /** Facts of an earlier run may wait in the ledger for the database that nodes share. */
  #owes: boolean;
  #shipping: ShipStatus | undefined;
  #timer: Timer | undefined;

  constructor(options: LedgerKeeperOptions) {
    this.#options = options;
    const { ship, place } = options;
    this.#owes = ship !== undefined && existsSync(databaseFile(place.directory));
  }

  start(): void {
    this.#look();
  }

  /** How the ledger stands; undefined where nothing was ever shared. */
  get view(): LedgerView | undefined {
    return this.#slab && viewLedger(this.#slab);
  }
  /** What waits for the database that nodes share; undefined until it was tried. */
  get shipping(): ShipStatus | undefined {
    return this.#shipping;
  }
  /** Writers that died and were replaced. */
  get restarts(): number {
    return this.#restarts;
  }

  /** After the last who serves: everything is written out, and the writer ends. */
  async end(): Promise<void> {
    this.#timer?.cancel();
    const { clock } = this.#options;
    const deadline = clock.now() + END_LIMIT_MS;
    this.#map();
    while (clock.now() < deadline) {
      if (this.#child === undefined) {
        if (this.#slab === undefined || !hasFacts(this.#slab)) return;
        this.#spawn();
      }
      const child: Bun.Subprocess | undefined = this.#child;
      child?.send("end");
      const late = new Promise<void>((resolve) => clock.after(deadline - clock.now(), resolve));
      await Promise.race([child?.exited, late]);
      if (child?.exitCode === 0) return;
    }
    this.#child?.kill("SIGKILL");
  }

  #look(): void {
    const { clock } = this.#options;
    this.#map();
    const isDue = this.#child === undefined && clock.now() >= this.#notBefore;
    const hasWork = this.#owes || (this.#slab !== undefined && hasFacts(this.#slab));
    if (isDue && hasWork) this.#spawn();
    this.#timer = clock.after(LOOK_MS, () => this.#look());
  }

  /** Made by whoever counts first; to look into it, it need not be. */
  #map(): void {
    const { place, random } = this.#options;
    if (this.#slab !== undefined || !hasSlab(place)) return;
    const slab = mapSlab(place, random);
    if (!("problem" in slab)) this.#slab = slab;
  }

  #spawn(): void {
    const { env, place, ship } = this.#options;
    const command = [...ownCommand(), "ledger-writer", place.directory, String(place.port)];
    const child = Bun.spawn(command, {
      env: { ...env, ...blank(NOTIFY_VARIABLES) },
      argv0: process.execPath,
      stdio: ["ignore", "inherit", "inherit"],
      serialization: "json",
      ipc: ({ shipping }: WriterTalk) => void this.#tell(shipping),
    });
    this.#child = child;
    if (ship !== undefined) child.send({ ship } satisfies KeeperTalk);
    void child.exited.then(() => this.#exited(child));
  }

  #tell(shipping: ShipStatus): void {
    const { log } = this.#options;
    const { problem } = shipping;
    const before = this.#shipping?.problem;
    this.#shipping = shipping;
    if (problem === before) return;
    if (problem === undefined) log.line("info", "ledger", "The database takes facts");
    else log.line("warn", "ledger", "The database takes no facts: they wait here", { problem });
  }

  #exited(child: Bun.Subprocess): void {
    if (this.#child === child) this.#child = undefined;
    if (child.exitCode === 0) {
      this.#owes = false; // It ends by itself only when all is where it belongs.
      return;
    }
    const { clock, log } = this.#options;
    const { delayMs } = this.#deaths.note(clock.now());
    // A writer that keeps dying writes nothing: its first success says that all is well again.
    if (delayMs >= DYING_MS && this.#slab) tellLedger(this.#slab, LEDGER.io, clock.machine());
    this.#restarts++;
    this.#notBefore = clock.now() + delayMs;
    const how = { pid: child.pid, exit_code: child.exitCode ?? undefined };
    const fields = { ...how, signal: child.signalCode ?? undefined, restart_in_ms: delayMs };
    log.line("error", "supervisor", "The ledger's writer died", fields);
  }
}

function blank(names: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
