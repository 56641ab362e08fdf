import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSlab } from "../../../src/state/slab/open.ts";
import type { Slab } from "../../../src/state/slab/slab.ts";
import { FLEET, type Order } from "./fleet.ts";

// Real processes on one slab.

const folders: string[] = [];
const running = new Set<Worker>();

/** Ends what a test left running, and removes its files. */
export async function cleanUp(): Promise<void> {
  for (const worker of running) await worker.kill();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
}

export function slabPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "interlock-slab-"));
  folders.push(folder);
  return join(folder, "slab");
}

export function mappedSlab(path: string): Slab {
  const slab = openSlab({ path, sizes: FLEET, bootId: "boot", seed: 1n });
  if ("problem" in slab) throw new Error(slab.problem);
  return slab;
}

/** A process of its own. */
export interface Worker {
  readonly pid: number;
  /** Lines it said, the next one at each call. */
  line(): Promise<string>;
  /** `kill -9`, and until it is gone. */
  kill(): Promise<void>;
}

/** Starts a process; it has the slab mapped when this resolves. */
export async function startWorker(path: string, order: Order): Promise<Worker> {
  const script = `${import.meta.dir}/worker.ts`;
  const child = Bun.spawn([process.execPath, script, path, JSON.stringify(order)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = linesOf(child.stdout);
  const worker: Worker = {
    pid: child.pid,
    async line() {
      const { value } = await lines.next();
      if (value === undefined) throw new Error("the worker ended");
      return value;
    },
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
      running.delete(worker);
      const { exitCode } = child;
      if (exitCode !== null && exitCode !== 0) throw new Error(`the worker ended with ${exitCode}`);
    },
  };
  running.add(worker);
  await worker.line();
  return worker;
}

async function* linesOf(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of bytes) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
}
