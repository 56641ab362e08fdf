import type { Ms } from "../../core/units.ts";
import { systemClock } from "../../runtime/clock.ts";
import { Caller, requestBytes } from "./caller.ts";
import type { Errand } from "./caller.ts";
import { machineBusyMs, sample } from "./sample.ts";
import { Tally } from "./tally.ts";
import type { TallyReport } from "./tally.ts";
import { delay, endsWithin } from "./wait.ts";

/** What is still unanswered so long after a window's end counts as a failure. */
const DRAIN_MS: Ms = 5_000;

/** One window of load: `concurrency` callers, each with one request at a time. */
export interface WindowOrder {
  readonly mode: "window";
  readonly errand: Errand;
  readonly concurrency: number;
  readonly warmMs: Ms;
  readonly windowMs: Ms;
  /** The gateway's processes, measured over exactly the window; none when there is no gateway. */
  readonly gateway: readonly number[];
  /** The mock's process, for the share of time the measuring side itself was busy. */
  readonly mock: readonly number[];
}

export interface WindowReport extends TallyReport {
  readonly windowMs: Ms;
  readonly gatewayCpuMs: number | undefined;
  readonly gatewayRssBytes: number | undefined;
  /** CPU time of this process and of the mock: near the window's length they were the limit. */
  readonly loadCpuMs: number;
  readonly mockCpuMs: number | undefined;
  /** CPU time of everything else on the machine: what disturbed the window. */
  readonly othersCpuMs: number | undefined;
}

/** Runs one window and says what came of it. */
export async function runWindow(order: WindowOrder): Promise<WindowReport> {
  const tally = new Tally();
  const request = requestBytes(order.errand);
  const callers = Array.from(
    { length: order.concurrency },
    () => new Caller(order.errand, request, tally),
  );
  for (const caller of callers) caller.start();
  await delay(order.warmMs);

  const before = meter(order);
  tally.begin();
  await delay(order.windowMs);
  tally.end();
  const after = meter(order);

  for (const caller of callers) caller.stop();
  await endsWithin(Promise.all(callers.map((caller) => caller.done)), DRAIN_MS);
  for (const caller of callers) if (caller.cut()) tally.failed("no answer");

  const gatewayCpuMs = difference(before.gateway?.cpuMs, after.gateway?.cpuMs);
  const mockCpuMs = difference(before.mock?.cpuMs, after.mock?.cpuMs);
  const loadCpuMs = after.ownCpuMs - before.ownCpuMs;
  const allMs = difference(before.machineMs, after.machineMs);
  const oursMs = loadCpuMs + (gatewayCpuMs ?? 0) + (mockCpuMs ?? 0);
  return {
    ...tally.report(),
    windowMs: after.at - before.at,
    gatewayCpuMs,
    gatewayRssBytes: after.gateway?.rssBytes,
    loadCpuMs,
    mockCpuMs,
    othersCpuMs: allMs && Math.max(0, allMs - oursMs),
  };
}

function meter({ gateway, mock }: WindowOrder) {
  const { user, system } = process.cpuUsage();
  return {
    at: systemClock.now(),
    gateway: sample(gateway),
    mock: sample(mock),
    ownCpuMs: (user + system) / 1000,
    machineMs: machineBusyMs(),
  };
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}
