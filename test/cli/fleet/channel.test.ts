import { describe, expect, test } from "bun:test";
import { answering, Channel } from "../../../src/cli/fleet/channel.ts";
import { microtasks, SimClock } from "../../sim/clock.ts";

type Echoes = {
  readonly echo: {
    readonly order: { readonly n: number };
    readonly answer: { readonly n: number };
  };
  readonly never: { readonly order: object; readonly answer: object };
};

function pair() {
  const clock = new SimClock();
  let answer: (message: unknown) => void = () => {};
  const channel = new Channel<Echoes>({ clock, send: (message) => answer(copy(message)) });
  const handlers = {
    echo: async ({ n }: { readonly n: number }) => ({ n }),
    never: () => Promise.withResolvers<object>().promise,
  };
  answer = answering<Echoes>(handlers, (message) => channel.receive(copy(message)));
  return { clock, channel };
}

/** As between processes. */
function copy(message: unknown): unknown {
  return JSON.parse(JSON.stringify(message));
}

test("each question gets its own answer, in whatever order", async () => {
  const { channel, clock } = pair();
  const asked = [1, 2, 3].map((n) => channel.ask("echo", { n }, 100));
  expect(await Promise.all(asked)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(clock.armed).toBe(0);
});

describe("no answer is undefined, never a throw", () => {
  test("in time", async () => {
    const { channel, clock } = pair();
    const asked = channel.ask("never", {}, 100);
    await clock.advance(101);
    expect(await asked).toBeUndefined();
  });
  test("from a process that is gone", async () => {
    const { channel, clock } = pair();
    const asked = channel.ask("never", {}, 100);
    await microtasks();
    channel.close();
    expect(await asked).toBeUndefined();
    expect(await channel.ask("echo", { n: 1 }, 100)).toBeUndefined();
    expect(clock.armed).toBe(0);
  });
  test("when sending throws", async () => {
    const clock = new SimClock();
    const send = (): void => {
      throw new Error("closed");
    };
    expect(await new Channel<Echoes>({ clock, send }).ask("echo", { n: 1 }, 9)).toBeUndefined();
  });
});

test("what is no message of ours is left aside", () => {
  const { channel } = pair();
  const answer = answering<Echoes>(
    { echo: async ({ n }) => ({ n }), never: async () => ({}) },
    () => {
      throw new Error("answered");
    },
  );
  const strange = [undefined, null, 1, "x", {}, { kind: "ask", id: 1, body: { name: "toString" } }];
  for (const message of [...strange, { kind: "answer", id: 99 }]) {
    answer(message);
    channel.receive(message);
  }
});
