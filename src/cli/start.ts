import { closeSync, openSync } from "node:fs";
import type { Config } from "../config/config.ts";
import type { Environment } from "../config/env.ts";
import type { Ms } from "../core/units.ts";
import { VERSION } from "../core/version.ts";
import { logBug } from "../gateway/log-bug.ts";
import { systemClock } from "../runtime/clock.ts";
import { type BufferedLog, stdoutLog } from "../runtime/log.ts";
import type { Log } from "../runtime/runtime.ts";
import { systemNetwork } from "../runtime/network.ts";
import { systemRandom } from "../runtime/random.ts";
import type { Store } from "../state/store/store.ts";
import { banner } from "./banner.ts";
import { fetchCapAtStart, fetchCapProblem } from "./fleet/fetch-cap.ts";
import { fixedOf } from "./fleet/fixed.ts";
import { recording } from "./fleet/inputs.ts";
import { listenProblem } from "./fleet/listening.ts";
import { LedgerKeeper } from "./fleet/ledger-keeper.ts";
import { Local } from "./fleet/local.ts";
import { Master, type MasterOptions } from "./fleet/master.ts";
import { choosePort } from "./fleet/port.ts";
import type { Predecessor } from "./fleet/predecessor.ts";
import { sharedLog } from "./fleet/process-log.ts";
import type { Plan, Serving } from "./fleet/serving.ts";
import { catchSignals, type Signals } from "./fleet/signals.ts";
import { stateDirectory } from "./fleet/state-directory.ts";
import type { SharedState } from "./shared-state.ts";
import { workerCount } from "./fleet/worker-count.ts";
import { loadConfig, MACHINE } from "./load-config.ts";
import { createNotifier } from "./notify.ts";
import { readStartOptions, type StartOptions } from "./start-options.ts";

/** Standard output may be stuck: what is not written by then is lost. */
const FLUSH_MS: Ms = 2000;
/** Long enough for the last message to another process. */
const LAST_WORD_MS: Ms = 200;

/** `interlock start`: serves until a signal ends it. Resolves to the exit code. */
export async function start(argv: readonly string[]): Promise<number> {
  const options = readStartOptions(argv);
  if (typeof options === "string") return complain(`${options}\nOptions: interlock --help`, 2);
  const code = await startServing({ argv, options, env: process.env, predecessor: undefined });
  // What was opened before a refusal would keep the process, and nobody acts on its signals.
  process.stderr.write("", () => process.exit(code));
  return code;
}

/** `interlock succeed`: as `start`, in the place of the running gateway that started this one. */
export async function succeed(argv: readonly string[]): Promise<number> {
  const { findPredecessor } = await import("./fleet/predecessor.ts");
  const predecessor = findPredecessor();
  const options = readStartOptions(argv);
  if (predecessor === undefined || typeof options === "string") {
    return complain("successors are started by `interlock restart`", 2);
  }
  const code = await startServing({ argv, options, env: process.env, predecessor });
  systemClock.after(LAST_WORD_MS, () => process.exit(code)); // The talk would keep it for ever.
  return code;
}

interface Beginning {
  readonly argv: readonly string[];
  readonly options: StartOptions;
  readonly env: Environment;
  readonly predecessor: Predecessor | undefined;
}

async function startServing(beginning: Beginning): Promise<number> {
  const { options, env, predecessor } = beginning;
  const refuse = (text: string): number => {
    predecessor?.failed(text);
    return complain(text, 1);
  };
  const problem = fetchCapProblem(fetchCapAtStart(env));
  if (problem !== undefined) return refuse(problem);
  const signals = catchSignals(); // HUP would end a process that does not know it.
  const sources = recording(MACHINE);
  const loaded = await loadConfig(options, env, sources);
  if (typeof loaded === "string") return refuse(loaded);
  const { config } = loaded;
  const plan: Plan = { generation: 1, config, inputs: sources.inputs() };
  const log = logOf(config);
  process.on("unhandledRejection", (bug) => logBug(log, bug));
  const shared = await sharedState(config, env, log);
  if (typeof shared === "string") return refuse(shared);
  const serving = await openServing({ ...beginning, plan, log });
  if (typeof serving === "string") return refuse(serving);
  shared?.keepShares(Number(serving.url.port || 80));
  const makePeers = await peersMaker(config, env, log);
  if (typeof makePeers === "string") return refuse(makePeers);
  const master = masterOf({ ...beginning, plan, log, serving, signals, shared, makePeers });
  await predecessor?.serving(serving, VERSION);
  const refused = master.open();
  predecessor?.taken(refused);
  if (refused !== undefined) {
    // Beside a predecessor it has been answering for a moment already.
    if (predecessor === undefined) serving.abandon();
    else await serving.end({ kind: "handover" });
    return complain(refused, 1);
  }
  const { found } = loaded;
  process.stderr.write(banner({ config, found, dataUrl: serving.url, admin: master.admin }));
  const count = workerCount(config.server);
  const workers = count > 1 ? count : undefined;
  log.line("info", "gateway", "Listening", { url: serving.url.href, workers });

  const { cut, reason, isHandedOver } = await master.run();
  await shared?.close({ isForGood: !isHandedOver });
  log.line("info", "gateway", "Stopped", { requests_cut: cut });
  await log.flushWithin(FLUSH_MS);
  process.exit(reason === undefined ? 0 : 1); // An idle connection must not keep the process.
}

