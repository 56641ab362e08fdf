import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { receiveDatagrams } from "./datagrams.ts";
import { eventually, startFleet } from "./fleet.ts";
import { askSlowly, type Echo, numbered, startEcho, startLoad } from "./fleet-load.ts";
import { isFull } from "./harness.ts";

let echo: Echo;
beforeAll(() => void (echo = startEcho()));
afterAll(() => echo[Symbol.dispose]());

/** With two workers, one of them has more than 256. */
const STREAMS = 700;

function countIn(metrics: string, name: string): number {
  const samples = metrics.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "gm"));
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("every worker serves, and one scrape shows what all of them did", async () => {
  await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers: 3 });
  const load = startLoad({ port: fleet.port, fresh: 6 });
  await eventually("answers", () => load.tally.answered >= 300);
  const tally = await load.stop();
  expect(tally.failures).toEqual([]);
  const metrics = await fleet.metrics();
  expect(countIn(metrics, "gateway_requests_total")).toBe(tally.answered);
  expect(countIn(metrics, "gateway_request_duration_seconds_count")).toBe(tally.answered);
  expect(metrics).toContain('gateway_workers{state="serving"} 3\n');
  expect(countIn(metrics, "gateway_build_info")).toBe(1);
  const { workers, status } = await fleet.health();
  expect(status).toBe("ok");
  expect(new Set(workers.map(({ pid }) => pid)).size).toBe(3);
  for (const family of metrics.match(/^# TYPE (\S+)/gm) ?? []) {
    expect(metrics.split(`${family} `).length).toBe(2);
  }
});

test("the number of workers is the flag's, else the variable's, else the file's", async () => {
  const cores = availableParallelism();
  const cases = [
    { file: 2, variable: undefined, flag: undefined, serve: 2 },
    { file: "auto", variable: undefined, flag: undefined, serve: cores },
    { file: 3, variable: "2", flag: undefined, serve: 2 },
    { file: 2, variable: "2", flag: 1, serve: 1 },
  ] as const;
  for (const { file, variable, flag, serve } of cases) {
    const config = { ...numbered(echo.baseUrl, 1), server: { workers: file } };
    const env = variable === undefined ? {} : { INTERLOCK_WORKERS: variable };
    await using fleet = await startFleet({ config, env, workers: flag ?? "unsaid" });
    const { pid, workers } = await fleet.status();
    expect(workers.map(({ state }) => state)).toEqual(Array(serve).fill("serving"));
    expect(workers.some((worker) => worker.pid === pid)).toBe(serve === 1);
  }
});

test("another number of workers in the file is for the next restart, and a reload says so", async () => {
  const config = { ...numbered(echo.baseUrl, 1), server: { workers: 2 } };
  await using fleet = await startFleet({ config, workers: "unsaid" });
  const text = await Bun.file(fleet.file).text();
  await Bun.write(fleet.file, text.replace('"workers":2', '"workers":3'));
  const { code, stdout, stderr } = await fleet.run("reload");
  expect(code).toBe(0);
  expect(stdout + stderr).toContain("server.workers: 2 → 3");
  expect((await fleet.status()).workers.length).toBe(2);
  expect((await fleet.run("restart")).code).toBe(0);
  expect((await fleet.status()).workers.length).toBe(3);
});

