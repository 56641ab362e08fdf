import { type PricedGroup, priceSums } from "../state/ledger/priced.ts";
import { sumUsage } from "../state/ledger/read.ts";
import { rangeOf } from "../state/ledger/window.ts";
import { makeCard } from "../state/rate-card/rate-card.ts";
import { count } from "./bench/text-table.ts";
import { type LedgerQuestion, readQuestion } from "./cost-arguments.ts";
import { askLedger, ledgerMeant, type LedgerPlace } from "./cost-ledger.ts";
import { type Column, noData, report, warnUnused, windowText } from "./cost-output.ts";
import { EXIT, type Io } from "./io.ts";

const USAGE = `Usage: interlock token-usage [OPTIONS]

Tokens that requests used, from the ledger in the state directory.

  -p, --provider NAME   Only this provider
  -m, --model NAME      Only this model, billed or requested
  -t, --tenant ID       Only this tenant
  -w, --window DURATION How far back: 30m, 24h, 7d, 1d12h, all [default: 24h]
  -g, --group-by FIELD  provider, model, tenant, key, hour or day
      --detailed        Cache and reasoning tokens, estimates and errors too
  -c, --config FILE     Whose database to ask, as --database-url URL or DATABASE_URL
      --state-dir DIR   Where the ledger of one node is
      --json, --csv     For machines
`;

/** No prices: only the adding up is wanted here. */
const NO_CARD = makeCard([]);

/** `interlock token-usage`: facts of the ledger, added up. */
export async function tokenUsage(
  argv: readonly string[],
  io: Io,
  place: LedgerPlace,
): Promise<number> {
  const question = readQuestion(argv, { detail: "detailed", window: "24h" });
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
    return sumUsage(sql, { filter, groupBy: question.groupBy, thresholds: [] });
  });
  if (asked.kind === "failed") {
    io.stderr(`interlock: ${asked.why}\n`);
    return EXIT.failed;
  }
  if (asked.kind === "no_data" || asked.value.length === 0) return noData(io, question);
  report(io, question, {
    columns: columnsOf(question),
    rows: priceSums(asked.value, NO_CARD),
    total:
      question.groupBy === undefined
        ? undefined
        : priceSums(asked.value, NO_CARD, () => undefined)[0],
    title: `Tokens of ${windowText(question, now)}`,
    notes: [],
  });
  return EXIT.ok;
}

function columnsOf({ groupBy, detailed }: LedgerQuestion): readonly Column<PricedGroup>[] {
  const details: readonly Column<PricedGroup>[] = [
    tokens("cache_read_tokens", "cache read", ({ usage }) => usage.cacheReadTokens),
    tokens("cache_write_tokens", "cache write", ({ usage }) => usage.cacheWriteTokens),
    tokens("reasoning_tokens", "reasoning", ({ usage }) => usage.reasoningTokens),
    tokens("estimated_requests", "estimated", ({ estimated }) => estimated),
    tokens("failed_requests", "failed", ({ errors }) => errors),
  ];
  return [
    {
      name: groupBy ?? "group",
      title: groupBy ?? "",
      value: ({ group }) => group,
      text: ({ group }) => group ?? (groupBy === undefined ? "all" : "–"),
    },
    tokens("requests", "requests", ({ requests }) => requests),
    tokens("input_tokens", "input", ({ usage }) => usage.inputTokens),
    tokens("output_tokens", "output", ({ usage }) => usage.outputTokens),
    tokens("total_tokens", "total", ({ usage }) => usage.inputTokens + usage.outputTokens),
    ...(detailed ? details : []),
  ];
}

function tokens(
  name: string,
  title: string,
  value: (row: PricedGroup) => number,
): Column<PricedGroup> {
  return { name, title, value, text: (row) => count(value(row)) };
}
