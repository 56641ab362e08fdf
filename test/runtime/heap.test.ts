import { expect, test } from "bun:test";
import { keepHeap } from "../../src/runtime/heap.ts";
import { SimClock } from "../sim/clock.ts";

const MB = 1024 * 1024;

/** A process of a size the test sets, which shrinks to `live` when it is collected. */
function rig(start: number) {
  const clock = new SimClock();
  const state = { rss: start * MB, live: start * MB, collected: 0 };
  const keeper = keepHeap(clock, {
    rssBytes: () => state.rss,
    collect() {
      state.collected++;
      state.rss = state.live;
    },
  });
  return { clock, state, keeper };
}

test("a process that grew by a tenth and 48 MB is collected, a smaller growth is not", async () => {
  const { clock, state } = rig(1000);
  state.rss = 1099 * MB;
  await clock.advance(5000);
  expect(state.collected).toBe(0);
  state.rss = 1101 * MB;
  await clock.advance(1000);
  expect(state.collected).toBe(1);
});

test("what a collection leaves is the new measure: needed memory is not collected for again", async () => {
  const { clock, state } = rig(100);
  state.rss = 400 * MB;
  state.live = 390 * MB;
  await clock.advance(60_000);
  expect(state.collected).toBe(1);
  state.rss = 460 * MB;
  await clock.advance(1000);
  expect(state.collected).toBe(2);
});

test("memory given back lowers the measure, and a stopped keeper leaves no timer", async () => {
  const { clock, state, keeper } = rig(500);
  state.rss = 100 * MB;
  await clock.advance(1000);
  state.rss = 160 * MB;
  await clock.advance(1000);
  expect(state.collected).toBe(1);
  keeper.stop();
  expect(clock.armed).toBe(0);
});
