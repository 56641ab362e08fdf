import { expect, test } from "bun:test";
import {
  DeadlineError,
  type DenySession,
  RemoteDenials,
  within,
} from "../../../src/state/keys/deny-remote.ts";
import type { DenyEvent } from "../../../src/state/keys/deny-source.ts";
import { microtasks, SimClock } from "../../sim/clock.ts";

function remote(follow: (session: DenySession, round: number) => Promise<void>) {
  const clock = new SimClock();
  const events: DenyEvent[] = [];
  const sessions: DenySession[] = [];
  const source = new RemoteDenials({
    ...{ name: "x", clock },
    follow: (session) => follow(session, sessions.push(session)),
  });
  return { clock, events, sessions, source, take: (event: DenyEvent) => void events.push(event) };
}
const fresh = (revision: bigint): DenyEvent => ({ kind: "fresh", revision, ageMs: 0 });

test("each session goes on behind what was told; one that ended of itself begins anew", async () => {
  const { clock, sessions, source, take, events } = remote(async (session, round) => {
    session.tell(fresh(BigInt(round)));
    if (round < 3) throw new Error(`broke ${round}`);
    if (round === 3) return;
    await session.ended;
  });
  source.start(take, 7n);
  await clock.advance(10_000);
  expect(sessions.map(({ after }) => after)).toEqual([7n, 1n, 2n, undefined]);
  expect(events.filter(({ kind }) => kind === "broken")).toEqual([
    { kind: "broken", detail: "broke 1" },
    { kind: "broken", detail: "broke 2" },
  ]);
  await source.stop();
  expect(clock.armed).toBe(0);
});

test("a session that is over is heard no more, nor any after the stop", async () => {
  const { clock, sessions, source, take, events } = remote(async (session, round) => {
    if (round === 1) throw new Error("broke");
    session.tell(fresh(5n));
    await session.ended;
  });
  source.start(take);
  await clock.advance(1_000);
  const heard = events.length;
  sessions[0]?.tell(fresh(1n));
  expect(events.length).toBe(heard);
  await source.stop();
  sessions[1]?.tell(fresh(9n));
  expect(events.length).toBe(heard);
});

test("a stop does not wait for the pause before the next try", async () => {
  const { source, take, clock } = remote(async () => {
    throw new Error("broke");
  });
  source.start(take);
  await microtasks();
  await source.stop();
  expect(clock.armed).toBe(0);
});

test("what does not answer is an error at its deadline, and what does leaves no timer", async () => {
  const clock = new SimClock();
  const limit = { clock, deadlineMs: 50, asked: "it" };
  expect(await within(Promise.resolve(7), limit)).toBe(7);
  expect(clock.armed).toBe(0);
  const late = within(new Promise(() => {}), limit).catch((error: unknown) => error);
  await clock.advance(50);
  expect(await late).toEqual(new DeadlineError("it: no answer in 50 ms"));
  expect(clock.armed).toBe(0);
});
