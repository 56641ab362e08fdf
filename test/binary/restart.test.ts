import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { atPorts, eventually, startFleet } from "./fleet.ts";
import { type Echo, numbered, startEcho, startLoad } from "./fleet-load.ts";
import { isFull } from "./harness.ts";

const RESTARTS = isFull ? 100 : 5;
let echo: Echo;
beforeAll(() => void (echo = startEcho()));
afterAll(() => echo[Symbol.dispose]());

describe.each([
  [1, 1],
  [2, 2],
  [1, 2],
  [2, 1],
])("from %d workers to %d", (before, after) => {
  const restarts = before === after ? RESTARTS : Math.ceil(RESTARTS / 5);
  test(`${restarts} restarts under load lose no request`, async () => {
    await using fleet = await startFleet({ config: numbered(echo.baseUrl, 0), workers: before });
    const load = startLoad({ port: fleet.port, busy: 4, fresh: 3, lazy: 12, streams: 6 });
    const pids = new Set<number>([fleet.firstPid]);
    for (let number = 1; number <= restarts; number++) {
      const admin = Number(new URL(fleet.adminOrigin).port);
      const config = numbered(echo.baseUrl, number);
      writeFileSync(fleet.file, JSON.stringify(atPorts(config, fleet.port, admin)));
      const answered = load.tally.answered;
      const ran = await fleet.run("restart", "--json");
      expect(ran).toMatchObject({ code: 0, stderr: "" });
      const { pid } = JSON.parse(ran.stdout) as { pid: number };
      pids.add(pid);
      expect((await fleet.status()).pid).toBe(pid);
      expect((await fleet.metrics()).length).toBeGreaterThan(0);
      await eventually("more answers", () => load.tally.answered > answered + 50);
    }
    await Bun.sleep(3000);
    const tally = await load.stop();
    expect(tally.failures).toEqual([]);
    expect(tally.closedIdle).toBe(0);
    expect([...tally.byNumber.keys()].at(-1)).toBe(restarts);
    expect(pids.size).toBe(restarts + 1);
    expect(await fleet.exited).toBe(0);
  }, 600_000);
});

test("a stream that runs through a restart ends as it began, then the old process ends", async () => {
  await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1) });
  const body = { model: "m", stream: true, slow: true, messages: [{ role: "user", content: "" }] };
  // A connection kept for later would be waited for as well.
  const init = { method: "POST", body: JSON.stringify(body), keepalive: false };
  const answer = await fetch(`${fleet.origin}/v1/chat/completions`, init);
  expect((await fleet.run("restart")).code).toBe(0);
  expect(await answer.text()).toEndWith("data: [DONE]\n\n");
  expect(await fleet.exited).toBe(0);
});

describe("a successor that cannot take over changes nothing", () => {
  test.each([
    ["its configuration is bad", (file: string) => writeFileSync(file, "models: 3\n"), "models"],
    ["its configuration is gone", (file: string) => writeFileSync(file, ""), undefined],
  ])("%s", async (_why, spoil, reason) => {
    await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1) });
    spoil(fleet.file);
    const ran = await fleet.run("restart");
    if (reason === undefined && ran.code === 0) return; // An empty file is a configuration too.
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("the old process goes on");
    expect(ran.stderr).toContain(reason ?? "");
    expect((await fleet.status()).pid).toBe(fleet.firstPid);
    expect((await fetch(`${fleet.adminOrigin}/readyz`)).status).toBe(200);
  });

  test("its program is not there", async () => {
    await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1) });
    const ran = await fleet.run("restart", "--binary", "/nonexistent/interlock");
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("cannot be started (ENOENT)");
    expect((await fleet.status()).state).toBe("serving");
  });

  test("its program is another", async () => {
    await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers: 2 });
    const ran = await fleet.run("restart", "--binary", "/bin/false");
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("before it served");
    const status = await fleet.status();
    expect(status).toMatchObject({ state: "serving", pid: fleet.firstPid });
    expect(status.workers.map(({ state }) => state)).toEqual(["serving", "serving"]);
  });

  test("its admin port is another program's, under load", async () => {
    await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers: 2 });
    const load = startLoad({ port: fleet.port, busy: 3, fresh: 3, lazy: 6, streams: 3 });
    const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const config = numbered(echo.baseUrl, 2);
    writeFileSync(fleet.file, JSON.stringify(atPorts(config, fleet.port, other.port)));
    const ran = await fleet.run("restart");
    other.stop(true);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("cannot listen");
    expect((await fetch(`${fleet.adminOrigin}/readyz`)).status).toBe(200);
    expect((await fleet.status()).pid).toBe(fleet.firstPid);
    await Bun.sleep(3000);
    const tally = await load.stop();
    expect(tally).toMatchObject({ failures: [], closedIdle: 0 });
    expect((await fleet.status()).workers.map(({ state }) => state)).toEqual([
      "serving",
      "serving",
    ]);
  }, 60_000);
});
