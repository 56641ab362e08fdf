// A process at work on a slab, started by the suites that need real ones: `bun worker.ts JSON`.
import { type Admitted, type Ask, Limits } from "../../../src/state/slab/limits.ts";
import { openSlab } from "../../../src/state/slab/open.ts";
import { requestLimit } from "../../../src/state/slab/rate.ts";
import type { Slab } from "../../../src/state/slab/slab.ts";
import { joinSlab } from "../../../src/state/slab/stations.ts";
import { sweep } from "../../../src/state/slab/sweep.ts";
import { ask, factOf, listOf, NOW, truth } from "./fixture.ts";
import { FLEET, fleetLimits, limitOf, type Order, raceOf } from "./fleet.ts";

const [path, text] = process.argv.slice(2) as [string, string];
const order = JSON.parse(text) as Order;
const slab = openSlab({ path, sizes: FLEET, bootId: "boot", seed: BigInt(process.pid) });
if ("problem" in slab) throw new Error(slab.problem);
const actor = joinSlab(slab, { pid: process.pid, born: process.pid });
if (actor === undefined) throw new Error("no station is free");
const limits = new Limits(actor);
process.stdout.write("ready\n");
switch (order.do) {
  case "race":
    process.stdout.write(`${JSON.stringify(race(slab, order))}\n`);
    break;
  case "churn":
    churn(order.seed);
    break;
  case "sweep":
    for (;;) {
      const swept = sweep(actor, { isAlive, nowNs: NOW, factOf });
      if (swept === "busy" || swept.stations.length === 0) Bun.sleepSync(0.1);
    }
  case "take":
    take(order.count);
}

/** A small generator, the same in every process for the same seed. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function isAlive({ pid }: { readonly pid: number }): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // No such process: that is the answer.
  }
}

/**
 * Race after race over fresh limits, the same in each runner, who wait for each other at every
 * fiftieth. Answers how many were admitted, by race.
 */
function race(on: Slab, { races, runners, runner }: Order & { readonly do: "race" }): number[] {
  const admitted: number[] = [];
  let held: Admitted[] = [];
  for (let each = 0; each < races; each++) {
    if (each % 50 === 0) {
      meet(on, (each / 50 + 1) * runners);
      for (const one of held) limits.settle(one, { ...truth(1, 10), fact: undefined });
      held = [];
    }
    const { kind, calls, max } = raceOf(each);
    const limit = limitOf(on, { kind, max, name: `race ${each}` });
    let count = 0;
    for (let call = runner; call < calls; call += runners) {
      const answer = limits.admit(ask({ limits: [limit], nano: 10, tokens: 1 }));
      if (answer.kind === "refused") continue;
      count++;
      // A call that fails at once gives back what it took; any other keeps it for this race.
      if (kind === "aborted") limits.settle(answer, { ...truth(0, 0), fact: undefined });
      else held.push(answer);
    }
    admitted.push(count);
  }
  meet(on, (races / 50 + 1) * runners);
  for (const one of held) limits.settle(one, { ...truth(1, 10), fact: undefined });
  return admitted;
}

/** Waits until every runner got here. The guard's first counter is free for it: nobody guards. */
function meet({ i32, layout }: Slab, arrivals: number): void {
  Atomics.add(i32, layout.guard, 1);
  while (Atomics.load(i32, layout.guard) < arrivals) Bun.sleepSync(0.02);
}

/** Admits, reports and settles for ever, in every order, over limits that at times refuse. */
function churn(seed: number): never {
  const draw = chance(seed);
  const list = listOf(fleetLimits(slab as Slab));
  const open: Admitted[] = [];
  for (;;) {
    if (open.length < 6 && draw() < 0.6) {
      const wanted: Partial<Ask> = { limits: list, tokens: Math.floor(draw() * 500) };
      const answer = limits.admit(ask({ ...wanted, nano: Math.floor(draw() * 5000) }));
      if (answer.kind === "admitted") open.push(answer);
    } else if (open.length > 0) {
      const [one] = open.splice(Math.floor(draw() * open.length), 1);
      if (draw() < 0.7) limits.delivered(one!, Math.floor(draw() * 300));
      limits.settle(one!, truth(Math.floor(draw() * 600), Math.floor(draw() * 6000)));
    }
  }
}

function take(count: number): void {
  const limit = requestLimit(slab as Slab, "kept", { perMinute: 100 });
  for (let each = 0; each < count; each++) limits.admit(ask({ limits: [limit] }));
  process.stdout.write("taken\n");
  for (;;) Bun.sleepSync(1000);
}
