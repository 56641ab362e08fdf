import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { renameSync, writeFileSync } from "node:fs";
import { atPorts, eventually, type Fleet, startFleet, type Tree } from "./fleet.ts";
import { type Echo, numbered, startEcho, startLoad } from "./fleet-load.ts";
import { isFull } from "./harness.ts";

const RELOADS = isFull ? 1000 : 100;
let echo: Echo;
beforeAll(() => void (echo = startEcho()));
afterAll(() => echo[Symbol.dispose]());

/** Puts another configuration in place, all at once. */
function write(fleet: Fleet, config: Tree): void {
  const admin = Number(new URL(fleet.adminOrigin).port);
  writeFileSync(`${fleet.file}.next`, JSON.stringify(atPorts(config, fleet.port, admin)));
  renameSync(`${fleet.file}.next`, fleet.file);
}

describe.each([1, 2])("with %d workers", (workers) => {
  test(`${RELOADS} reloads under load lose no request and mix no two configurations`, async () => {
    await using fleet = await startFleet({ config: numbered(echo.baseUrl, 0), workers });
    const load = startLoad({ port: fleet.port, busy: 3, fresh: 1, streams: 8 });
    for (let number = 1; number <= RELOADS; number++) {
      write(fleet, numbered(echo.baseUrl, number));
      const ran = number % 10 === 0 ? await fleet.run("reload", "--json") : undefined;
      if (ran === undefined) process.kill(fleet.firstPid, "SIGHUP");
      else expect(ran).toMatchObject({ code: 0, stderr: "" }); // Unchanged, if a signal was first.
      await Bun.sleep(15);
    }
    const last = await fleet.run("reload", "--json");
    expect(last.code).toBe(0);
    const tally = await load.stop();
    expect(tally.failures).toEqual([]);
    expect(tally.answered).toBeGreaterThan(RELOADS);
    expect(tally.byNumber.size).toBeGreaterThan(RELOADS / 4);

    const { generation } = JSON.parse(last.stdout) as { generation: number };
    const health = await fleet.health();
    expect(health.generation).toBe(generation);
    expect(health.workers.map((worker) => worker.generation)).toEqual(
      Array(workers).fill(generation),
    );
    const metrics = await fleet.metrics();
    expect(metrics).toContain(`gateway_config_generation ${generation}\n`);
    const counted = [...metrics.matchAll(/^gateway_requests_total\{.*\} (\d+)$/gm)];
    const total = counted.reduce((sum, [, value]) => sum + Number(value), 0);
    expect(total).toBe(tally.answered);
    await eventually("nothing in flight", async () => {
      return (await fleet.health()).requests_in_flight === 0;
    });
  }, 300_000);

  test("a bad file changes nothing and says why", async () => {
    await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers });
    write(fleet, { ...numbered(echo.baseUrl, 2), pools: { fast: { members: [{ model: "x" }] } } });
    const ran = await fleet.run("reload");
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toContain("refused, generation 1 goes on");
    expect(ran.stderr).toContain("pools.fast");
    await eventually("a line", () => fleet.output().includes("Configuration refused"));
    const load = startLoad({ port: fleet.port, busy: 1 });
    await eventually("answers", () => load.tally.answered > 5);
    const tally = await load.stop();
    expect(tally.failures).toEqual([]);
    expect([...tally.byNumber.keys()]).toEqual([1]);
    expect((await fleet.health()).generation).toBe(1);
    expect(await fleet.metrics()).toContain('gateway_config_reloads_total{result="refused"} 1\n');
  }, 60_000);

  test("what only a restart can change is named, and the rest takes effect", async () => {
    await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers });
    write(fleet, { ...numbered(echo.baseUrl, 2), server: { port: 1, metrics_port: 2 } });
    const ran = await fleet.run("reload", "--json");
    expect(ran.code).toBe(0);
    const answer = JSON.parse(ran.stdout) as { needsRestart: string[] };
    expect(answer).toMatchObject({ kind: "applied", generation: 2 });
    expect(answer.needsRestart.join()).toContain(`server.port: ${fleet.port} → 1`);
    expect(answer.needsRestart.join()).toContain("server.metrics_port");
    const load = startLoad({ port: fleet.port, busy: 1 });
    await eventually("answers", () => load.tally.answered > 5);
    expect([...(await load.stop()).byNumber.keys()]).toEqual([2]);
  }, 60_000);

  test("a stream that runs through a reload ends as it began", async () => {
    await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1), workers });
    const body = {
      model: "m",
      stream: true,
      slow: true,
      messages: [{ role: "user", content: "" }],
    };
    const init = { method: "POST", body: JSON.stringify(body) };
    const answer = await fetch(`${fleet.origin}/v1/chat/completions`, init);
    write(fleet, numbered(echo.baseUrl, 2));
    expect((await fleet.run("reload")).code).toBe(0);
    const text = await answer.text();
    expect(text).toEndWith("data: [DONE]\n\n");
    expect(text.match(/u1 key-1/g)?.length).toBe(6);
    expect(text).not.toContain("key-2");
  }, 60_000);
});

test("the same bytes change nothing", async () => {
  await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1) });
  expect(await fleet.run("reload")).toMatchObject({ code: 0, stderr: "" });
  expect((await fleet.status()).generation).toBe(1);
});

test("a reload cannot open a listener on the network to everybody", async () => {
  const key = { key: "sk-interlock-test-0123456789abcdef" };
  const config = { ...numbered(echo.baseUrl, 1), keys: { app: key }, server: { host: "0.0.0.0" } };
  await using fleet = await startFleet({ config });
  write(fleet, { ...numbered(echo.baseUrl, 2), server: { host: "0.0.0.0" } });
  const ran = await fleet.run("reload");
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("it takes no keys");
  const answer = await fetch(`${fleet.origin}/v1/models`);
  expect(answer.status).toBe(401);
});

test("with nobody there, reload and status say so", async () => {
  await using fleet = await startFleet({ config: numbered(echo.baseUrl, 1) });
  process.kill(fleet.firstPid, "SIGTERM");
  expect(await fleet.exited).toBe(0);
  const ran = await fleet.run("reload");
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("no gateway is running");
  expect((await fleet.run("status")).code).toBe(1);
  expect((await fleet.run("reload", "--bogus")).code).toBe(2);
});
