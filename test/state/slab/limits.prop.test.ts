import { afterEach, expect, test } from "bun:test";
import { peekBudget } from "../../../src/state/slab/budget.ts";
import { recordsTaken } from "../../../src/state/slab/journal.ts";
import { KIND } from "../../../src/state/slab/layout.ts";
import { slabCounts } from "../../../src/state/slab/slab.ts";
import { slotsTaken } from "../../../src/state/slab/slots.ts";
import { limitOf, type Order, raceOf } from "./fleet.ts";
import { cleanUp, mappedSlab, slabPath, startWorker } from "./processes.ts";

const RACES = 10_000;
afterEach(cleanUp);

test(`${RACES} races of processes for one limit: as many are admitted as it allows, and no more`, async () => {
  const path = slabPath();
  const slab = mappedSlab(path);
  const runners = 3;
  const order = { do: "race", races: RACES, runners } as const;
  const workers = await Promise.all(
    Array.from({ length: runners }, (_, runner) => {
      return startWorker(path, { ...order, runner } satisfies Order);
    }),
  );
  const counts = await Promise.all(
    workers.map(async (worker) => JSON.parse(await worker.line()) as number[]),
  );
  for (let each = 0; each < RACES; each++) {
    const { kind, calls, max } = raceOf(each);
    const admitted = counts.reduce((sum, all) => sum + all[each]!, 0);
    const limit = limitOf(slab, { kind, max, name: `race ${each}` });
    if (kind === "aborted") expect(admitted).toBeGreaterThanOrEqual(Math.min(calls, max));
    else expect([each, kind, admitted]).toEqual([each, kind, Math.min(calls, max)]);
    if (limit.kind === KIND.slots) expect(slotsTaken(slab, limit)).toBe(0);
    if (limit.kind === KIND.nanoBudget) {
      const spent = kind === "aborted" ? 0 : admitted * 10;
      expect(peekBudget(slab, limit)).toEqual({ spent, reserved: 0, remaining: max * 10 - spent });
    }
  }
  expect(recordsTaken(slab)).toBe(0);
  // Three processes looked for every limit, and found the same row.
  expect(slabCounts(slab)).toMatchObject({ rowsUsed: RACES, rowsShared: 0, recordsFull: 0 });
}, 300_000);