/** Loaded only where it is configured: a start without a database knows nothing of one. */
async function sharedState({ state }: Config, env: Environment, log: Log) {
  if (state.databaseUrl === undefined) return undefined;
  const { openSharedState } = await import("./shared-state.ts");
  const runtime = { clock: systemClock, random: systemRandom, log };
  return openSharedState({ config: state, directory: stateDirectory(env), runtime });
}

/** Loaded only where other nodes are named; a sentence where nothing of theirs can be kept. */
async function peersMaker({ state }: Config, env: Environment, log: Log) {
  const { peers } = state;
  if (peers === undefined) return undefined;
  const directory = stateDirectory(env);
  if (directory === undefined) return "state.peers needs a home directory: set INTERLOCK_STATE_DIR";
  const { Peers } = await import("./peers.ts");
  const runtime = { clock: systemClock, random: systemRandom, network: systemNetwork, log };
  return (store: () => Promise<Store | string>) =>
    new Peers({ ...runtime, peers: peers.urls, secret: peers.secret, directory, store });
}

interface Opening extends Beginning {
  readonly plan: Plan;
  readonly log: BufferedLog;
}

/** Several processes that write to one pipe must not tear each other's lines. */
function logOf({ logLevel, server }: Config): BufferedLog {
  if (workerCount(server) > 1) return sharedLog(logLevel);
  return stdoutLog({ clock: systemClock, level: logLevel, format: "auto" });
}

/** Opens the data port, in this process or in workers; a sentence when that cannot be. */
async function openServing({ plan, log, options, env, predecessor }: Opening) {
  const { config, generation } = plan;
  const { host } = config.server;
  const directory = stateDirectory(env);
  const heir = await predecessor?.port;
  const port = choosePort({ host, port: config.server.port, heir, directory });
  if (typeof port === "string") return port;
  if (workerCount(config.server) > 1) {
    const { Crew } = await import("./fleet/crew.ts");
    const fixed = fixedOf(config);
    const crew = new Crew({ clock: systemClock, log, env, options, plan, fixed, port });
    const opened = await crew.open();
    return opened.ok ? crew : opened.reason;
  }
  const runtime = { clock: systemClock, random: systemRandom, network: systemNetwork, log };
  try {
    return new Local({ config, runtime, log, generation, port });
  } catch (cause) {
    return listenProblem(cause, host, port);
  }
}

interface Opened extends Opening {
  readonly serving: Serving;
  readonly signals: Signals;
  readonly shared: SharedState | undefined;
  readonly makePeers: MasterOptions["makePeers"];
}

function masterOf(opening: Opened): Master {
  const { plan, env, log } = opening;
  const { pid } = process;
  const monotonicUs = (): bigint => process.hrtime.bigint() / 1000n;
  const directory = stateDirectory(env);
  const port = Number(opening.serving.url.port || 80);
  const { databaseUrl, isNamed } = plan.config.state;
  const ship = databaseUrl && { url: databaseUrl.expose(), isNamed };
  const keeper = { clock: systemClock, random: systemRandom, log, env, ship };
  return new Master({
    ...opening,
    ledger:
      directory === undefined
        ? undefined
        : new LedgerKeeper({ ...keeper, place: { directory, port } }),
    clock: systemClock,
    random: systemRandom,
    notifier: createNotifier({ env, pid, monotonicUs }),
    fixed: fixedOf(plan.config),
    stateDirectory: directory,
    hasTerminal,
  });
}

/** Whether this process belongs to a terminal that is still there. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false; // ENXIO without one: tty(4).
  }
}

function complain(text: string, code: number): number {
  process.stderr.write(`interlock: ${text}\n`);
  return code;
}
