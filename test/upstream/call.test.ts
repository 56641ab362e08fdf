import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Call } from "../../src/upstream/call.ts";
import { createEgress, type Dialled } from "../../src/upstream/egress.ts";
import { SimClock } from "../sim/clock.ts";
import { backendOf, DEADLINES } from "./pieces.ts";

const CONNECT_MS = 5_000;
const FIRST_EVENT_MS = 60_000;

interface Given {
  /** What a second connection comes to, and when it was tried for how long. */
  readonly reaches?: "at once" | "never";
  readonly heardAt?: number;
  readonly client?: AbortSignal;
  readonly firstEventMs?: number;
}

function rig({ reaches = "at once", heardAt, client, firstEventMs = FIRST_EVENT_MS }: Given = {}) {
  const clock = new SimClock();
  const controller = new AbortController();
  const tried: number[] = [];
  function reach(_: unknown, timeout: number): Promise<boolean> {
    tried.push(timeout);
    if (reaches === "at once") return Promise.resolve(true);
    return new Promise((resolve) => clock.after(timeout, () => resolve(false)));
  }
  const session = () => ({ fetch: () => Promise.reject(new Error("not here")), close() {} });
  const network = { reach, session, resolve: () => Promise.resolve([]) };
  const egress = createEgress(backendOf(), { network, clock });
  if (heardAt !== undefined) egress.heardAt = heardAt;
  const call = new Call({
    clock,
    egress,
    client: client ?? controller.signal,
    dialled: egress.dial() as Dialled,
    deadlines: { ...DEADLINES, connectMs: CONNECT_MS, firstEventMs },
  });
  return { clock, client: controller, call, egress, tried };
}

describe("the connect deadline", () => {
  test("ends a call to a host that cannot be reached, when it is due and not before", async () => {
    const { call, clock, tried } = rig({ reaches: "never" });
    await clock.advance(CONNECT_MS - 1);
    expect(call.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(call.signal.aborted).toBe(true);
    expect(call.expired).toEqual({ kind: "timeout", phase: "connect" });
    expect(tried).toEqual([CONNECT_MS / 2]);
  });

  test("does not end a call to a host that can be reached and thinks", async () => {
    const { call, clock } = rig();
    await clock.advance(FIRST_EVENT_MS - 1);
    expect(call.signal.aborted).toBe(false);
  });

  test("does not ask about a host that another call heard from just now", async () => {
    const { call, clock, tried } = rig({ reaches: "never", heardAt: -1000 });
    await clock.advance(CONNECT_MS / 2 + 1);
    expect(tried).toEqual([]);
    expect(call.expired).toBeUndefined();
  });

  test("asks about such a host later, when nobody has heard from it any more", async () => {
    const { call, clock } = rig({ reaches: "never", heardAt: -1000 });
    await clock.advance(FIRST_EVENT_MS / 2);
    expect(call.expired).toEqual({ kind: "timeout", phase: "connect" });
  });

  test("is met by a head that comes while the second connection is still tried", async () => {
    const { call, clock, egress } = rig({ reaches: "never" });
    await clock.advance(CONNECT_MS / 2 + 1);
    egress.heardAt = clock.now();
    await clock.advance(CONNECT_MS);
    expect(call.signal.aborted).toBe(false);
  });

  test("is over when the call is, though the second connection fails after that", async () => {
    const { call, clock } = rig({ reaches: "never" });
    await clock.advance(CONNECT_MS / 2 + 1);
    call.settle();
    await clock.advance(CONNECT_MS);
    expect(call.signal.aborted).toBe(false);
    expect(call.expired).toBeUndefined();
  });
});

describe("the first-event deadline", () => {
  test("ends a silent call when it is due and not before", async () => {
    const { call, clock } = rig();
    await clock.advance(FIRST_EVENT_MS - 1);
    expect(call.expired).toBeUndefined();
    await clock.advance(1);
    expect(call.signal.aborted).toBe(true);
    expect(call.expired).toEqual({ kind: "timeout", phase: "first_event" });
    expect(clock.armed).toBe(0);
  });

  test("starts anew with every byte: it is due that long after the last one, and not before", async () => {
    const gap = fc.integer({ min: 1, max: FIRST_EVENT_MS - 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(gap, { maxLength: 12 }), async (gaps) => {
        const { call, clock } = rig();
        for (const ms of gaps) {
          await clock.advance(ms);
          call.heard();
        }
        await clock.advance(FIRST_EVENT_MS - 1);
        expect(call.expired).toBeUndefined();
        await clock.advance(1);
        expect(call.expired).toEqual({ kind: "timeout", phase: "first_event" });
      }),
      { numRuns: 50 },
    );
  });

  test("may be shorter than it takes to find out whether a host can be reached", async () => {
    const { call, clock } = rig({ firstEventMs: 1000 });
    await clock.advance(1000);
    expect(call.expired).toEqual({ kind: "timeout", phase: "first_event" });
  });
});

describe("a client that leaves", () => {
  test("ends the call at once, and no deadline is to blame", () => {
    const { call, client } = rig();
    client.abort();
    expect(call.signal.aborted).toBe(true);
    expect(call.expired).toBeUndefined();
  });
  test("before the call begins, ends it too", () => {
    const { call } = rig({ client: AbortSignal.abort() });
    expect(call.signal.aborted).toBe(true);
  });
});

test("after it has settled nothing is armed, and neither time nor the client ends it", async () => {
  const moment = fc.integer({ min: 0, max: FIRST_EVENT_MS - 1 });
  await fc.assert(
    fc.asyncProperty(moment, async (at) => {
      const { call, clock, client } = rig();
      await clock.advance(at);
      call.settle();
      expect(clock.armed).toBe(0);
      client.abort();
      await clock.advance(FIRST_EVENT_MS * 2);
      expect(call.signal.aborted).toBe(false);
      expect(client.signal.onabort).toBeNull();
    }),
    { numRuns: 50 },
  );
});

test("a settled call can still be aborted: that is how the relay ends its upstream", () => {
  const { call } = rig();
  call.settle();
  call.abort();
  expect(call.signal.aborted).toBe(true);
});