test("a worker that dies is replaced, and its counts stay", async () => {
  await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers: 2 });
  const load = startLoad({ port: fleet.port, fresh: 4 });
  await eventually("answers", () => load.tally.answered >= 100);
  await load.stop();
  const before = countIn(await fleet.metrics(), "gateway_requests_total");
  const [victim, other] = (await fleet.status()).workers;
  process.kill(victim!.pid, "SIGKILL");
  await eventually("a replacement", async () => {
    const { workers } = await fleet.status();
    return workers.every(({ state }) => state === "serving") && workers[0]!.pid !== victim!.pid;
  });
  const { workers } = await fleet.status();
  expect(workers.map(({ restarts }) => restarts)).toEqual([1, 0]);
  expect(workers[1]!.pid).toBe(other!.pid);
  const metrics = await fleet.metrics();
  expect(countIn(metrics, "gateway_requests_total")).toBe(before);
  expect(countIn(metrics, "gateway_worker_restarts_total")).toBe(1);
  const again = startLoad({ port: fleet.port, fresh: 4 });
  await eventually("answers", () => again.tally.answered >= 100);
  expect((await again.stop()).failures).toEqual([]);
  expect(fleet.output()).toContain('"message":"A worker died"');
});

test("a worker that is replaced serves the configuration of the last reload", async () => {
  await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers: 2 });
  const text = await Bun.file(fleet.file).text();
  await Bun.write(
    fleet.file,
    text.replaceAll("p1", "p2").replaceAll("u1", "u2").replaceAll("key-1", "key-2"),
  );
  expect((await fleet.run("reload")).code).toBe(0);
  await Bun.write(fleet.file, "not: [a configuration");
  const [victim] = (await fleet.status()).workers;
  process.kill(victim!.pid, "SIGKILL");
  await eventually("a replacement", async () => {
    const { workers } = await fleet.status();
    return workers.every(({ state, generation }) => state === "serving" && generation === 2);
  });
  const load = startLoad({ port: fleet.port, fresh: 4 });
  await eventually("answers", () => load.tally.answered >= 50);
  expect([...(await load.stop()).byNumber.keys()]).toEqual([2]);
});

test("SIGTERM lets every worker's streams end, then nothing is left", async () => {
  await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers: 2 });
  const answers = [1, 2, 3, 4].map(() => askSlowly(fleet.port));
  await eventually("streams", async () => (await fleet.health()).requests_in_flight === 4);
  const { workers } = await fleet.status();
  process.kill(fleet.firstPid, "SIGTERM");
  for (const answer of answers) expect(await answer).toContain("data: [DONE]");
  expect(await fleet.exited).toBe(0);
  expect(workers.map(({ pid }) => isThere(pid))).toEqual([false, false]);
  expect((await fleet.run("status")).code).toBe(1);
});

test("a second SIGTERM ends it at once", async () => {
  await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers: 2 });
  const cut = askSlowly(fleet.port).catch(() => "cut");
  await eventually("a stream", async () => (await fleet.health()).requests_in_flight === 1);
  process.kill(fleet.firstPid, "SIGTERM");
  await Bun.sleep(200);
  const from = performance.now();
  process.kill(fleet.firstPid, "SIGTERM");
  expect(await fleet.exited).toBe(0);
  expect(performance.now() - from).toBeLessThan(1900);
  expect(await cut).not.toContain("[DONE]");
});

test("workers whose supervisor is killed finish and end, and a new one can start at once", async () => {
  await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers: 2 });
  const answer = askSlowly(fleet.port);
  await eventually("a stream", async () => (await fleet.health()).requests_in_flight === 1);
  const { workers } = await fleet.status();
  process.kill(fleet.firstPid, "SIGKILL");
  await fleet.exited;
  const again = Bun.spawn(
    [`/proc/${workers[0]!.pid}/exe`, "start", "-c", fleet.file, "--workers", "2"],
    {
      cwd: fleet.home,
      env: { HOME: fleet.home, PATH: "/usr/bin" },
      stdout: "ignore",
      stderr: "pipe",
    },
  );
  await eventually("the new supervisor", async () => {
    if (again.exitCode !== null) throw new Error(await new Response(again.stderr).text());
    const { stdout } = await fleet.run("status", "--json");
    return stdout.includes(`"pid": ${again.pid}`);
  });
  expect(await answer).toContain("data: [DONE]");
  await eventually("the orphans' end", () => workers.every(({ pid }) => !isThere(pid)));
});

