import type { Ms } from "../../core/units.ts";
import { allCases } from "./cases.ts";
import { requestBytes } from "./caller.ts";
import type { Children } from "./children.ts";
import { failuresIn } from "./figures.ts";
import { directEndpoint } from "./gateway.ts";
import { describeMachine, planCores } from "./machine.ts";
import { measureCase, measureColdStarts, measureHold, memoryOf } from "./measure.ts";
import type { BenchOptions } from "./options.ts";
import { BUFFERED_ANSWER, STREAM_FRAMES } from "./payload.ts";
import type { BenchResult, CaseResult, HoldResult, MemoryResult } from "./result.ts";
import { setStage } from "./stage.ts";
import type { Stage } from "./stage.ts";
import { delay } from "./wait.ts";

/** Long enough for start-up work to be over, and for memory to be handed back after load. */
const REST_MS: Ms = 2_000;

export interface RunSetting {
  readonly options: BenchOptions;
  /** The command line, for the report. */
  readonly command: string;
  readonly children: Children;
  readonly home: string;
  progress(text: string): void;
}

/** One whole run. */
export async function run(setting: RunSetting): Promise<BenchResult> {
  const { options, command, children, home, progress } = setting;
  const machine = describeMachine();
  const cores = planCores();
  progress("starting mock, load, relay, interlock");
  const stage = await setStage({ options, children, home, cores });
  for (const { name, why } of stage.refused) progress(`${name} is left out: ${why}`);
  const found =
    options.streams === undefined
      ? await runCases(stage, setting)
      : await runHolds(stage, setting, options.streams);
  const failed = [
    ...found.cases.flatMap((entry) => entry.contenders.flatMap(({ windows }) => windows)),
    ...found.holds,
  ].some((report) => failuresIn(report) > 0);
  return {
    machine,
    command,
    cores,
    seconds: options.seconds,
    windows: options.windows,
    sizes: sizes(),
    ...found,
    refused: stage.refused,
    clean: !failed && stage.refused.length === 0,
  };
}

type Found = Pick<BenchResult, "cases" | "holds" | "memory" | "coldStarts">;

async function runCases(stage: Stage, { options, progress }: RunSetting): Promise<Found> {
  await delay(REST_MS);
  const idle = stage.contenders.map(memoryOf);
  const cases: CaseResult[] = [];
  for (const one of allCases(options.concurrencies)) {
    progress(`${one.kind}, ${one.concurrency} at a time`);
    const plan = { windowMs: options.seconds * 1000, rounds: options.windows };
    cases.push(await measureCase(stage, one, plan));
  }
  await delay(REST_MS);
  const memory = stage.contenders.map((contender, index): MemoryResult => {
    const seen = cases.flatMap(({ contenders }) => contenders[index]?.windows ?? []);
    return {
      name: contender.name,
      idleBytes: idle[index]?.rssBytes,
      loadBytes: most(seen.map((window) => window.gatewayRssBytes)),
      afterBytes: memoryOf(contender)?.rssBytes,
    };
  });
  progress("cold starts");
  const coldStarts = await measureColdStarts(stage);
  return { cases, holds: [], memory: memory.filter((entry) => entry.idleBytes), coldStarts };
}

async function runHolds(
  stage: Stage,
  { options, progress }: RunSetting,
  streams: number,
): Promise<Found> {
  const holds: HoldResult[] = [];
  for (const contender of stage.contenders) {
    progress(`${streams} streams, ${contender.name}`);
    holds.push(await measureHold(stage, contender, { streams, holdMs: options.seconds * 1000 }));
  }
  return { cases: [], holds, memory: [], coldStarts: [] };
}

function most(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function sizes(): BenchResult["sizes"] {
  const errand = { endpoint: directEndpoint(0), kind: "buffered", pace: undefined } as const;
  return {
    requestBytes: requestBytes(errand).length,
    answerBytes: Buffer.byteLength(BUFFERED_ANSWER),
    streamBytes: Buffer.byteLength(STREAM_FRAMES.join("")),
    streamEvents: STREAM_FRAMES.length,
  };
}
