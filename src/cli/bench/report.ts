import { disturbance, failuresIn, figuresOf } from "./figures.ts";
import type { Figures } from "./figures.ts";
import type { BenchResult, CaseResult, ColdStartResult, HoldResult } from "./result.ts";
import { spread } from "./stats.ts";
import { addedTime, count, megabytes, percent, rate, ratio } from "./text-table.ts";
import { textTable, time, timeOf } from "./text-table.ts";

/** Everything a run found, for a person. */
export function report(result: BenchResult): string {
  return [
    preamble(result),
    disturbanceLine(result),
    ...result.cases.map((entry) => caseTable(entry, result)),
    holdTable(result.holds),
    memoryTable(result),
    coldStartTable(result.coldStarts),
    failureList(result),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function preamble({
  machine,
  command,
  cores,
  seconds,
  windows,
  sizes,
  holds,
}: BenchResult): string {
  const pinned =
    cores === undefined
      ? "nothing pinned (needs taskset and two cores): contenders share cores with the load"
      : `gateway on core ${cores.gateway}, mock on core ${cores.mock}, load on core ${cores.load}`;
  const method =
    holds.length > 0
      ? `streams held open for ${seconds} s, one event a second each; ${pinned}`
      : `${windows} windows of ${seconds} s each, rotated; median (least-greatest); ${pinned}`;
  return `interlock bench, ${machine.date}
machine  ${machine.cpu}, ${machine.cores} cores, ${machine.kernel}
         load average before: ${machine.load.join(" ")}
         Bun ${machine.bun}, Interlock ${machine.interlock}
command  ${command}
method   ${method}
         closed loop over keep-alive loopback connections; every answer checked
bytes    request ${count(sizes.requestBytes)}, answer ${count(sizes.answerBytes)}, \
stream ${count(sizes.streamBytes)} in ${sizes.streamEvents} events`;
}

/** A machine that is busy with something else measures that. */
const DISTURBED_SHARE = 0.1;

function disturbanceLine({ cases }: BenchResult): string {
  const found = disturbance(cases);
  if (found === undefined) return "";
  const share = `${percent(found)} of one core (${percent(spread([found.max]))} at most)`;
  const advice =
    found.median < DISTURBED_SHARE ? "" : "\n         THE MACHINE WAS NOT IDLE: not to be quoted";
  return `others   other programs used ${share} in a window${advice}\n`;
}

function caseTable(entry: CaseResult, { sizes }: BenchResult): string {
  const figures = figuresOf(entry);
  const { kind, concurrency, pace } = entry.case;
  const at = concurrency === 1 ? "1 at a time" : `${concurrency} at a time`;
  switch (kind) {
    case "buffered":
      return `buffered, ${at}\n${bufferedTable(figures)}`;
    case "streamed":
    case "bare": {
      const events = concurrency === 1 ? sizes.streamEvents : undefined;
      const asked = kind === "bare" ? ", usage not asked for" : "";
      return `streamed, ${at}, no pause between events${asked}\n${streamedTable(figures, events)}`;
    }
    case "paced": {
      const title = `streamed, ${at}, ${pace?.gapMs} ms between events: delay of each event`;
      return `${title}\n${pacedTable(figures)}`;
    }
  }
}

/** Over the mock itself, and over the least that Bun can do. */
const ADDED = ["+p50 direct", "+p99 direct", "+p50 relay"];
const TAIL = ["of relay", "CPU/answer", "load busy", "failed", "rewritten"];
function tail(entry: Figures): readonly string[] {
  return [
    ratio(entry.ofRelay),
    timeOf(entry.cpuMicros),
    percent(entry.loadBusy),
    count(entry.failed),
    count(entry.rewritten),
  ];
}

function bufferedTable(figures: readonly Figures[]): string {
  const rows = figures.map((entry) => [
    entry.name,
    rate(entry.perSecond),
    ...quantileCells(entry.latency),
    ...tail(entry),
  ]);
  return textTable(["", "requests/s", "p50", "p99", ...ADDED, ...TAIL], rows);
}

function streamedTable(figures: readonly Figures[], events: number | undefined): string {
  const header = ["", "streams/s", "first event p50", "p99", ...ADDED, "whole p50", "+event"];
  const rows = figures.map((entry) => [
    entry.name,
    rate(entry.perSecond),
    ...quantileCells(entry.firstEvent),
    timeOf(entry.latency.p50),
    perEvent(entry, events),
    ...tail(entry),
  ]);
  return textTable([...header, ...TAIL], rows);
}

/** What a whole stream took longer than straight from the mock, per event; not in a queue. */
function perEvent(entry: Figures, events: number | undefined): string {
  const added = entry.latency.overDirect.p50?.median;
  return added === undefined || events === undefined ? "–" : `${(added / events).toFixed(1)} µs`;
}

function pacedTable(figures: readonly Figures[]): string {
  const rows = figures.map((entry) => [
    entry.name,
    ...quantileCells(entry.eventLag),
    timeOf(entry.cpuMicros),
    count(entry.failed),
  ]);
  return textTable(["", "delay p50", "p99", ...ADDED, "CPU/stream", "failed"], rows);
}

function quantileCells({ p50, p99, overDirect, overRelay }: Figures["latency"]): readonly string[] {
  return [
    timeOf(p50),
    timeOf(p99),
    addedTime(overDirect.p50),
    addedTime(overDirect.p99),
    addedTime(overRelay.p50),
  ];
}

function holdTable(holds: readonly HoldResult[]): string {
  if (holds.length === 0) return "";
  const first = ["", "streams", "opened", "flowed", "events/s", "delay p50", "p99"];
  const header = [...first, "CPU", "RSS before", "peak", "after", "left open", "failed"];
  const rows = holds.map((hold) => [
    hold.name,
    count(hold.streams),
    count(hold.opened),
    count(hold.flowed),
    count((hold.events / hold.holdMs) * 1000),
    time(hold.eventLag?.p50),
    time(hold.eventLag?.p99),
    percent(
      spread([hold.gatewayCpuMs === undefined ? undefined : hold.gatewayCpuMs / hold.holdMs]),
    ),
    megabytes(hold.rssBeforeBytes),
    megabytes(hold.rssPeakBytes),
    megabytes(hold.rssAfterBytes),
    count(hold.leftOpen),
    count(failuresIn(hold)),
  ]);
  return `streams held open, one event a second each\n${textTable(header, rows)}`;
}

function memoryTable({ memory }: BenchResult): string {
  if (memory.length === 0) return "";
  const rows = memory.map((entry) => [
    entry.name,
    megabytes(entry.idleBytes),
    megabytes(entry.loadBytes),
    megabytes(entry.afterBytes),
  ]);
  const header = ["", "idle", "under load", "after"];
  return `memory (RSS of all its processes)\n${textTable(header, rows)}`;
}

function coldStartTable(coldStarts: readonly ColdStartResult[]): string {
  if (coldStarts.length === 0) return "";
  const rows = coldStarts.map(({ name, ms }) => {
    const found = spread(ms);
    const figures = found === undefined ? [] : [found.median, found.min, found.max];
    return [name, ...figures.map((value) => `${value.toFixed(1)} ms`), String(ms.length)];
  });
  const header = ["", "median", "least", "greatest", "starts"];
  return `cold start: spawn to the end of the first answer\n${textTable(header, rows)}`;
}

function failureList({ cases, holds, refused }: BenchResult): string {
  const lines = [
    ...refused.map(({ name, why }) => `${name} gave no right answer and was left out: ${why}`),
    ...cases.flatMap((entry) =>
      entry.contenders.flatMap(({ name, windows }) =>
        windows.flatMap(({ failures }) => failureLines(`${name}, ${caseName(entry)}`, failures)),
      ),
    ),
    ...holds.flatMap((hold) => failureLines(`${hold.name}, held streams`, hold.failures)),
  ];
  if (lines.length === 0) return "failures: none\n";
  return `failures\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

function caseName({ case: { kind, concurrency } }: CaseResult): string {
  return `${kind} at ${concurrency}`;
}

function failureLines(
  where: string,
  failures: Readonly<Record<string, number>>,
): readonly string[] {
  return Object.entries(failures).map(
    ([reason, times]) => `${where}: ${reason}, ${count(times)} times`,
  );
}
