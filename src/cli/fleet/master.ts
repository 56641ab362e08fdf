import type { AdminDesk } from "../../admin/desk.ts";
import type { AdminStart } from "../../admin/listener.ts";
import type { Environment } from "../../config/env.ts";
import type { Ms } from "../../core/units.ts";
import type { BufferedLog } from "../../runtime/log.ts";
import type { Clock, Random, Timer } from "../../runtime/runtime.ts";
import type { Actor } from "../../state/keys/key-audit.ts";
import { StoreError } from "../../state/store/sql.ts";
import type { Store } from "../../state/store/store.ts";
import type { Notifier } from "../notify.ts";
import { DenyKeeper } from "../deny-keeper.ts";
import type { Peers } from "../peers.ts";
import type { SharedState } from "../shared-state.ts";
import type { StartOptions } from "../start-options.ts";
import { StateStore } from "../state-store.ts";
import { openAdmin } from "./admin.ts";
import { type Answered, type ControlRequest, type ControlServer, serveControl } from "./control.ts";
import type { Fixed } from "./fixed.ts";
import type { LedgerKeeper } from "./ledger-keeper.ts";
import { ledgerStanding } from "./ledger-metrics.ts";
import { startSuccessor, type Successor } from "./handover.ts";
import { type DatabaseStanding, standingOf } from "./database-standing.ts";
import { createMasterMetrics } from "./master-metrics.ts";
import type { Predecessor } from "./predecessor.ts";
import { type Reloaded, Reloader } from "./reloader.ts";
import type { Manner, Plan, Serving } from "./serving.ts";
import type { Signals } from "./signals.ts";
import {
  prepareRunFiles,
  removeRunFiles,
  type RunFiles,
  runFiles,
  writePids,
} from "./state-directory.ts";
import { listenerCount } from "./sockets.ts";
import { statusOf } from "./status-document.ts";

/** An old process listens on for a second after it has been replaced. */
const PORT_WAIT_MS: Ms = 15_000;
const PORT_LOOK_MS: Ms = 50;
/** Who serves in this process waits as long for another's write to the state. */
const STATE_MS: Ms = 250;

export interface MasterOptions {
  readonly argv: readonly string[];
  readonly options: StartOptions;
  readonly env: Environment;
  /** What other nodes share with this one; undefined where no database is configured. */
  readonly shared: Pick<SharedState, "status" | "store" | "shares"> | undefined;
  /** Makes what talks to nodes that share no database; undefined where there are none. */
  readonly makePeers: ((store: () => Promise<Store | string>) => Peers) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: BufferedLog;
  readonly notifier: Notifier;
  readonly serving: Serving;
  readonly plan: Plan;
  readonly fixed: Fixed;
  readonly stateDirectory: string | undefined;
  /** Brings facts to the ledger; undefined where nothing is kept. */
  readonly ledger: LedgerKeeper | undefined;
  /** A terminal hangs up on who runs in it; then SIGHUP means that, not a reload. */
  readonly hasTerminal: () => boolean;
  readonly predecessor: Predecessor | undefined;
  readonly signals: Signals;
}

/** How a master ended. */
export interface MasterEnd {
  readonly cut: number;
  /** Why, where nobody asked it to. */
  readonly reason: string | undefined;
  /** Whether a successor goes on in its place. */
  readonly isHandedOver: boolean;
}

/**
 * Everything round a gateway that serves: the admin listener, the control socket, signals, reloads
 * and the handover to a successor. Exactly one process of a gateway is its master.
 */
export class Master {
  readonly #o: MasterOptions;
  readonly #reloader: Reloader;
  readonly #metrics: ReturnType<typeof createMasterMetrics>;
  readonly #database: (() => DatabaseStanding) | undefined;
  readonly #startedAt: Ms;
  readonly #hadTerminal: boolean;
  readonly #over = Promise.withResolvers<Manner | { readonly kind: "broken"; reason: string }>();
  readonly #store: StateStore;
  readonly #denials: DenyKeeper;
  #admin: AdminStart | undefined;
  #peers: Peers | undefined;
  #control: ControlServer | undefined;
  #watchdog: Timer | undefined;
  #state: "serving" | "restarting" | "ending" = "serving";
  #successor: Successor | undefined;

