import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";

const DRIVER = join(import.meta.dir, "openai-driver.mjs");

/** One call of the official SDK. `accumulate` uses its own stream accumulator. */
export interface Job {
  readonly baseURL: string;
  readonly request: object;
  readonly how?: "plain" | "accumulate";
}

/** What the SDK's user saw; only what JSON can hold, so that two can be compared. */
export interface Outcome {
  readonly status?: number;
  readonly type?: string | null;
  readonly completion?: object;
  readonly chunks?: readonly object[];
  readonly error?: SdkError;
}

export interface SdkError {
  readonly class: string;
  readonly message: string;
  readonly status?: number;
  readonly code?: string | number | null;
  readonly type?: string | null;
  readonly body?: unknown;
}

/** The SDK in a process of its own, one call at a time. */
export interface OpenAiClient extends AsyncDisposable {
  readonly run: (job: Job) => Promise<Outcome>;
}

/** `node` is the real one on PATH; `bun` the one that runs this. */
export function startOpenAiClient(runtime: "node" | "bun"): OpenAiClient {
  const command = [runtime === "node" ? "node" : process.execPath, DRIVER];
  const child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const input = Readable.fromWeb(child.stdout);
  const lines = createInterface({ input })[Symbol.asyncIterator]();
  return {
    async run(job) {
      child.stdin.write(`${JSON.stringify(job)}\n`);
      await child.stdin.flush();
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`the SDK driver under ${runtime} ended`);
      return JSON.parse(value);
    },
    async [Symbol.asyncDispose]() {
      await child.stdin.end();
      await child.exited;
    },
  };
}