describe.each([1, 2])("with %d workers", (workers) => {
  test("a second gateway does not take a share of the port", async () => {
    await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers });
    const ran = await fleet.run("start", "-c", fleet.file, "--workers", String(workers));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(`port ${fleet.port} is in use`);
    expect((await fleet.status()).pid).toBe(fleet.firstPid);
  });

  test("a cap on requests that the runtime would read as 256 stops the start", async () => {
    const config = numbered(echo.baseUrl, 1);
    for (const value of ["abc", "70000", "256", "0", ""]) {
      const env = { BUN_CONFIG_MAX_HTTP_REQUESTS: value };
      const starting = startFleet({ config, workers, env });
      expect(starting).rejects.toThrow(/BUN_CONFIG_MAX_HTTP_REQUESTS=.* lets only \d+ requests/);
      await starting.catch(() => undefined);
    }
  });

  test("systemd hears of readiness, reloads, the watchdog, the end", async () => {
    using heard = receiveDatagrams(join("/tmp", `interlock-notify-${process.pid}-${workers}`));
    const env = { NOTIFY_SOCKET: heard.path, WATCHDOG_USEC: "200000" };
    await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers, env });
    const has = (text: string) => heard.all.some((each) => each.startsWith(text));
    await eventually("ready", () => has("READY=1"));
    await eventually("alive", () => heard.all.filter((each) => each === "WATCHDOG=1").length > 3);
    process.kill(fleet.firstPid, "SIGHUP");
    await eventually("reloading", () => has("RELOADING=1\nMONOTONIC_USEC="));
    const { stdout } = await fleet.run("restart", "--json");
    const { pid } = JSON.parse(stdout) as { pid: number };
    expect(heard.all).toContain(`MAINPID=${pid}`);
    expect(await fleet.exited).toBe(0);
    expect(has("STOPPING=1")).toBe(false);
    process.kill(pid, "SIGTERM");
    await eventually("stopping", () => has("STOPPING=1"));
  });
});

test("more streams than the runtime's default cap run at once", async () => {
  await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers: 2 });
  const answers = Array.from({ length: STREAMS }, () => askSlowly(fleet.port));
  let most = 0;
  await eventually("all at once", async () => {
    const { requests_in_flight, workers } = await fleet.health();
    most = Math.max(most, ...workers.map((each) => each.requests_in_flight));
    return requests_in_flight === STREAMS;
  });
  expect(most).toBeGreaterThan(256);
  const whole = (await Promise.all(answers)).filter((text) => text.includes("data: [DONE]"));
  expect(whole.length).toBe(STREAMS);
}, 60_000);

test.if(isFull)(
  "workers that keep dying end the gateway, loudly",
  async () => {
    await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers: 2 });
    let isOver = false;
    void fleet.exited.then(() => (isOver = true));
    while (!isOver) {
      const { stdout } = await fleet.run("status", "--json");
      for (const [, pid] of stdout.matchAll(/"pid": (\d+),\s+"state": "serving",\s+"gen/g)) {
        if (Number(pid) !== fleet.firstPid) process.kill(Number(pid), "SIGKILL");
      }
      await Bun.sleep(20);
    }
    expect(await fleet.exited).toBe(1);
    expect(fleet.output()).toContain("A worker keeps dying");
    expect(fleet.output()).toContain("Nothing serves any more");
  },
  180_000,
);

test.if(isFull)(
  "a worker that is stuck is replaced",
  async () => {
    await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers: 2 });
    const [victim] = (await fleet.status()).workers;
    process.kill(victim!.pid, "SIGSTOP");
    const isReplaced = async () => {
      const { workers } = await fleet.health();
      return workers[0]!.restarts === 1 && workers[0]!.state === "serving";
    };
    await eventually("a replacement", isReplaced, 60_000);
    expect(isThere(victim!.pid)).toBe(false);
  },
  90_000,
);
