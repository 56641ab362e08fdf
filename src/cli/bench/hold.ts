import type { Ms } from "../../core/units.ts";
import { systemClock } from "../../runtime/clock.ts";
import { Caller, requestBytes } from "./caller.ts";
import type { Errand } from "./caller.ts";
import { sample } from "./sample.ts";
import { Tally } from "./tally.ts";
import type { TallyReport } from "./tally.ts";
import { delay } from "./wait.ts";

/** Streams opened at once: more would measure the accept queue. */
const RAMP_STEP = 250;
const RAMP_STEP_MS: Ms = 100;
/** How long all streams together may take to show their first event. */
const OPEN_MS_MAX: Ms = 60_000;
const POLL_MS: Ms = 250;
/** A stream flows when it got this share of the events it was due. */
const FLOWING_SHARE = 0.8;

/** Many streams open at once, each with an event now and then. */
export interface HoldOrder {
  readonly mode: "hold";
  readonly errand: Errand;
  readonly streams: number;
  readonly holdMs: Ms;
  readonly gateway: readonly number[];
}

export interface HoldReport extends TallyReport {
  readonly streams: number;
  /** Streams with a first event before the hold began. */
  readonly opened: number;
  /** Streams that got at least four fifths of their events while held. */
  readonly flowed: number;
  readonly events: number;
  readonly openMs: Ms;
  readonly holdMs: Ms;
  readonly rssBeforeBytes: number | undefined;
  readonly rssPeakBytes: number | undefined;
  readonly gatewayCpuMs: number | undefined;
}

/** Opens the streams, holds them, counts what flowed, and cuts them. */
export async function runHold(order: HoldOrder): Promise<HoldReport> {
  const tally = new Tally();
  const request = requestBytes(order.errand);
  const before = sample(order.gateway);
  const startedAt = systemClock.now();
  const callers: Caller[] = [];
  while (callers.length < order.streams) {
    const step = Math.min(RAMP_STEP, order.streams - callers.length);
    for (let opened = 0; opened < step; opened++) {
      const caller = new Caller(order.errand, request, tally);
      callers.push(caller);
      caller.start();
    }
    await delay(RAMP_STEP_MS);
  }
  const deadline = startedAt + OPEN_MS_MAX;
  while (systemClock.now() < deadline && callers.some((caller) => caller.events === 0)) {
    await delay(POLL_MS);
  }
  const openMs = systemClock.now() - startedAt;

  const held = await holdOpen(order, callers, tally);
  for (const caller of callers) caller.cut();
  return { ...tally.report(), ...held, openMs, rssBeforeBytes: before?.rssBytes };
}

async function holdOpen(order: HoldOrder, callers: readonly Caller[], tally: Tally) {
  const { gateway, holdMs, errand, streams } = order;
  const seen = callers.map((caller) => caller.events);
  const start = sample(gateway);
  let last = start;
  let rssPeakBytes = start?.rssBytes;
  tally.begin();
  for (let passed = 0; passed < holdMs; passed += POLL_MS) {
    await delay(Math.min(POLL_MS, holdMs - passed));
    last = sample(gateway);
    if (last !== undefined) rssPeakBytes = Math.max(rssPeakBytes ?? 0, last.rssBytes);
  }
  tally.end();
  const events = callers.map((caller, index) => Math.max(0, caller.events - (seen[index] ?? 0)));
  const due = Math.max(1, FLOWING_SHARE * (holdMs / (errand.pace?.gapMs ?? holdMs)));
  return {
    streams,
    opened: seen.filter((count) => count > 0).length,
    flowed: events.filter((count) => count >= due).length,
    events: events.reduce((sum, count) => sum + count, 0),
    holdMs,
    rssPeakBytes,
    gatewayCpuMs: start === undefined || last === undefined ? undefined : last.cpuMs - start.cpuMs,
  };
}
