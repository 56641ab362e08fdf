import type { Ms } from "../../core/units.ts";
import type { Case } from "./cases.ts";
import { timeColdStart } from "./cold-start.ts";
import { prepareInterlock, prepareRelay } from "./gateway.ts";
import type { HoldOrder, HoldReport } from "./hold.ts";
import type { WindowOrder, WindowReport } from "./load.ts";
import type { MockCounts } from "./mock.ts";
import type { CaseResult, ColdStartResult, HoldResult } from "./result.ts";
import { processTree, sample } from "./sample.ts";
import type { ProcessSample } from "./sample.ts";
import type { Contender, Stage } from "./stage.ts";
import { delay } from "./wait.ts";

/** Before a window: connections opened, and in the first round machine code made. */
const WARM_FIRST_MS: Ms = 1_000;
const WARM_MS: Ms = 300;
/** After held streams are cut, until what is left of them is counted. */
const SETTLE_MS: Ms = 5_000;
const COLD_STARTS = 7;
/** More events than any hold lasts: the client ends the streams. */
const ENDLESS = 1_000_000;
const HOLD_GAP_MS: Ms = 1_000;

/** All contenders under one kind of load, in turn, round after round. */
export async function measureCase(
  stage: Stage,
  one: Case,
  { windowMs, rounds }: { readonly windowMs: Ms; readonly rounds: number },
): Promise<CaseResult> {
  const found = stage.contenders.map(({ name }) => ({ name, windows: [] as WindowReport[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, contender] of stage.contenders.entries()) {
      const order: WindowOrder = {
        mode: "window",
        errand: { endpoint: contender.endpoint, kind: one.kind, pace: one.pace },
        concurrency: one.concurrency,
        warmMs: Math.min(windowMs, round === 0 ? WARM_FIRST_MS : WARM_MS),
        windowMs,
        gateway: processesOf(contender),
        mock: [stage.mock.pid],
      };
      found[index]?.windows.push(await measureWindow(stage, order));
    }
  }
  return { case: one, contenders: found };
}

/** A right answer the mock never gave came from a cache: fast, and not what is measured here. */
async function measureWindow({ load, mock }: Stage, order: WindowOrder): Promise<WindowReport> {
  const before = (await mock.ask({})) as MockCounts;
  const report = (await load.ask(order)) as WindowReport;
  const after = (await mock.ask({})) as MockCounts;
  const invented = report.answeredInAll - (after.requests - before.requests);
  if (invented <= 0) return report;
  const failures = { ...report.failures, "answered without the upstream": invented };
  return { ...report, failures };
}

/** Many quiet streams through each contender, one contender after the other. */
export async function measureHold(
  stage: Stage,
  contender: Contender,
  { streams, holdMs }: { readonly streams: number; readonly holdMs: Ms },
): Promise<HoldResult> {
  const gateway = processesOf(contender);
  const pace = { events: ENDLESS, gapMs: HOLD_GAP_MS };
  const errand = { endpoint: contender.endpoint, kind: "paced", pace } as const;
  const order: HoldOrder = { mode: "hold", errand, streams, holdMs, gateway };
  const held = (await stage.load.ask(order)) as HoldReport;
  await delay(SETTLE_MS);
  const { streamsOpen } = (await stage.mock.ask({})) as MockCounts;
  return {
    name: contender.name,
    ...held,
    rssAfterBytes: sample(gateway)?.rssBytes,
    leftOpen: streamsOpen,
  };
}

/** Relay and Interlock started from nothing, in turn. */
export async function measureColdStarts(stage: Stage): Promise<readonly ColdStartResult[]> {
  const { setting, contenders } = stage;
  const relay: number[] = [];
  const interlock: number[] = [];
  const present = new Set(contenders.map(({ name }) => name));
  for (let start = 0; start < COLD_STARTS; start++) {
    if (present.has("relay")) relay.push(await timeColdStart(prepareRelay(setting)));
    if (present.has("interlock")) {
      interlock.push(await timeColdStart(await prepareInterlock(setting)));
    }
  }
  return [
    { name: "relay", ms: relay },
    { name: "interlock", ms: interlock },
  ].filter(({ ms }) => ms.length > 0);
}

/** What a contender's processes hold right now; undefined without processes. */
export function memoryOf(contender: Contender): ProcessSample | undefined {
  return sample(processesOf(contender));
}

function processesOf({ pid }: Contender): readonly number[] {
  return pid === undefined ? [] : processTree(pid);
}
