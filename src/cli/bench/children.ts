import type { Ms } from "../../core/units.ts";
import { readLines } from "./child.ts";
import { launchCommand } from "./self.ts";
import type { LaunchOptions } from "./self.ts";
import { endsWithin } from "./wait.ts";

/** A gateway gets this long to end by itself before it is killed. */
const GRACE_MS: Ms = 3_000;
const ERROR_CHARS_KEPT = 4_000;

/** A process of the bench's own. */
export interface Child {
  readonly pid: number;
  readonly exited: Promise<number>;
  /** The end of what it wrote to standard error. */
  errors(): string;
  /** Asks it to end, and kills it when it does not. */
  end(): Promise<void>;
  kill(): Promise<void>;
}

/** A child that talks in lines. */
export interface TalkingChild extends Child {
  /** What it said first. */
  readonly hello: unknown;
  /** Sends one line and waits for the one it answers with. @throws when it ended instead. */
  ask(message: object): Promise<unknown>;
}

/** Holds every process the bench has started, so that none is left however it ends. */
export class Children {
  readonly #all = new Set<Child>();
  #closed = false;

  /** Starts a process that is only watched; the pipe to it closes when this process dies. */
  watch(command: readonly string[], options: LaunchOptions): Child {
    if (this.#closed) throw new Error("the bench was interrupted");
    const process = Bun.spawn(launchCommand(command, options), {
      stdin: "pipe",
      stdout: "ignore",
      stderr: "pipe",
    });
    return this.#keep(process);
  }

  /** Starts a process that answers lines; waits for its first one. */
  async talk(command: readonly string[], options: LaunchOptions): Promise<TalkingChild> {
    if (this.#closed) throw new Error("the bench was interrupted");
    const process = Bun.spawn(launchCommand(command, options), {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    const child = this.#keep(process);
    const lines = readLines(process.stdout);
    const next = async (): Promise<unknown> => {
      const line = await lines.next();
      if (line.done === true) throw new Error(`${command.join(" ")} ended: ${child.errors()}`);
      return JSON.parse(line.value);
    };
    const hello = await next();
    return {
      ...child,
      hello,
      async ask(message) {
        process.stdin.write(`${JSON.stringify(message)}\n`);
        await process.stdin.flush();
        return next();
      },
    };
  }

  #keep(process: Bun.Subprocess<"pipe", "pipe" | "ignore", "pipe">): Child {
    const errors = tailOf(process.stderr);
    const kill = async (): Promise<void> => {
      process.kill("SIGKILL");
      await process.exited;
    };
    const end = async (): Promise<void> => {
      process.kill("SIGTERM");
      if (!(await endsWithin(process.exited, GRACE_MS))) await kill();
    };
    const child: Child = { pid: process.pid, exited: process.exited, errors, end, kill };
    this.#all.add(child);
    void process.exited.then(() => this.#all.delete(child));
    return child;
  }

  /** Ends all of them, by pid. No further one can be started. */
  async endAll(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((child) => child.end()));
  }
}

function tailOf(stream: ReadableStream<Uint8Array>): () => string {
  let tail = "";
  const decoder = new TextDecoder();
  void (async () => {
    for await (const bytes of stream) {
      tail = (tail + decoder.decode(bytes, { stream: true })).slice(-ERROR_CHARS_KEPT);
    }
  })();
  return () => tail.trim();
}
