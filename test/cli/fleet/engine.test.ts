import { expect, test } from "bun:test";
import { Engine } from "../../../src/cli/fleet/engine.ts";
import { handle } from "../../../src/gateway.ts";
import type { Network, Session } from "../../../src/runtime/runtime.ts";
import { SimClock } from "../../sim/clock.ts";
import { chat, COMPLETION, configOf, seededRandom } from "../../sim/gateway.ts";

/** A network whose answers wait until they are let go, and that knows which sessions are closed. */
function heldNetwork() {
  const waiting: (() => void)[] = [];
  const sessions: { closed: boolean }[] = [];
  const network: Network = {
    resolve: async () => ["127.0.0.1"],
    reach: async () => true,
    session(): Session {
      const state = { closed: false };
      sessions.push(state);
      return {
        async fetch() {
          await new Promise<void>((resolve) => waiting.push(resolve));
          if (state.closed) throw new Error("closed under a request");
          return Response.json(COMPLETION);
        },
        close: () => void (state.closed = true),
      };
    },
  };
  const release = (): void => waiting.splice(0).forEach((resolve) => resolve());
  return { network, sessions, release };
}

function yaml(name: string): string {
  return `
providers: { ${name}: { protocol: openai, base_url: "http://127.0.0.1:9/v1", placement: local } }
models: { m: { provider: ${name} } }
ledger: { enabled: false }`;
}

function setUp() {
  const clock = new SimClock();
  const { network, sessions, release } = heldNetwork();
  const log = { line() {}, flush: () => Promise.resolve() };
  const runtime = { clock, network, random: seededRandom(1), log };
  const never = (): never => {
    throw new Error("nobody asked for it");
  };
  const engine = new Engine(configOf(yaml("one")), {
    ...{ runtime, logLinesDropped: () => 0, stored: () => undefined },
    ...{ book: never, denied: never },
  });
  const ask = (): Promise<Response> => {
    const answer = handle(engine.current(), chat({ model: "m" }), {
      setIdleTimeout() {},
      address: () => "127.0.0.1",
    });
    engine.watch(answer);
    return answer;
  };
  const reload = (name: string): void => engine.commit(engine.prepare(configOf(yaml(name))));
  return { clock, engine, sessions, release, ask, reload };
}

test("a request keeps the configuration it began with, and that one its connections", async () => {
  const { clock, engine, sessions, release, ask, reload } = setUp();
  const first = ask();
  await clock.advance(1);
  reload("two");
  const second = ask();
  await clock.advance(10_000);
  expect(engine.inFlight).toBe(2);
  expect(sessions.map(({ closed }) => closed)).toEqual([false, false]);
  release();
  await clock.advance(1);
  expect((await first).headers.get("x-interlock-route")).toEndWith("@one");
  expect((await second).headers.get("x-interlock-route")).toEndWith("@two");
  await clock.advance(1000);
  expect(engine.erasAlive).toBe(1);
  expect(sessions.map(({ closed }) => closed)).toEqual([true, false]);
  expect(clock.armed).toBe(0);
});

test("counts go on through reloads, and nothing of the old ones stays", async () => {
  const { clock, engine, release, ask, reload } = setUp();
  for (let round = 0; round < 50; round++) {
    const answer = ask();
    await clock.advance(1);
    reload(`p${round % 3}`);
    release();
    await clock.advance(1);
    expect((await answer).status).toBe(200);
  }
  await clock.advance(1000);
  expect(engine.erasAlive).toBe(1);
  const counts = engine.metrics().matchAll(/^gateway_requests_total\{.*\} (\d+)$/gm);
  expect([...counts].reduce((sum, [, value]) => sum + Number(value), 0)).toBe(50);
  expect(engine.metrics()).toContain("\ngateway_requests_in_flight 0\n");
});

test("what was prepared and not taken leaves nothing open", () => {
  const { engine, sessions } = setUp();
  engine.discard(engine.prepare(configOf(yaml("two"))));
  expect(sessions.map(({ closed }) => closed)).toEqual([false, true]);
  expect(engine.current().config.backends[0]!.name).toBe("one");
});

test("who is leaving says so under a new configuration too", () => {
  const { engine, reload } = setUp();
  engine.sayGoodbye();
  reload("two");
  expect(engine.current().governor.draining).toBe(true);
});

test("the age of a process is not the age of its configuration", async () => {
  const { clock, engine, reload } = setUp();
  await clock.advance(60_000);
  reload("two");
  expect(engine.health().uptime_seconds).toBe(60);
});
