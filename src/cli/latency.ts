import type { Ms } from "../core/units.ts";
import { Times } from "../state/ledger/percentiles.ts";
import { latencySamples, type LatencySample } from "../state/ledger/read.ts";
import { rangeOf } from "../state/ledger/window.ts";
import { count } from "./bench/text-table.ts";
import { type LedgerQuestion, readQuestion } from "./cost-arguments.ts";
import { askLedger, ledgerMeant, type LedgerPlace } from "./cost-ledger.ts";
import { type Column, noData, report, warnUnused, windowText } from "./cost-output.ts";
import { EXIT, type Io } from "./io.ts";

const USAGE = `Usage: interlock latency [OPTIONS]

How long requests took, from the ledger in the state directory.

  -p, --provider NAME   Only this provider
  -m, --model NAME      Only this model, billed or requested
  -t, --tenant ID       Only this tenant
  -w, --window DURATION How far back: 30m, 24h, 7d, 1d12h, all [default: 1h]
  -g, --group-by FIELD  provider, model, tenant, key, hour or day
                        [default: provider and model]
      --percentiles     More of them, and of the first event too
  -c, --config FILE     Whose database to ask, as --database-url URL or DATABASE_URL
      --state-dir DIR   Where the ledger of one node is
      --json, --csv     For machines
`;

/** The times of one group of requests. */
interface Group {
  readonly name: string;
  readonly whole: Times;
  readonly first: Times;
  failed: number;
}

/** `interlock latency`: exact percentiles over every request of the window. */
export async function latency(
  argv: readonly string[],
  io: Io,
  place: LedgerPlace,
): Promise<number> {
  const question = readQuestion(argv, { detail: "percentiles", window: "1h" });
  if (typeof question === "string") {
    io.stderr(`interlock: ${question}\n${USAGE}`);
    return EXIT.usage;
  }
  if (question.help) {
    io.stdout(USAGE);
    return EXIT.ok;
  }
  warnUnused(io, question.unused);
  const now = place.clock.wall();
  const at = await ledgerMeant(place, question, io);
  const asked = await askLedger(at, (sql) => {
    const filter = { ...question, ...rangeOf(question.windowMs, now) };
    return gather(latencySamples(sql, { filter, groupBy: question.groupBy }), question);
  });
  if (asked.kind === "failed") {
    io.stderr(`interlock: ${asked.why}\n`);
    return EXIT.failed;
  }
  if (asked.kind === "no_data" || asked.value.length === 0) return noData(io, question);
  report(io, question, {
    columns: columnsOf(question),
    rows: asked.value,
    total: undefined,
    title: `Latency of ${windowText(question, now)}, in milliseconds`,
    notes: [],
  });
  return EXIT.ok;
}

async function gather(
  samples: AsyncIterable<LatencySample>,
  { groupBy }: LedgerQuestion,
): Promise<readonly Group[]> {
  const groups = new Map<string, Group>();
  for await (const sample of samples) {
    const { provider, model } = sample;
    const name = groupBy === undefined ? `${provider}/${model}` : (sample.group ?? "–");
    const group = groups.get(name) ?? newGroup(name);
    groups.set(name, group);
    group.whole.add(sample.latencyMs);
    if (sample.firstEventMs !== undefined) group.first.add(sample.firstEventMs);
    if (sample.failed) group.failed++;
  }
  return [...groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function newGroup(name: string): Group {
  return { name, whole: new Times(), first: new Times(), failed: 0 };
}

const FEW = [50, 95, 99] as const;
const MANY = [50, 75, 90, 95, 99, 99.9, 100] as const;

function columnsOf({ groupBy, detailed }: LedgerQuestion): readonly Column<Group>[] {
  const percents = detailed ? MANY : FEW;
  return [
    { name: groupBy ?? "backend", title: groupBy ?? "provider/model", value: ({ name }) => name },
    {
      name: "requests",
      title: "requests",
      value: ({ whole }) => whole.count,
      text: ({ whole }) => count(whole.count),
    },
    {
      name: "failed",
      title: "failed",
      value: ({ failed }) => failed,
      text: ({ failed }) => count(failed),
    },
    time("mean_ms", "mean", ({ whole }) => whole.mean),
    ...percents.map((percent) =>
      time(`${percentName(percent)}_ms`, percentName(percent), ({ whole }) => whole.at(percent)),
    ),
    ...(detailed ? percents : ([50, 95] as const)).map((percent) =>
      time(`first_event_${percentName(percent)}_ms`, `first ${percentName(percent)}`, ({ first }) =>
        first.at(percent),
      ),
    ),
  ];
}

function percentName(percent: number): string {
  return percent === 100 ? "max" : `p${percent}`;
}

function time(name: string, title: string, value: (group: Group) => Ms | undefined): Column<Group> {
  const rounded = (group: Group): number | undefined => {
    const ms = value(group);
    return ms === undefined ? undefined : Math.round(ms);
  };
  return {
    name,
    title,
    value: rounded,
    text: (group) => {
      const ms = rounded(group);
      return ms === undefined ? "–" : count(ms);
    },
  };
}
