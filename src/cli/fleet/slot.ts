import type { Ms } from "../../core/units.ts";
import type { Clock, Log } from "../../runtime/runtime.ts";
import { NOTIFY_VARIABLES } from "../notify.ts";
import { servingEnvironment } from "../reexec.ts";
import { Channel } from "./channel.ts";
import { Deaths } from "./deaths.ts";
import type { WorkerHealth } from "./merge-health.ts";
import type { OpenOrder, WorkerTalk } from "./orders.ts";
import { ownCommand } from "./own-command.ts";
import { failed, type Report, type Verdict } from "./serving.ts";

/** How long a worker may take from its spawn to its first accepted connection. */
const OPEN_LIMIT_MS: Ms = 20_000;

export interface SlotOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What a worker that is spawned now is to serve. */
  readonly order: () => OpenOrder;
  /** A worker died without being told to end; with the last report it made. */
  readonly onDeath: (last: Report | undefined) => void;
  /** A worker that replaces another serves; its configuration may be old by now. */
  readonly onOpen: (slot: Slot) => void;
}

interface Worker {
  readonly child: Bun.Subprocess;
  readonly channel: Channel<WorkerTalk>;
  readonly startedAt: Ms;
}

/** One worker's place: whoever dies in it is replaced, until the place is closed. */
export class Slot {
  readonly #options: SlotOptions;
  readonly #deaths = new Deaths();
  #worker: Worker | undefined;
  #state: WorkerHealth["state"] = "starting";
  #last: Report | undefined;
  #answeredAt: Ms = 0;
  #restarts = 0;
  #isClosed = false;
  #isHeld = false;
  #isLooping = false;

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  get isServing(): boolean {
    return this.#state === "serving";
  }
  /** Whether its workers keep dying and none is there now. */
  get isHopeless(): boolean {
    return this.#isLooping && this.#state !== "serving";
  }
  get pid(): number | undefined {
    return this.#state === "down" ? undefined : this.#worker?.child.pid;
  }
  /** What the worker said last; a dead one says nothing. */
  get last(): Report | undefined {
    return this.#last;
  }
  get exited(): Promise<unknown> {
    return this.#worker?.child.exited ?? Promise.resolve();
  }

  /** Spawns a worker and waits until it serves. */
  async fill(): Promise<Verdict> {
    const { clock, env, order } = this.#options;
    this.#state = "starting";
    const child = Bun.spawn([...ownCommand(), "worker"], {
      env: { ...servingEnvironment(env), ...blank(NOTIFY_VARIABLES) },
      argv0: process.execPath,
      stdio: ["ignore", "inherit", "inherit"],
      serialization: "json",
      ipc: (message) => channel.receive(message),
    });
    const channel = new Channel<WorkerTalk>({ clock, send: (message) => child.send(message) });
    const worker: Worker = { child, channel, startedAt: clock.now() };
    this.#worker = worker;
    void child.exited.then(() => this.#exited(worker));
    const verdict = await channel.ask("open", order(), OPEN_LIMIT_MS);
    if (verdict?.ok !== true) {
      child.kill("SIGKILL");
      return verdict ?? failed("it ended, or did not answer, before it served");
    }
    this.#state = "serving";
    this.#answeredAt = clock.now();
    this.#isLooping = false;
    return verdict;
  }

  /** Asks the worker; undefined when it does not answer in time, or there is none. */
  async ask<K extends keyof WorkerTalk & string>(
    name: K,
    order: WorkerTalk[K]["order"],
    limit: Ms,
  ): Promise<WorkerTalk[K]["answer"] | undefined> {
    const { clock } = this.#options;
    const answer = await this.#worker?.channel.ask(name, order, limit);
    if (answer !== undefined) this.#answeredAt = clock.now();
    return answer;
  }

  /** Asks what it is doing, and remembers it for when it is gone. */
  async report(limit: Ms): Promise<Report | undefined> {
    if (this.#state === "starting") return undefined; // It does nothing yet.
    const worker = this.#worker;
    const report = await this.ask("report", {}, limit);
    if (report !== undefined && worker === this.#worker) this.#last = report;
    return report;
  }

  /** Kills a worker whose event loop has been stuck for `limit`. */
  killIfStuck(limit: Ms): boolean {
    const stuck = this.isServing && this.#options.clock.now() - this.#answeredAt > limit;
    if (stuck) this.kill();
    return stuck;
  }

  /** The place stays empty when its worker ends. */
  close(): void {
    this.#isClosed = true;
    if (this.#state === "serving") this.#state = "draining";
    else if (this.#state === "starting") this.kill();
  }

  /** While held, a death leaves a gap. */
  hold(still: boolean): void {
    this.#isHeld = still;
    if (!still && this.#state === "down") this.#refill(0);
  }

  /** Takes the last report away, so that nobody counts it twice. */
  takeLast(): Report | undefined {
    const last = this.#last;
    this.#last = undefined;
    return last;
  }

  kill(): void {
    this.#worker?.child.kill("SIGKILL");
  }

  health(): WorkerHealth {
    const { clock } = this.#options;
    const { requests_in_flight = 0, memory_bytes = 0 } = this.#last?.health ?? {};
    const isUp = this.#state === "serving" || this.#state === "draining";
    const uptimeMs = this.#worker === undefined ? 0 : clock.now() - this.#worker.startedAt;
    return {
      pid: isUp ? (this.pid ?? 0) : 0,
      state: this.#state,
      generation: this.#last?.generation ?? 0,
      uptime_seconds: isUp ? Math.round(uptimeMs / 1000) : 0,
      requests_in_flight: isUp ? requests_in_flight : 0,
      memory_bytes: isUp ? memory_bytes : 0,
      restarts: this.#restarts,
    };
  }

  #exited({ child, channel }: Worker): void {
    channel.close();
    const wasOpen = this.#state === "serving" || this.#state === "draining";
    this.#state = "down";
    if (this.#isClosed || (!wasOpen && this.#restarts === 0)) return;
    const { clock, log, onDeath } = this.#options;
    const { delayMs, isLoop } = this.#deaths.note(clock.now());
    this.#isLooping = isLoop;
    const how = { pid: child.pid, exit_code: child.exitCode ?? undefined };
    const fields = { ...how, signal: child.signalCode ?? undefined, restart_in_ms: delayMs };
    log.line("error", "supervisor", "A worker died", fields);
    if (isLoop) log.line("error", "supervisor", "A worker keeps dying: see its last lines", how);
    onDeath(this.takeLast());
    if (!this.#isHeld) this.#refill(delayMs);
  }

  #refill(delayMs: Ms): void {
    const { clock, log, onOpen } = this.#options;
    clock.after(delayMs, () => {
      if (this.#isClosed || this.#isHeld || this.#state !== "down") return;
      this.#restarts++;
      void this.fill().then((verdict) => {
        const pid = this.pid;
        if (!verdict.ok) log.line("error", "supervisor", verdict.reason, { pid });
        else log.line("info", "supervisor", "A worker was replaced", { pid });
        if (verdict.ok) onOpen(this);
      });
    });
  }
}

function blank(names: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
