import { logBug } from "../gateway/log-bug.ts";
import type { Ms } from "../core/units.ts";
import { systemClock } from "../runtime/clock.ts";
import type { BufferedLog } from "../runtime/log.ts";
import { systemNetwork } from "../runtime/network.ts";
import { systemRandom } from "../runtime/random.ts";
import { answering, type Handlers } from "./fleet/channel.ts";
import { fetchCapAtStart, fetchCapProblem } from "./fleet/fetch-cap.ts";
import { withFixed } from "./fleet/fixed.ts";
import { type Inputs, replaying } from "./fleet/inputs.ts";
import { listenProblem } from "./fleet/listening.ts";
import { Local } from "./fleet/local.ts";
import type { OpenOrder, WorkerTalk } from "./fleet/orders.ts";
import { sharedLog } from "./fleet/process-log.ts";
import { DONE, failed, type Verdict } from "./fleet/serving.ts";
import { loadConfig } from "./load-config.ts";

/** Standard output may be stuck: what is not written by then is lost. */
const FLUSH_MS: Ms = 2000;

/**
 * `interlock worker`: one of a supervisor's processes. It serves what it is told to and ends when
 * its supervisor does: nobody would reload it, count it or stop it any more.
 */
export async function worker(): Promise<number> {
  if (process.send === undefined) {
    process.stderr.write("interlock: workers are started by `interlock start --workers N`\n");
    return 2;
  }
  const served = new Served();
  const say = (message: unknown): void => {
    if (process.connected) process.send?.(message);
  };
  process.on("message", answering<WorkerTalk>(handlers(served), say));
  process.on("disconnect", () => void served.endAlone("The supervisor is gone"));
  process.on("SIGTERM", () => void served.endAlone("Told to end"));
  process.on("SIGINT", () => {}); // A terminal sends it to all; the supervisor passes it on.
  process.on("SIGHUP", () => {}); // Likewise.
  return Promise.withResolvers<number>().promise;
}

function handlers(served: Served): Handlers<WorkerTalk> {
  return {
    open: (order) => served.open(order),
    prepare: ({ generation, inputs }) => served.prepare(generation, inputs),
    commit: () => served.local.commit(),
    async discard() {
      served.local.discard();
      return DONE;
    },
    report: async () => served.local.report(),
    async steer({ first }) {
      const steered = await served.local.steer(first);
      return steered ? DONE : failed("the kernel cannot be told");
    },
    async end({ manner }) {
      const cut = await served.end(manner);
      return { cut, report: served.local.report() };
    },
    async hurry() {
      served.local.hurry();
      return DONE;
    },
  };
}

/** Guards the order of things in a worker's life: open once, end once. */
class Served {
  #order: OpenOrder | undefined;
  #log: BufferedLog | undefined;
  #local: Local | undefined;
  #ending: Promise<number> | undefined;

  get local(): Local {
    if (this.#local === undefined) throw new Error("a worker got an order before `open`");
    return this.#local;
  }

  async open(order: OpenOrder): Promise<Verdict> {
    const problem = fetchCapProblem(fetchCapAtStart(process.env));
    if (problem !== undefined) return failed(problem);
    this.#order = order;
    const config = await this.#configOf(order.inputs);
    if (typeof config === "string") return failed(config);
    const log = sharedLog(config.logLevel);
    this.#log = log;
    process.on("unhandledRejection", (bug) => logBug(log, bug));
    const runtime = { clock: systemClock, random: systemRandom, network: systemNetwork, log };
    const { generation, port, fixed } = order;
    try {
      this.#local = new Local({ config, runtime, log, generation, port });
      return DONE;
    } catch (cause) {
      return failed(listenProblem(cause, fixed.host, port));
    }
  }

  async prepare(generation: number, inputs: Inputs): Promise<Verdict> {
    const config = await this.#configOf(inputs);
    if (typeof config === "string") return failed(config);
    return this.local.prepare({ generation, config });
  }

  end(manner: Parameters<Local["end"]>[0]): Promise<number> {
    this.#ending ??= this.local.end(manner).then(async (cut) => {
      await this.#log?.flushWithin(FLUSH_MS);
      return cut;
    });
    return this.#ending;
  }

  /** Nobody waits for the answer: drains, and ends the process. */
  async endAlone(why: string): Promise<void> {
    if (this.#local === undefined) process.exit(0);
    if (this.#ending === undefined) this.#log?.line("warn", "worker", why);
    await this.end({ kind: "stop" });
    process.exit(0); // A client that keeps an idle connection must not keep the process.
  }

  async #configOf(inputs: Inputs) {
    const { options, fixed } = this.#order!; // `open` is the first order.
    const loaded = await loadConfig(options, process.env, replaying(inputs));
    if (typeof loaded === "string") return loaded;
    const fitted = withFixed(loaded.config, fixed);
    return typeof fitted === "string" ? fitted : fitted.config;
  }
}
