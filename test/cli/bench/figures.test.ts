import { expect, test } from "bun:test";
import { disturbance, failuresIn, figuresOf } from "../../../src/cli/bench/figures.ts";
import type { WindowReport } from "../../../src/cli/bench/load.ts";
import type { CaseResult } from "../../../src/cli/bench/result.ts";

interface Window {
  readonly p50: number;
  readonly answered?: number;
  readonly cpuMs?: number;
  readonly othersMs?: number;
  readonly failures?: Record<string, number>;
}

function report({ p50, answered = 1000, cpuMs, othersMs, failures = {} }: Window): WindowReport {
  return {
    answered,
    answeredInAll: answered,
    rewritten: 0,
    failures,
    latency: { count: answered, mean: p50, p50, p90: p50, p99: p50 * 2, max: p50 * 3 },
    firstEvent: undefined,
    eventLag: undefined,
    windowMs: 500,
    gatewayCpuMs: cpuMs,
    gatewayRssBytes: undefined,
    loadCpuMs: 300,
    mockCpuMs: 100,
    othersCpuMs: othersMs,
  };
}

function caseOf(contenders: Record<string, readonly Window[]>): CaseResult {
  return {
    case: { kind: "buffered", concurrency: 1, pace: undefined },
    contenders: Object.entries(contenders).map(([name, windows]) => ({
      name,
      windows: windows.map(report),
    })),
  };
}

test("what is added is taken within a round, so a slow round does not count as a slow gateway", () => {
  const figures = figuresOf(
    caseOf({
      direct: [{ p50: 100 }, { p50: 900 }, { p50: 100 }],
      relay: [{ p50: 150 }, { p50: 950 }, { p50: 150 }],
      interlock: [{ p50: 160 }, { p50: 960 }, { p50: 170 }],
    }),
  );
  const [direct, relay, interlock] = figures;
  expect(relay?.latency.overDirect.p50).toEqual({ median: 50, min: 50, max: 50 });
  expect(interlock?.latency.overDirect.p50).toEqual({ median: 60, min: 60, max: 70 });
  expect(interlock?.latency.overRelay.p50).toEqual({ median: 10, min: 10, max: 20 });
  expect(direct?.latency.overDirect.p50).toBeUndefined();
  expect(direct?.latency.overRelay.p50).toBeUndefined();
});

test("throughput, its share of the relay's and CPU time come from each window's own length", () => {
  const [relay, interlock] = figuresOf(
    caseOf({
      relay: [{ p50: 1, answered: 1000, cpuMs: 50 }],
      interlock: [{ p50: 1, answered: 800, cpuMs: 60 }],
    }),
  );
  expect(relay?.perSecond?.median).toBe(2000);
  expect(interlock?.ofRelay?.median).toBe(0.8);
  expect(relay?.ofRelay).toBeUndefined();
  expect(interlock?.cpuMicros?.median).toBe(75);
  expect(relay?.loadBusy?.median).toBe(0.8);
});

test("failures of all windows and of all kinds add up", () => {
  const [only] = figuresOf(
    caseOf({
      a: [
        { p50: 1, failures: { "status 429": 3 } },
        { p50: 1, failures: { "no answer": 1, x: 2 } },
      ],
    }),
  );
  expect(only?.failed).toBe(6);
  expect(failuresIn({ failures: {} })).toBe(0);
});

test("a window without answers gives no CPU figure instead of an endless one", () => {
  const [only] = figuresOf(caseOf({ a: [{ p50: 1, answered: 0, cpuMs: 10 }] }));
  expect(only?.cpuMicros).toBeUndefined();
});

test("what other programs used is known of the bench's own contenders only", () => {
  const found = caseOf({
    direct: [{ p50: 1, othersMs: 5 }],
    relay: [{ p50: 1, othersMs: 50 }],
    interlock: [{ p50: 1 }, { p50: 1, othersMs: 10 }],
    target: [{ p50: 1, othersMs: 400 }],
  });
  expect(disturbance([found])).toEqual({ median: 0.02, min: 0.01, max: 0.1 });
});
