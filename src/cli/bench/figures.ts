import type { CaseResult, ContenderWindows } from "./result.ts";
import type { WindowReport } from "./load.ts";
import { spread } from "./stats.ts";
import type { Spread, Summary } from "./stats.ts";

/** What is published of one contender in one case. Times are in microseconds. */
export interface Figures {
  readonly name: string;
  readonly perSecond: Spread | undefined;
  /** Of the relay's throughput in the same round. */
  readonly ofRelay: Spread | undefined;
  readonly latency: Quantiles;
  readonly firstEvent: Quantiles;
  readonly eventLag: Quantiles;
  /** CPU time of the gateway for each answer. */
  readonly cpuMicros: Spread | undefined;
  /** Share of its window the load generator and the mock spent computing. */
  readonly loadBusy: Spread | undefined;
  readonly failed: number;
  readonly rewritten: number;
}

/** A time's middle and tail, and how much more they are than others' in the same round. */
export interface Quantiles {
  readonly p50: Spread | undefined;
  readonly p99: Spread | undefined;
  readonly overDirect: Added;
  readonly overRelay: Added;
}
interface Added {
  readonly p50: Spread | undefined;
  readonly p99: Spread | undefined;
}

type Pick = (window: WindowReport | undefined) => number | undefined;

/** Medians over windows. Differences and ratios are taken inside each round first. */
export function figuresOf(result: CaseResult): readonly Figures[] {
  const named = (name: string) => result.contenders.find((entry) => entry.name === name);
  const direct = named("direct");
  const relay = named("relay");
  return result.contenders.map((entry) => {
    const times = (pick: (window: WindowReport) => Summary | undefined) =>
      quantiles(entry, pick, { direct, relay });
    return {
      name: entry.name,
      perSecond: over(entry, perSecond),
      ofRelay: pairs(entry, relay, { pick: perSecond, join: (own, other) => own / other }),
      latency: times((window) => window.latency),
      firstEvent: times((window) => window.firstEvent),
      eventLag: times((window) => window.eventLag),
      cpuMicros: over(entry, cpuPerAnswer),
      loadBusy: over(entry, loadBusy),
      failed: sum(entry.windows.map(failuresIn)),
      rewritten: sum(entry.windows.map((window) => window.rewritten)),
    };
  });
}

/** Share of one core that other programs took during windows of the bench's own contenders. */
export function disturbance(cases: readonly CaseResult[]): Spread | undefined {
  const windows = cases.flatMap(({ contenders }) =>
    contenders.filter(({ name }) => OWN.has(name)).flatMap((entry) => entry.windows),
  );
  return spread(windows.map(({ othersCpuMs, windowMs }) => othersCpuMs && othersCpuMs / windowMs));
}
/** A target's own CPU time may be unknown, and would then pass for that of others. */
const OWN = new Set(["direct", "relay", "interlock"]);

/** Answers of a window that were not right, whatever was wrong with them. */
export function failuresIn(window: {
  readonly failures: Readonly<Record<string, number>>;
}): number {
  return sum(Object.values(window.failures));
}

function quantiles(
  entry: ContenderWindows,
  pick: (window: WindowReport) => Summary | undefined,
  others: { direct: ContenderWindows | undefined; relay: ContenderWindows | undefined },
): Quantiles {
  const p50: Pick = (window) => window && pick(window)?.p50;
  const p99: Pick = (window) => window && pick(window)?.p99;
  const added = (other: ContenderWindows | undefined): Added => {
    const join = (own: number, theirs: number) => own - theirs;
    return {
      p50: pairs(entry, other, { pick: p50, join }),
      p99: pairs(entry, other, { pick: p99, join }),
    };
  };
  return {
    p50: over(entry, p50),
    p99: over(entry, p99),
    overDirect: added(others.direct),
    overRelay: added(others.relay),
  };
}

function over(entry: ContenderWindows, pick: Pick): Spread | undefined {
  return spread(entry.windows.map(pick));
}

function pairs(
  entry: ContenderWindows,
  other: ContenderWindows | undefined,
  { pick, join }: { pick: Pick; join: (own: number, other: number) => number },
): Spread | undefined {
  if (other === undefined || other === entry || entry.name === "direct") return undefined;
  return spread(
    entry.windows.map((window, round) => {
      const own = pick(window);
      const theirs = pick(other.windows[round]);
      return own === undefined || theirs === undefined ? undefined : join(own, theirs);
    }),
  );
}

const perSecond: Pick = (window) => window && (window.answered / window.windowMs) * 1000;

const cpuPerAnswer: Pick = (window) => {
  if (window?.gatewayCpuMs === undefined || window.answered === 0) return undefined;
  return (window.gatewayCpuMs * 1000) / window.answered;
};

const loadBusy: Pick = (window) =>
  window && (window.loadCpuMs + (window.mockCpuMs ?? 0)) / window.windowMs;

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
