import { mkdirSync } from "node:fs";
import type { Ms } from "../core/units.ts";
import { systemClock as clock } from "../runtime/clock.ts";
import { systemRandom } from "../runtime/random.ts";
import type { Actor } from "../state/slab/actor.ts";
import { LEDGER } from "../state/slab/layout.ts";
import {
  countFacts,
  hasFacts,
  isDeskWanted,
  leaveDesk,
  takeDesk,
  tellLedger,
} from "../state/slab/ledger-desk.ts";
import { joinSlab, ownersOf } from "../state/slab/stations.ts";
import { BUSY_MAX_MS, RingDrain } from "../state/ledger/drain.ts";
import type { LedgerSink } from "../state/ledger/sink.ts";
import { sharedLog } from "./fleet/process-log.ts";
import { FactShipper, type ShipOrder, type ShipStatus } from "./fact-shipper.ts";
import { openLedgerSink } from "./ledger-sink.ts";
import { hasDead, isAlive, mapSlab, selfOwner, sweepDead } from "./shared-slab.ts";

/** How long facts are gathered: one write for many. */
const GATHER_MS: Ms = 50;
const WAIT_MS: Ms = 50;
const SWEEP_MS: Ms = 250;
const RETRY_FIRST_MS: Ms = 50;
const RETRY_MAX_MS: Ms = 500;
/** With nothing to write for so long it ends; whoever started it starts another when there is. */
const IDLE_MS: Ms = 30_000;
/** How long an end waits for the database that nodes share: the rest goes after the next start. */
const SHIP_END_MS: Ms = 2000;

/**
 * `interlock ledger-writer DIRECTORY PORT`: brings the facts of a gateway's processes to its
 * ledger, so that none of those who serve ever waits for a disk. Started by the gateway when there
 * is something to write. It may be killed at any moment: what it had not written is in the rings.
 */
