import type { Ms } from "../../core/units.ts";
import type { Clock } from "../../runtime/runtime.ts";
import { Channel } from "./channel.ts";
import type { SuccessorTalk } from "./orders.ts";

/** How long a successor may take until it serves; its discovery and its workers are in it. */
const SUCCEED_LIMIT_MS: Ms = 30_000;
const TAKE_LIMIT_MS: Ms = 10_000;

/** A process that serves beside this one and is to replace it. */
export interface Successor {
  readonly pid: number;
  readonly version: string;
  /** Sockets it has put on the data port. */
  readonly listeners: number;
  /** Hands it the admin port and the control socket; a sentence when it cannot have them. */
  take(): Promise<string | undefined>;
  /** Ends it in order: it may have answered somebody already. */
  dismiss(): void;
  /** Resolves when it has ended. */
  readonly gone: Promise<unknown>;
  /** Lets it live on when this process ends. */
  release(): void;
}

export interface SuccessorOptions {
  readonly clock: Clock;
  /** The program and what stands before its command. */
  readonly program: readonly string[];
  /** The options this process was started with. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly port: number;
}

/** Starts the successor and waits until it serves; a sentence when it does not. */
export async function startSuccessor(options: SuccessorOptions): Promise<Successor | string> {
  const { clock, program, argv, env, port } = options;
  const child = spawn([...program, "succeed", ...argv], env, (message) => channel.receive(message));
  if (typeof child === "string") return child;
  const channel = new Channel<SuccessorTalk>({ clock, send: (message) => child.send(message) });
  void child.exited.then(() => channel.close());
  const verdict = await channel.ask("succeed", { port }, SUCCEED_LIMIT_MS);
  if (verdict?.ok !== true) {
    const ended = child.exitCode === null ? "it did not answer" : `it ended (${child.exitCode})`;
    child.kill("SIGKILL");
    return verdict?.reason ?? `${ended} before it served: see what it wrote`;
  }
  return {
    pid: child.pid,
    version: verdict.version ?? "unknown",
    listeners: verdict.listeners ?? 1,
    async take() {
      const taken = await channel.ask("take", {}, TAKE_LIMIT_MS);
      if (taken?.ok === true) return undefined;
      return taken?.reason ?? "it ended, or did not answer";
    },
    gone: child.exited,
    dismiss: () => child.kill("SIGTERM"),
    release: () => child.unref(),
  };
}

function spawn(
  command: readonly string[],
  env: SuccessorOptions["env"],
  receive: (message: unknown) => void,
): Bun.Subprocess | string {
  try {
    return Bun.spawn([...command], {
      env: { ...env },
      stdio: ["inherit", "inherit", "inherit"],
      serialization: "json",
      ipc: receive,
    });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
    return `${command[0]} cannot be started (${code})`;
  }
}
