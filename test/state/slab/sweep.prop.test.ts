import { afterEach, expect, test } from "bun:test";
import { joinSlab } from "../../../src/state/slab/stations.ts";
import { sweep } from "../../../src/state/slab/sweep.ts";
import { type Books, cellsFrom, cellsOf, drainFacts, factOf, NOW } from "./fixture.ts";
import { fleetLimits } from "./fleet.ts";
import { cleanUp, mappedSlab, slabPath, startWorker, type Worker } from "./processes.ts";

const KILLS = process.env["INTERLOCK_FULL"] === "1" ? 1000 : 60;
afterEach(cleanUp);

test(`${KILLS} times kill -9, workers and sweepers: nothing is lost, doubled or left reserved`, async () => {
  const path = slabPath();
  const slab = mappedSlab(path);
  const limits = fleetLimits(slab);
  const churners: Worker[] = [];
  let sweeper: Worker | undefined;
  let books: Books = { facts: 0, tokens: 0, nano: 0 };
  const read = (): void => {
    const { facts, tokens, nano } = drainFacts(slab);
    books = { facts: books.facts + facts, tokens: books.tokens + tokens, nano: books.nano + nano };
  };
  for (let kills = 0; kills < KILLS; kills++) {
    sweeper ??= await startWorker(path, { do: "sweep" });
    while (churners.length < 2) {
      churners.push(await startWorker(path, { do: "churn", seed: kills * 7 + churners.length }));
    }
    read();
    await Bun.sleep(1 + ((kills * 37) % 25));
    await churners.shift()!.kill();
    read();
    // The sweeper right after a worker, so that it dies in the middle of what that one left.
    if (kills % 3 !== 0) continue;
    await sweeper.kill();
    sweeper = undefined;
    kills++;
  }
  for (const worker of churners) await worker.kill();
  await sweeper?.kill();
  const actor = joinSlab(slab, { pid: process.pid, born: 1 })!;
  for (;;) {
    read();
    const swept = sweep(actor, { isAlive: () => false, nowNs: NOW, factOf });
    if (swept !== "busy" && swept.waiting === 0) break;
  }
  read();
  expect(books.facts).toBeGreaterThan(KILLS * 10);
  expect(cellsOf(slab, limits)).toEqual(cellsFrom(books));
}, 1_800_000);
