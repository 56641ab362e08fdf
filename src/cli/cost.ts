import { type PricedGroup, priceSums } from "../state/ledger/priced.ts";
import { sumAttempts, sumUsage } from "../state/ledger/read.ts";
import { rangeOf } from "../state/ledger/window.ts";
import { dollarsOfNano, dollarText } from "../state/rate-card/money.ts";
import type { NanoAmount } from "../state/rate-card/prices.ts";
import type { RateCard } from "../state/rate-card/rate-card.ts";
import { count } from "./bench/text-table.ts";
import { type LedgerQuestion, readQuestion } from "./cost-arguments.ts";
import { askLedger, cardFor, cardName, ledgerMeant, type LedgerPlace } from "./cost-ledger.ts";
import { type Column, noData, report, warnUnused, windowText } from "./cost-output.ts";
import { EXIT, type Io } from "./io.ts";

const USAGE = `Usage: interlock cost [OPTIONS]

What requests cost by the rate card, from the ledger in the state directory.

  -p, --provider NAME   Only this provider
  -m, --model NAME      Only this model, billed or requested
  -t, --tenant ID       Only this tenant
  -w, --window DURATION How far back: 30m, 24h, 7d, 1d12h, all [default: 24h]
  -g, --group-by FIELD  provider, model, tenant, key, hour or day
      --breakdown       By kind of token, and what retries cost
      --rate-card FILE  Prices laid over the embedded ones
  -c, --config FILE     Whose database to ask, as --database-url URL or DATABASE_URL
      --state-dir DIR   Where the ledger of one node is
      --json, --csv     For machines
`;

/** `interlock cost`: facts of the ledger, priced now by a card that is named. */
export async function cost(argv: readonly string[], io: Io, place: LedgerPlace): Promise<number> {
  const question = readQuestion(argv, { detail: "breakdown", window: "24h" });
  if (typeof question === "string") {
    io.stderr(`interlock: ${question}\n${USAGE}`);
    return EXIT.usage;
  }
  if (question.help) {
    io.stdout(USAGE);
    return EXIT.ok;
  }
  warnUnused(io, question.unused);
  const card = await cardFor(place, question.rateCard, io);
  if (typeof card === "string") {
    io.stderr(`interlock: ${card}\n`);
    return EXIT.failed;
  }
  const now = place.clock.wall();
  const at = await ledgerMeant(place, question, io);
  const asked = await askLedger(at, async (sql) => {
    const filter = { ...question, ...rangeOf(question.windowMs, now) };
    const { thresholds } = card;
    const sums = await sumUsage(sql, { filter, groupBy: question.groupBy, thresholds });
    const isWhole = question.detailed && question.tenant === undefined;
    return { sums, attempts: isWhole ? await sumAttempts(sql, { filter, thresholds }) : [] };
  });
  if (asked.kind === "failed") {
    io.stderr(`interlock: ${asked.why}\n`);
    return EXIT.failed;
  }
  if (asked.kind === "no_data" || asked.value.sums.length === 0) return noData(io, question);
  const { sums, attempts } = asked.value;
  const total = priceSums(sums, card, () => undefined)[0];
  const tries = priceSums(attempts, card)[0];
  const unknown = attempts.reduce((all, each) => all + each.unknown, 0);
  report(io, question, {
    columns: columnsOf(question, card),
    rows: priceSums(sums, card),
    total: question.groupBy === undefined ? undefined : total,
    title: `Cost of ${windowText(question, now)}, by rate card ${cardName(card)}`,
    notes: [...unpricedNote(total), ...retriesNote(total, tries, unknown)],
  });
  return EXIT.ok;
}

function columnsOf(
  { groupBy, detailed }: LedgerQuestion,
  card: RateCard,
): readonly Column<PricedGroup>[] {
  const group: Column<PricedGroup> = {
    name: groupBy ?? "group",
    title: groupBy ?? "",
    value: (row) => row.group,
    text: (row) => row.group ?? (groupBy === undefined ? "all" : "–"),
  };
  const parts: readonly Column<PricedGroup>[] = [
    money("input", "input", ({ parts: { input } }) => input),
    money("cache_read", "cache read", ({ parts: { cacheRead } }) => cacheRead),
    money("cache_write", "cache write", (row) => row.parts.cacheWrite + row.parts.cacheWriteLong),
    money("output", "output", ({ parts: { output } }) => output),
    money("reasoning", "reasoning", ({ parts: { reasoning } }) => reasoning),
    money("fees", "fees", ({ fees }) => fees),
  ];
  return [
    group,
    number("requests", "requests", ({ requests }) => requests),
    number("input_tokens", "input tokens", ({ usage }) => usage.inputTokens),
    number("output_tokens", "output tokens", ({ usage }) => usage.outputTokens),
    ...(detailed ? parts : []),
    {
      name: "cost_usd",
      title: "cost",
      value: (row) => (isUnknown(row) ? undefined : dollarsOfNano(row.nano)),
      text: (row) => (isUnknown(row) ? "unknown" : `${dollarText(row.nano)}${openEnd(row)}`),
    },
    {
      name: "unpriced_requests",
      title: "unpriced",
      value: ({ unpriced }) => unpriced.requests,
      text: ({ unpriced }) => count(unpriced.requests),
    },
    { name: "rate_card", title: "", value: () => card.version, machineOnly: true },
  ];
}

/** Nothing of it has a price: it costs an unknown amount, not none. */
function isUnknown({ requests, unpriced }: PricedGroup): boolean {
  return requests > 0 && unpriced.requests === requests;
}

function openEnd({ unpriced }: PricedGroup): string {
  return unpriced.requests > 0 ? " + ?" : "";
}

function money(
  name: string,
  title: string,
  amount: (row: PricedGroup) => NanoAmount,
): Column<PricedGroup> {
  return {
    name: `${name}_usd`,
    title,
    value: (row) => dollarsOfNano(amount(row)),
    text: (row) => dollarText(amount(row)),
  };
}

function number(
  name: string,
  title: string,
  value: (row: PricedGroup) => number,
): Column<PricedGroup> {
  return { name, title, value, text: (row) => count(value(row)) };
}

function unpricedNote(total: PricedGroup | undefined): readonly string[] {
  const unpriced = total?.unpriced;
  if (unpriced === undefined || unpriced.requests === 0) return [];
  const { requests, inputTokens, outputTokens, models } = unpriced;
  const tokens = `${count(inputTokens)} input and ${count(outputTokens)} output tokens`;
  return [
    `No price is known for ${models.join(", ")}: ${count(requests)} request(s), ${tokens}\n` +
      "are in no sum above. Name their prices in a file for --rate-card.",
  ];
}

/** The price of retries and aborts: reliability.md §3.4, law 4. */
function retriesNote(
  total: PricedGroup | undefined,
  tries: PricedGroup | undefined,
  unknown: number,
): readonly string[] {
  if (total === undefined || tries === undefined) return [];
  const more = tries.nano - total.nano;
  const open = unknown === 0 ? "" : `; of ${count(unknown)} attempt(s) nobody knows the cost`;
  return [
    `Over all attempts providers are owed ${dollarText(tries.nano)}: ${dollarText(more)} more, ` +
      `for retries and aborts${open}.`,
  ];
}
