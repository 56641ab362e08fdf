import { expect, test } from "bun:test";
import type { TalkingChild } from "../../../src/cli/bench/children.ts";
import { Children } from "../../../src/cli/bench/children.ts";
import type { WindowOrder } from "../../../src/cli/bench/load.ts";
import { measureCase } from "../../../src/cli/bench/measure.ts";
import type { Stage } from "../../../src/cli/bench/stage.ts";

function child(answer: (message: object) => object): TalkingChild {
  return {
    pid: process.pid,
    exited: new Promise(() => {}),
    hello: {},
    errors: () => "",
    end: async () => {},
    kill: async () => {},
    ask: async (message) => answer(message),
  };
}

/** A load generator that gets `right` answers in each window, of which the mock gave `given`. */
function stage(orders: WindowOrder[], { right, given }: { right: number; given: number }): Stage {
  let requests = 0;
  const contender = (name: string, port: number) => ({
    name,
    endpoint: { host: "127.0.0.1", port, base: "/v1", key: "k", model: "m" },
    pid: undefined,
  });
  return {
    load: child((order) => {
      orders.push(order as WindowOrder);
      requests += given;
      return { answered: right, answeredInAll: right, failures: {} };
    }),
    mock: child(() => ({ requests, streamsOpen: 0, eventsPaced: 0 })),
    contenders: [contender("direct", 1), contender("relay", 2), contender("interlock", 3)],
    refused: [],
    setting: { children: new Children(), home: "/nowhere", mockPort: 1, core: undefined },
  };
}

const CASE = { kind: "buffered", concurrency: 8, pace: undefined } as const;

test("windows rotate: each round asks every contender once, in the same order", async () => {
  const orders: WindowOrder[] = [];
  const setting = stage(orders, { right: 10, given: 10 });
  const result = await measureCase(setting, CASE, { windowMs: 50, rounds: 3 });
  expect(orders.map(({ errand }) => errand.endpoint.port)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
  expect(
    new Set(orders.map(({ windowMs, concurrency }) => `${windowMs} ${concurrency}`)).size,
  ).toBe(1);
  expect(result.contenders.map(({ name, windows }) => [name, windows.length])).toEqual([
    ["direct", 3],
    ["relay", 3],
    ["interlock", 3],
  ]);
});

test("right answers the mock never gave are failures", async () => {
  const setting = stage([], { right: 10, given: 4 });
  const { contenders } = await measureCase(setting, CASE, { windowMs: 50, rounds: 1 });
  expect(contenders[0]?.windows[0]?.failures).toEqual({ "answered without the upstream": 6 });
});

test("answers the mock gave and nobody waited for are none", async () => {
  const setting = stage([], { right: 10, given: 12 });
  const { contenders } = await measureCase(setting, CASE, { windowMs: 50, rounds: 1 });
  expect(contenders[0]?.windows[0]?.failures).toEqual({});
});
