import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const BINARY = resolve(
  process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock"),
);
const READY_LIMIT_MS = 15_000;
const POLL_MS = 2;

/** The slow half of a suite runs only when it is asked for. */
export const isFull = process.env["INTERLOCK_FULL"] === "1";

/** One running binary, in a process of its own with nothing of our environment. */
export interface Binary extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** `http://127.0.0.1:port` of the data listener. */
  readonly origin: string;
  /** The same of the admin listener, which serves `/metrics`. */
  readonly adminOrigin: string;
  /** What it has printed so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** The exit code, once it is over. */
  readonly exited: Promise<number>;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, then the exit code. */
  stop(): Promise<number>;
  /** Resident memory of the process and all its children, now. */
  residentBytes(): number;
  /** The most it was since this was last asked for. */
  takePeakBytes(): number;
  metrics(): Promise<string>;
}

export interface BinaryOptions {
  /** A configuration: YAML text, or a tree (JSON is YAML). */
  readonly config: string | object;
  /** Added to an environment that is otherwise empty but for HOME, PATH and TMPDIR. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** The data port; a free one unless given. */
  readonly port?: number;
}

/** Starts the binary and resolves when it answers. @throws with its output when it does not. */
export async function startBinary(options: BinaryOptions): Promise<Binary> {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is not there: run \`bun run build\` first`);
  const home = mkdtempSync(join(tmpdir(), "interlock-binary-"));
  const file = join(home, "interlock.yaml");
  const { config } = options;
  writeFileSync(file, typeof config === "string" ? config : JSON.stringify(config, null, 2));
  const [free, adminPort] = freePorts();
  const port = options.port ?? free;
  const ports = ["-p", String(port), "--metrics-port", String(adminPort)];
  const command = [BINARY, "start", "-c", file, ...ports, ...(options.args ?? [])];
  const child = Bun.spawn(command, {
    cwd: home,
    env: { HOME: home, TMPDIR: home, PATH: "/usr/bin:/bin", ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const stdout = gather(child.stdout);
  const stderr = gather(child.stderr);
  const exited = Promise.all([child.exited, stdout.whole, stderr.whole]).then(([code]) => {
    rmSync(home, { recursive: true, force: true });
    return code;
  });
  const origin = `http://127.0.0.1:${port}`;
  const adminOrigin = `http://127.0.0.1:${adminPort}`;
  const failure = await untilReady(origin, child);
  if (failure !== undefined) {
    child.kill("SIGKILL");
    await exited;
    throw new Error(`${command.join(" ")}: ${failure}\n${stdout.text()}${stderr.text()}`);
  }
  const binary: Binary = {
    pid: child.pid,
    port,
    origin,
    adminOrigin,
    stdout: stdout.text,
    stderr: stderr.text,
    exited,
    signal: (name) => child.kill(name),
    stop() {
      child.kill("SIGTERM");
      return exited;
    },
    residentBytes: () => memoryBytes(child.pid, "VmRSS"),
    takePeakBytes: () => takePeakBytes(child.pid),
    metrics: async () => (await fetch(`${adminOrigin}/metrics`)).text(),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
  return binary;
}

/** Two ports nobody listens on. They are held together, so that they differ. */
function freePorts(): readonly [number, number] {
  const socket = { data: () => {} };
  const held = [0, 0].map((port) => Bun.listen({ hostname: "127.0.0.1", port, socket }));
  const [first, second] = held.map((listener) => listener.port);
  for (const listener of held) listener.stop(true);
  if (first === undefined || second === undefined) throw new Error("no free port");
  return [first, second];
}

/** Undefined once `/livez` answers 200; else why it never will. */
async function untilReady(origin: string, child: Bun.Subprocess): Promise<string | undefined> {
  const deadline = performance.now() + READY_LIMIT_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) return `exited with ${child.exitCode} before it was ready`;
    const answer = await fetch(`${origin}/livez`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return undefined;
    await Bun.sleep(POLL_MS);
  }
  return `did not answer /livez with 200 in ${READY_LIMIT_MS} ms`;
}

function gather(stream: ReadableStream<Uint8Array>) {
  const decoder = new TextDecoder();
  let text = "";
  const whole = (async () => {
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  })();
  return { text: () => text, whole };
}

function memoryBytes(pid: number, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kilobytes = Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
  return childrenOf(pid).reduce((sum, child) => sum + memoryBytes(child, field), kilobytes * 1024);
}

function takePeakBytes(pid: number): number {
  const peak = memoryBytes(pid, "VmHWM");
  forgetPeak(pid);
  return peak;
}

/** Writing 5 sets the peak back to what is resident now: proc(5), /proc/pid/clear_refs. */
function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  for (const child of childrenOf(pid)) forgetPeak(child);
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return children === "" ? [] : children.split(" ").map(Number);
}