  constructor(options: MasterOptions) {
    this.#o = options;
    const { serving, plan, fixed, env, log, clock } = options;
    this.#startedAt = clock.now();
    this.#hadTerminal = options.hasTerminal();
    this.#reloader = new Reloader({
      ...{ options: options.options, env, serving, fixed, plan, log },
    });
    const directory = options.stateDirectory;
    const port = this.#port();
    this.#store = new StateStore({
      clock,
      random: options.random,
      directory,
      deadlineMs: STATE_MS,
    });
    const place = { directory, port, state: plan.config.state };
    this.#denials = new DenyKeeper({ clock, log, store: this.#stateStore, ...place });
    const { denials, reloader } = { denials: this.#denials, reloader: this.#reloader };
    const { shared, ledger } = options;
    this.#database =
      shared &&
      (() => {
        const { status: keys, shares } = shared;
        return standingOf({ keys, facts: ledger?.shipping, shares });
      });
    const database = this.#database;
    const standings = () => this.#peers?.standings() ?? [];
    const peers = options.makePeers && { standings };
    this.#metrics = createMasterMetrics({ reloader, serving, ledger, denials, database, peers });
  }

  /** Where changes are written down: the database that is shared, or this node's own. */
  readonly #stateStore = (): Promise<Store | string> => {
    const { shared } = this.#o;
    return shared === undefined ? this.#store.get() : Promise.resolve(shared.store);
  };

  get admin(): AdminStart | undefined {
    return this.#admin;
  }

  /** Opens what only one process can have; a sentence when a configured admin port is not free. */
  open(): string | undefined {
    this.#peers = this.#o.makePeers?.(() => this.#store.get());
    this.#admin = this.#openAdmin();
    const isAsked = this.#o.plan.config.source.kind === "file";
    if (this.#admin?.kind === "refused" && isAsked) {
      return `${this.#admin.reason}: ${this.#admin.fix}`;
    }
    this.#openControl();
    void this.#peers?.start();
    this.#denials.apply(this.#reloader.config.signedKeys?.deny);
    return undefined;
  }

  /** Serves until it is told to end. */
  async run(): Promise<MasterEnd> {
    const { notifier, clock, serving, predecessor, log } = this.#o;
    const hurry = this.#listenToSignals();
    this.#o.ledger?.start();
    void serving.broken.then((reason) => this.#over.resolve({ kind: "broken", reason }));
    // What follows another is not started by systemd, which has been ready all the while.
    if (predecessor === undefined) notifier.ready(`Serving on ${serving.url.href}`);
    this.#watchdog = notifier.watchdog(clock);
    if (predecessor !== undefined) void this.#unsteer();
    const manner = await this.#over.promise;
    this.#state = "ending";
    if (manner.kind === "broken") {
      log.line("error", "supervisor", "Nothing serves any more: giving up", manner);
      serving.hurry();
    }
    if (manner.kind !== "handover") notifier.stopping();
    void hurry.then(() => serving.hurry());
    const cut = await serving.end(manner.kind === "broken" ? { kind: "stop" } : manner);
    await this.#o.ledger?.end(); // Last: until now somebody may have had something to say.
    await this.#close();
    const reason = manner.kind === "broken" ? manner.reason : undefined;
    return { cut, reason, isHandedOver: manner.kind === "handover" };
  }

  /** SIGTERM and SIGINT end it, a second one ends it at once; SIGHUP reloads. */
  #listenToSignals(): Promise<void> {
    const hurry = Promise.withResolvers<void>();
    let isTold = false;
    const end = (): void => {
      if (isTold) hurry.resolve();
      isTold = true;
      if (this.#state === "restarting") this.#successor?.dismiss();
      this.#over.resolve({ kind: "stop" });
      this.#state = "ending";
    };
    this.#o.signals.each((signal) => {
      const isHangUp = this.#hadTerminal && !this.#o.hasTerminal();
      if (signal === "SIGHUP" && !isHangUp) void this.#reload("signal:SIGHUP");
      else end();
    });
    return hurry.promise;
  }

  async #reload(by: Actor): Promise<Reloaded> {
    const { notifier, serving } = this.#o;
    const { generation } = this.#reloader;
    if (this.#state !== "serving") {
      const reason = this.#state === "ending" ? "this gateway is ending" : "a restart is under way";
      return { kind: "refused", generation, reason };
    }
    notifier.reloading();
    const reloaded = await this.#reloader.reload();
    this.#denials.apply(this.#reloader.config.signedKeys?.deny);
    if (reloaded.kind === "applied") void this.#noteReload(reloaded.generation, by);
    const suffix = reloaded.kind === "refused" ? "; the last reload was refused" : "";
    notifier.ready(`Serving on ${serving.url.href}, generation ${reloaded.generation}${suffix}`);
    return reloaded;
  }

  /** It has taken effect already: where nobody can write it down, the log says so. */
  async #noteReload(generation: number, by: Actor): Promise<void> {
    const { clock, log, plan } = this.#o;
    const { source } = plan.config;
    try {
      const store = await this.#stateStore();
      if (typeof store === "string") throw new StoreError("unavailable", store);
      await store.audit({
        ...{ at: Math.floor(clock.wall()), actor: by, action: "config.reload" },
        subject: source.kind === "file" ? source.path : source.kind,
        detail: JSON.stringify({ generation, digest: this.#reloader.digest }),
      });
    } catch (error) {
      const problem = error instanceof Error ? error.message : "unknown reason";
      log.line("error", "audit", "A reload could not be written down", { generation, problem });
    }
  }

  async #answer(request: ControlRequest, say: (text: string) => void): Promise<Answered> {
    switch (request.command) {
      case "status":
        return { ok: true, result: await this.#status() };
      case "reload": {
        const reloaded = await this.#reload("cli:reload");
        return { ok: reloaded.kind !== "refused", result: reloaded };
      }
      case "restart":
        return this.#restart(request.program, say);
    }
  }

  async #status(): Promise<object> {
    const { serving, fixed, plan, clock } = this.#o;
    await serving.health(); // Asks the workers, so that what follows is of now.
    return statusOf({
      state: this.#state,
      uptimeMs: clock.now() - this.#startedAt,
      generation: this.#reloader.generation,
      url: serving.url,
      adminPort: this.#admin?.kind === "listening" ? this.#admin.port : undefined,
      source: plan.config.source,
      wanted: fixed.workers,
      workers: serving.workers(),
      ledger: this.#o.ledger && ledgerStanding(this.#o.ledger),
      database: this.#database?.(),
      shares: this.#o.shared?.shares,
      peers: this.#peers?.standings() ?? [],
    });
  }

  async #restart(program: readonly string[], say: (text: string) => void): Promise<Answered> {
    const refusal = this.#restartRefusal();
    if (refusal !== undefined) return { ok: false, result: { reason: refusal } };
    const { log, serving } = this.#o;
    this.#state = "restarting";
    serving.hold(true);
    const reason = await this.#handOver(program, say);
    if (typeof reason !== "string") {
      const { pid, version } = reason;
      return { ok: true, result: { pid, version, replaced: process.pid } };
    }
    log.line("error", "restart", "The successor could not take over", { reason });
    serving.hold(false);
    if (this.#state === "restarting") this.#state = "serving";
    return { ok: false, result: { reason } };
  }

  #restartRefusal(): string | undefined {
    if (this.#state === "restarting") return "a restart is under way";
    if (this.#state === "ending") return "this gateway is ending";
    if (process.pid !== 1) return undefined;
    return "it is the first process of a container, which would end with it: restart the container";
  }

  /** The successor when it has everything; else why not, and everything is as it was. */
  async #handOver(
    program: readonly string[],
    say: (text: string) => void,
  ): Promise<Successor | string> {
    const { clock, argv, env, serving, log, notifier } = this.#o;
    const port = this.#port();
    if (listenerCount(port) !== serving.listeners) say("the process before still listens: waiting");
    const isAlone = await this.#untilAlone();
    const { listeners } = serving; // The successor's are the next in the kernel's order.
    const { WATCHDOG_PID: _ours, ...rest } = env;
    const started = await startSuccessor({ clock, program, argv, env: rest, port });
    if (typeof started === "string") return started;
    this.#successor = started;
    say(`pid ${started.pid} (${started.version}) serves beside ${process.pid}`);
    if (this.#state !== "restarting") {
      started.dismiss();
      return "this gateway was told to end meanwhile";
    }
    await this.#closeOwn();
    const problem = await started.take();
    if (problem !== undefined) {
      this.#successor = undefined;
      await serving.steer(0); // It ends by itself; until then nothing new goes to it.
      void started.gone.then(() => serving.steer(undefined));
      const lost = this.open();
      if (lost !== undefined)
        log.line("error", "restart", "An old listener is lost", { reason: lost });
      return problem;
    }
    this.#state = "ending";
    notifier.mainPid(started.pid);
    const steered = isAlone && (await serving.steer(listeners));
    started.release();
    const { pid, version } = started;
    const level = steered ? "info" : "warn"; // A connection or two may be lost then.
    log.line(level, "restart", "A successor has taken over", { pid, version, steered });
    this.#watchdog?.cancel();
    this.#over.resolve({ kind: "handover" });
    return started;
  }

  /** Whether all sockets on the port are ours: the process before this one leaves it soon. */
  async #untilAlone(): Promise<boolean> {
    const { clock, serving } = this.#o;
    for (let waited = 0; waited < PORT_WAIT_MS; waited += PORT_LOOK_MS) {
      const count = listenerCount(this.#port());
      if (count === undefined || count === serving.listeners) return count !== undefined;
      await new Promise<void>((resolve) => clock.after(PORT_LOOK_MS, resolve));
    }
    return false;
  }

  /** The kernel's own choice is fairer, once nobody must be spared. */
  async #unsteer(): Promise<void> {
    await this.#untilAlone();
    if (this.#state === "serving") await this.#o.serving.steer(undefined);
  }

  #openAdmin(): AdminStart | undefined {
    const { plan, log, serving } = this.#o;
    return openAdmin({
      ...{ config: plan.config, log, serving, metrics: this.#metrics, denials: this.#denials },
      ...{ database: this.#database, peers: this.#peers },
      tokens: () => this.#reloader.config.adminTokens,
      desk: () => this.#desk(),
    });
  }

  /** What the admin API works on; its parts are loaded when somebody calls it. */
  async #desk(): Promise<AdminDesk> {
    const { clock, random, stateDirectory: directory, shared } = this.#o;
    const { stateDesk } = await import("./state-desk.ts");
    return stateDesk({
      ...{ clock, random, directory, store: this.#stateStore, isShared: shared !== undefined },
      denials: () => (this.#denials.isAsked ? this.#denials.statuses() : undefined),
    });
  }

  /** Without a control socket it still serves, and signals still work. */
  #openControl(): void {
    const { serving } = this.#o;
    const files = this.#files();
    const problem =
      files === undefined
        ? "there is no home directory: set INTERLOCK_STATE_DIR"
        : prepareRunFiles(files);
    if (files === undefined || problem !== undefined) this.#sayUnreachable(problem);
    else if (this.#try(() => this.#serveControl(files))) {
      serving.onPids = () => this.#try(() => writePids(files.workers, serving.workerPids));
      serving.onPids();
    }
  }

  #serveControl(files: RunFiles): void {
    const answer = this.#answer.bind(this);
    this.#control = serveControl({ path: files.socket, log: this.#o.log, answer });
    writePids(files.pid, [process.pid]);
  }

  /** A full or read-only disk costs commands their way in, and requests nothing. */
  #try(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (cause) {
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
      this.#sayUnreachable(code);
      return false;
    }
  }

  #sayUnreachable(reason: string | undefined): void {
    const message = "No control socket: `interlock reload`, `restart` and `status` cannot reach us";
    this.#o.log.line("warn", "control", message, { reason });
  }

  #files() {
    const { stateDirectory, fixed } = this.#o;
    if (stateDirectory === undefined) return undefined;
    return runFiles(stateDirectory, { host: fixed.host, port: this.#port() });
  }

  #port(): number {
    return Number(this.#o.serving.url.port || 80);
  }

  /** What a successor needs to be free. */
  async #closeOwn(): Promise<void> {
    this.#control?.stop();
    this.#control = undefined;
    this.#o.serving.onPids = undefined; // The files are the successor's from here on.
    if (this.#admin?.kind === "listening") await this.#admin.stop();
    this.#admin = undefined;
    this.#denials.stop();
    this.#peers?.stop();
    this.#peers = undefined;
    await this.#store.close();
  }

  async #close(): Promise<void> {
    this.#watchdog?.cancel();
    const files = this.#files();
    const isOurs = this.#control !== undefined;
    await this.#closeOwn();
    if (isOurs && files !== undefined) removeRunFiles(files);
  }
}
