import { type AdminStart, startAdmin } from "../admin/listener.ts";
import type { Config } from "../config/config.ts";
import type { Ms } from "../core/units.ts";
import { assemble, type Gateway } from "../gateway/assemble.ts";
import { type DataListener, listen } from "../gateway/listener.ts";
import { logBug } from "../gateway/log-bug.ts";
import { adminSource } from "../gateway/probes.ts";
import { systemClock } from "../runtime/clock.ts";
import { keepHeap } from "../runtime/heap.ts";
import { stdoutLog } from "../runtime/log.ts";
import { systemNetwork } from "../runtime/network.ts";
import { systemRandom } from "../runtime/random.ts";
import type { Log, Runtime } from "../runtime/runtime.ts";
import { banner } from "./banner.ts";
import { drainOnSignal } from "./drain.ts";
import { loadConfig } from "./load-config.ts";
import { mustReexec, reexec } from "./reexec.ts";
import { readStartOptions } from "./start-options.ts";

/** Standard output may be stuck: what is not written by then is lost. */
const FLUSH_MS: Ms = 2000;

/** `interlock start`: serves until a signal ends it. Resolves to the exit code. */
export async function start(argv: readonly string[]): Promise<number> {
  const options = readStartOptions(argv);
  if (typeof options === "string") return complain(`${options}\nOptions: interlock --help`, 2);
  if (mustReexec(process.env)) reexec(process.env);

  const loaded = await loadConfig(options, process.env);
  if (typeof loaded === "string") return complain(loaded, 1);
  const { config } = loaded;
  const log = stdoutLog({ clock: systemClock, level: config.logLevel, format: "auto" });
  const runtime: Runtime = {
    clock: systemClock,
    random: systemRandom,
    network: systemNetwork,
    log,
  };
  const gateway = assemble(config, runtime, { logLinesDropped: () => log.linesDropped });

  const data = tryListen(gateway, log);
  if (typeof data === "string") return complain(data, 1);
  const admin = openAdmin(config, gateway);
  if (admin?.kind === "refused" && config.source.kind === "file") {
    data.cut();
    return complain(`${admin.reason}: ${admin.fix}`, 1);
  }
  keepHeap(systemClock);
  process.on("unhandledRejection", (bug) => logBug(log, bug));
  process.stderr.write(banner({ config, found: loaded.found, dataUrl: data.url, admin }));
  log.line("info", "gateway", "Listening", { url: data.url.href });

  const cut = await drainOnSignal({ gateway, data, clock: systemClock });
  if (admin?.kind === "listening") await admin.stop();
  log.line("info", "gateway", "Stopped", { requests_cut: cut });
  await log.flushWithin(FLUSH_MS);
  process.exit(0); // A client that keeps an idle connection must not keep the process.
}

function complain(text: string, code: number): number {
  process.stderr.write(`interlock: ${text}\n`);
  return code;
}

function tryListen(gateway: Gateway, log: Log): DataListener | string {
  const { host, port } = gateway.config.server;
  try {
    return listen({ current: () => gateway, log });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (code === "EADDRINUSE") return `port ${port} is in use: choose another with --port`;
    if (code === "EACCES") return `port ${port} needs privileges: choose one above 1023`;
    if (code !== "") return `cannot listen on ${host}:${port} (${code}): check --host and --port`;
    throw cause;
  }
}

function openAdmin(config: Config, gateway: Gateway): AdminStart | undefined {
  const { metricsPort, allowedHosts } = config.server;
  if (metricsPort === undefined) return undefined;
  return startAdmin({
    host: "127.0.0.1",
    port: metricsPort,
    token: undefined,
    allowedHosts,
    source: adminSource(gateway),
    log: gateway.runtime.log,
  });
}