export async function ledgerWriter(argv: readonly string[]): Promise<number> {
  const [directory, port] = argv;
  if (directory === undefined || process.send === undefined) {
    process.stderr.write("interlock: the ledger's writer is started by `interlock start`\n");
    return 2;
  }
  const log = sharedLog("info");
  const slab = mapSlab({ directory, port: Number(port) }, systemRandom);
  const actor = "problem" in slab ? undefined : joinSlab(slab, selfOwner());
  if (actor === undefined) {
    const problem = "problem" in slab ? slab.problem : "too many processes share it";
    log.line("error", "ledger", "The ledger's writer cannot reach the facts", { problem });
    await log.flush();
    return 1;
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const writer = new Writer(directory, actor, (problem) =>
    log.line("error", "ledger", "A fact was lost", { problem }),
  );
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
  process.on("message", (message: KeeperTalk) => {
    if (message === "end") writer.end();
    else writer.ship(message.ship);
  });
  process.on("disconnect", () => writer.orphan());
  await writer.run();
  await log.flush();
  process.exit(0);
}

/** What whoever started a writer says to it. */
export type KeeperTalk = "end" | { readonly ship: ShipOrder };
/** What a writer says. */
export interface WriterTalk {
  readonly shipping: ShipStatus;
}

/** Guards the order of a writer's life: waits for its turn, writes, and ends with nothing left. */
class Writer {
  readonly #directory: string;
  readonly #actor: Actor;
  readonly #onLost: (why: string) => void;
  #sink: LedgerSink | undefined;
  #order: ShipOrder | undefined;
  #shipper: FactShipper | undefined;
  #isEnding = false;
  #isOrphan = false;
  #retryMs: Ms = RETRY_FIRST_MS;
  #sweptAt: Ms = -Infinity;
  #busyAt: Ms = clock.now();

  constructor(directory: string, actor: Actor, onLost: (why: string) => void) {
    this.#directory = directory;
    this.#actor = actor;
    this.#onLost = onLost;
  }

  /** Writes what there is, and then nothing more. */
  end(): void {
    this.#isEnding = true;
  }
  /** Brings what is written to a database as well. */
  ship(order: ShipOrder): void {
    this.#order = order;
    this.#startShipping();
  }
  /** Nobody starts another in its place; those who serve may go on for a while. */
  orphan(): void {
    this.#isOrphan = true;
  }

  async run(): Promise<void> {
    while (!takeDesk(this.#actor, { isAlive })) {
      if (this.#isEnding || this.#isOrphan) return this.#actor.leave();
      await pause(WAIT_MS);
    }
    let drain: RingDrain | undefined;
    for (;;) {
      drain ??= await this.#open();
      const wait = drain === undefined ? this.#fail() : await this.#turn(drain);
      if (wait === undefined || this.#isRelieved()) break;
      if (wait > 0) await pause(wait);
    }
    await this.#sink?.close();
    await this.#shipper?.end(this.#isOrphan ? 0 : SHIP_END_MS);
    leaveDesk(this.#actor);
    this.#actor.leave();
  }

  async #open(): Promise<RingDrain | undefined> {
    const sink = await openLedgerSink(this.#directory, { clock, random: systemRandom });
    if ("why" in sink) {
      countFacts(this.#actor.slab, "Failures", 1);
      const isSure = sink.why !== "busy" || clock.now() - this.#busyAt >= BUSY_MAX_MS;
      if (isSure) tellLedger(this.#actor.slab, LEDGER[sink.why], clock.machine());
      return undefined;
    }
    this.#sink = sink;
    this.#startShipping();
    return new RingDrain({ actor: this.#actor, clock, sink, onLost: this.#onLost });
  }

  /** Once there is a ledger to ship from, and a place to ship it to. */
  #startShipping(): void {
    if (this.#order === undefined || this.#sink === undefined) return;
    if (this.#shipper !== undefined) return;
    const onStatus = (shipping: ShipStatus): void => {
      if (process.connected) process.send?.({ shipping } satisfies WriterTalk);
    };
    const options = { directory: this.#directory, order: this.#order, clock, onStatus };
    this.#shipper = new FactShipper(options);
    this.#shipper.start();
  }

  /** Sweeps, writes a group, and answers how long to wait; undefined when it is over. */
  async #turn(drain: RingDrain): Promise<Ms | undefined> {
    const now = clock.now();
    const { slab } = this.#actor;
    if (this.#isEnding || now - this.#sweptAt >= SWEEP_MS) {
      if (hasDead(slab)) sweepDead(this.#actor, clock);
      this.#sweptAt = now;
    }
    const turn = await drain.turn();
    switch (turn.kind) {
      case "failed":
        return this.#fail();
      case "written":
        this.#retryMs = RETRY_FIRST_MS;
        this.#busyAt = now;
        return turn.more || this.#isEnding ? 0 : GATHER_MS;
      case "empty":
        return this.#isOver(now) ? undefined : GATHER_MS;
    }
  }

  /** The disk takes nothing: what is not written stays in the rings, also when we end. */
  #fail(): Ms | undefined {
    if (this.#isEnding) return undefined;
    const delay = this.#retryMs;
    this.#retryMs = Math.min(RETRY_MAX_MS, delay * 2);
    return delay;
  }

  #isOver(now: Ms): boolean {
    if (hasFacts(this.#actor.slab)) return false;
    if (this.#isEnding) return true;
    if (this.#isOrphan) return this.#isAlone();
    // What another has yet to be given keeps it here: nobody else would bring it.
    return now - this.#busyAt >= IDLE_MS && this.#shipper?.isIdle !== false;
  }

  /** A successor's writer waits, who goes on where this one stops. */
  #isRelieved(): boolean {
    return (this.#isEnding || this.#isOrphan) && isDeskWanted(this.#actor);
  }

  #isAlone(): boolean {
    const { slab, station } = this.#actor;
    return ownersOf(slab).every((owner) => owner.station === station || !isAlive(owner));
  }
}

function pause(delay: Ms): Promise<void> {
  return new Promise((resolve) => clock.after(delay, resolve));
}
