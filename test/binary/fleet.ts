import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const BINARY = resolve(
  process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock"),
);
const READY_LIMIT_MS = 15_000;
const POLL_MS = 5;

/** A gateway that may have several processes and outlive the one it was started as. */
export interface Fleet extends AsyncDisposable {
  readonly port: number;
  readonly origin: string;
  readonly adminOrigin: string;
  /** The configuration file, to be written over. */
  readonly file: string;
  readonly home: string;
  /** The exit code of the process that was started. */
  readonly exited: Promise<number>;
  readonly firstPid: number;
  readonly output: () => string;
  /** Runs a command of the binary where it finds this gateway. */
  run(...args: readonly string[]): Promise<Ran>;
  status(): Promise<Status>;
  health(): Promise<Health>;
  metrics(): Promise<string>;
}
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
export interface WorkerStatus {
  readonly pid: number;
  readonly state: string;
  readonly generation: number;
  readonly restarts: number;
  readonly requests_in_flight: number;
}
export interface Status {
  readonly pid: number;
  readonly state: string;
  readonly generation: number;
  readonly workers: readonly WorkerStatus[];
}
export interface Health {
  readonly status: string;
  readonly generation: number;
  readonly requests_in_flight: number;
  readonly workers: readonly WorkerStatus[];
}

export interface FleetOptions {
  /** The rest of the configuration; the server's addresses are put in. */
  readonly config: Tree;
  /** For the command line, which otherwise says one; `unsaid` leaves it to variable and file. */
  readonly workers?: number | "unsaid";
  readonly env?: Readonly<Record<string, string>>;
  /** The data port, where it must be one that is known. */
  readonly port?: number | undefined;
}

/** The tree of a configuration at these ports. */
export function atPorts(config: Tree, port: number, adminPort: number): object {
  const server = { host: "127.0.0.1", port, metrics_port: adminPort };
  const telemetry = { logging: { level: "warn" } };
  return { telemetry, ...config, server: { ...server, ...config.server } };
}
/** A configuration; what it says of the server goes over the ports. */
export interface Tree {
  readonly server?: object;
  readonly [section: string]: unknown;
}

/** Starts it and resolves when it answers. @throws with its output when it does not. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { config, workers = 1, env } = options;
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is not there: run \`bun run build\` first`);
  const home = mkdtempSync(join(tmpdir(), "interlock-fleet-"));
  const file = join(home, "interlock.yaml");
  const [free, adminPort] = freePorts();
  const port = options.port ?? free;
  writeFileSync(file, JSON.stringify(atPorts(config, port, adminPort)));
  const variables = { HOME: home, TMPDIR: home, PATH: "/usr/bin:/bin", ...env };
  const said = workers === "unsaid" ? [] : ["--workers", String(workers)];
  const command = [BINARY, "start", "-c", file, ...said];
  const log = join(home, "output.log");
  const child = Bun.spawn(command, {
    cwd: home,
    env: variables,
    stdio: ["ignore", Bun.file(log), Bun.file(log)],
  });
  const output = (): string => (existsSync(log) ? readFileSync(log, "utf8") : "");
  const origin = `http://127.0.0.1:${port}`;
  const adminOrigin = `http://127.0.0.1:${adminPort}`;
  const run = (...args: readonly string[]): Promise<Ran> => runBinary(args, variables, home);
  async function status(): Promise<Status> {
    const { stdout } = await run("status", "--json");
    const [first] = JSON.parse(stdout) as Status[];
    if (first === undefined) throw new Error(`no gateway runs\n${output()}`);
    return first;
  }
  const fleet: Fleet = {
    ...{ port, origin, adminOrigin, file, home, output, run, status },
    exited: child.exited,
    firstPid: child.pid,
    health: async () =>
      (await (await fetch(`${adminOrigin}/health?detailed=true`)).json()) as Health,
    metrics: async () => (await fetch(`${adminOrigin}/metrics`)).text(),
    async [Symbol.asyncDispose]() {
      for (const pid of processesIn(home)) process.kill(pid, "SIGKILL");
      await child.exited;
      await eventually("its end", () => processesIn(home).length === 0); // And their ports are free.
      rmSync(home, { recursive: true, force: true });
    },
  };
  const failure = (await untilReady(origin, child)) ?? (await untilReady(adminOrigin, child));
  if (failure === undefined) return fleet;
  const printed = output();
  await fleet[Symbol.asyncDispose]();
  throw new Error(`${command.join(" ")}: ${failure}\n${printed}`);
}

async function runBinary(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<Ran> {
  const child = Bun.spawn([BINARY, ...args], {
    cwd,
    env: { ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code, stdout, stderr };
}

/** Every process of this fleet, whoever started it: they share a working directory. */
function processesIn(home: string): readonly number[] {
  const own: number[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (Number.isInteger(pid) && environOf(pid).includes(`HOME=${home}`)) own.push(pid);
  }
  return own;
}

function environOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
  } catch {
    return []; // It ended while we looked.
  }
}

function freePorts(): readonly [number, number] {
  const socket = { data: () => {} };
  const held = [0, 0].map((port) => Bun.listen({ hostname: "127.0.0.1", port, socket }));
  const [first, second] = held.map((listener) => listener.port);
  for (const listener of held) listener.stop(true);
  if (first === undefined || second === undefined) throw new Error("no free port");
  return [first, second];
}

async function untilReady(origin: string, child: Bun.Subprocess): Promise<string | undefined> {
  const deadline = performance.now() + READY_LIMIT_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) return `exited with ${child.exitCode} before it was ready`;
    // A connection kept for later would keep an old process waiting for it.
    const answer = await fetch(`${origin}/livez`, { keepalive: false }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return undefined;
    await Bun.sleep(POLL_MS);
  }
  return `did not answer /livez with 200 in ${READY_LIMIT_MS} ms`;
}

/** Waits for something to become true. @throws when it does not in time. */
export async function eventually(
  what: string,
  test: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    if (await test()) return;
    await Bun.sleep(20);
  }
  throw new Error(`not in ${limitMs} ms: ${what}`);
}
