import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { processTree } from "../../src/cli/bench/sample.ts";
import type { BenchResult } from "../../src/cli/bench/result.ts";

// Whole runs of `interlock bench` from source, short ones: what they find is not judged here, only
// that they find it of everybody, say so, and leave nothing behind. Minutes long: full runs only.
const FULL = process.env["INTERLOCK_FULL"] === "1";
const MAIN = `${import.meta.dir}/../../src/main.ts`;
const LIMIT_MS = 180_000;

function start(...argv: readonly string[]) {
  return Bun.spawn([process.execPath, MAIN, "bench", ...argv], { stdout: "pipe", stderr: "pipe" });
}
const homes = () => readdirSync(tmpdir()).filter((name) => name.startsWith("interlock-bench-"));

/** Reads what a run says until it is at its first case; the pids of all its processes then. */
async function atFirstCase(run: ReturnType<typeof start>): Promise<readonly number[]> {
  const reader = run.stderr.getReader();
  let said = "";
  while (!said.includes("buffered")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the run ended early: ${said}`);
    said += new TextDecoder().decode(value);
  }
  reader.releaseLock();
  return processTree(run.pid);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // No such process.
  }
}

test.skipIf(!FULL)(
  "a run measures everybody in every case and leaves nothing behind",
  async () => {
    const before = homes();
    const run = start("--seconds", "0.1", "--concurrency", "2", "--json");
    const pids = await atFirstCase(run);
    expect(pids.length).toBeGreaterThanOrEqual(5);
    const result = JSON.parse(await run.stdout.text()) as BenchResult;
    expect(result.refused).toEqual([]);
    expect(result.cases.map((entry) => entry.case.kind)).toEqual([
      "buffered",
      "streamed",
      "streamed",
      "bare",
      "paced",
    ]);
    for (const { contenders } of result.cases) {
      expect(contenders.map(({ name }) => name)).toEqual(["direct", "relay", "interlock"]);
      for (const { windows } of contenders) {
        expect(windows.map(({ failures }) => failures)).toEqual([{}, {}, {}]);
        expect(windows.map(({ rewritten }) => rewritten)).toEqual([0, 0, 0]);
      }
    }
    expect(result.coldStarts.map(({ ms }) => ms.length)).toEqual([7, 7]);
    expect(await run.exited).toBe(0);
    expect(homes()).toEqual(before);
    expect(pids.filter(isAlive)).toEqual([]);
  },
  LIMIT_MS,
);

test.skipIf(!FULL)(
  "held streams flow through everybody, and a target that does not answer is named",
  async () => {
    const dead = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const target = `peer=http://127.0.0.1:${dead.port}/v1`;
    dead.stop(true);
    const run = start("--streams", "20", "--seconds", "2", "--json", "--target", target);
    const result = JSON.parse(await run.stdout.text()) as BenchResult;
    expect(result.refused).toEqual([{ name: "peer", why: "buffered: ECONNREFUSED" }]);
    for (const hold of result.holds) {
      expect(hold).toMatchObject({ streams: 20, opened: 20, leftOpen: 0, failures: {} });
    }
    expect(result.holds.map(({ name }) => name)).toEqual(["direct", "relay", "interlock"]);
    expect(await run.exited).toBe(1);
  },
  LIMIT_MS,
);

test.skipIf(!FULL)(
  "an interrupted run ends its children and says it was interrupted",
  async () => {
    const before = homes();
    const run = start("--seconds", "5");
    const pids = await atFirstCase(run);
    expect(pids.length).toBeGreaterThanOrEqual(5);
    run.kill("SIGINT");
    expect(await run.exited).toBe(130);
    expect(homes()).toEqual(before);
    expect(pids.filter(isAlive)).toEqual([]);
  },
  LIMIT_MS,
);
