import type { Ms } from "../core/units.ts";
import type { KeyLimits } from "../state/keys/key-limits.ts";
import { keyJson, momentText } from "../state/keys/key-json.ts";
import type { KeyBook } from "../state/keys/key-book.ts";
import type { NewKey } from "../state/keys/key-store.ts";
import type { Io } from "./io.ts";
import type { KeyContext } from "./key.ts";
import {
  noPositionals,
  readCount,
  readDollars,
  readExpiry,
  readLabel,
  readNames,
  readOptions,
  readPeriod,
  runKeyCommand,
  UsageError,
  withBook,
} from "./key-options.ts";
import { limitsText } from "./key-print.ts";

const HELP = `Usage: interlock key create --name NAME [OPTIONS]

Makes a key and prints its text on standard output. It is shown this once: only its SHA-256 is kept.

Options:
      --name NAME            What to call it
      --tenant TENANT        The namespace it belongs to
      --expires WHEN         90d, 12h, 2027-01-31 or 2027-01-31T12:00:00Z [default: never]
      --rpm N                Requests a minute
      --tpm N                Tokens a minute
      --concurrency N        Requests at once
      --budget-usd AMOUNT    Money it may spend in a period
      --budget-tokens N      Tokens it may use in a period
      --budget-period WHEN   hourly, daily, weekly, monthly, total (UTC) or rolling:7d
                             [default: monthly]
      --privacy CLASS        private or shareable: the class of its unmarked requests
      --allow NAMES          Pools and models it may use, with commas between [default: all]
      --zones NAMES          Zones its requests may be sent to [default: all]
      --state-dir DIR        Where the store is
  -c, --config FILE          Whose database to use, as --database-url URL or DATABASE_URL
      --json                 Print the key and all about it as JSON
`;

const OPTIONS = {
  name: { type: "string" },
  tenant: { type: "string" },
  expires: { type: "string" },
  rpm: { type: "string" },
  tpm: { type: "string" },
  concurrency: { type: "string" },
  "budget-usd": { type: "string" },
  "budget-tokens": { type: "string" },
  "budget-period": { type: "string" },
  privacy: { type: "string" },
  allow: { type: "string", multiple: true },
  zones: { type: "string", multiple: true },
} as const;

type Values = ReturnType<typeof readOptions<typeof OPTIONS>>["values"];

/** `interlock key create`. */
export function keyCreate(argv: readonly string[], io: Io, context: KeyContext): Promise<number> {
  const act = async (): Promise<void> => {
    const { values, positionals } = readOptions(argv, OPTIONS);
    noPositionals(positionals);
    const now = context.clock.wall();
    const wanted = newKey(values, now);
    const work = (book: KeyBook) => book.create(wanted, now);
    const { key, text } = await withBook(values, { io, context, work });
    if (values.json) {
      io.stdout(`${JSON.stringify({ key: text, ...keyJson(key) })}\n`);
      return;
    }
    io.stdout(`${text}\n`);
    const ends = key.expires === undefined ? "never expires" : `expires ${momentText(key.expires)}`;
    io.stderr(
      `Key ${key.id} (${key.name}): ${limitsText(key.limits)}; ${ends}.\n` +
        `Keep the text: it is shown this once.\n`,
    );
  };
  return runKeyCommand({ name: "create", help: HELP, act }, argv, io);
}

function newKey(values: Values, now: Ms): NewKey {
  const { name, tenant, expires } = values;
  if (name === undefined) throw new UsageError("say what to call the key: --name NAME");
  return {
    name: readLabel("name", name),
    tenant: tenant === undefined ? undefined : readLabel("tenant", tenant),
    expires: expires === undefined ? undefined : readExpiry(expires, now),
    limits: limitsOf(values),
  };
}

function limitsOf(values: Values): KeyLimits {
  const { rpm, tpm, concurrency, privacy, allow, zones } = values;
  if (privacy !== undefined && privacy !== "private" && privacy !== "shareable") {
    throw new UsageError(`--privacy ${privacy}: give private or shareable`);
  }
  return {
    requestsPerMinute: rpm === undefined ? undefined : readCount("rpm", rpm),
    tokensPerMinute: tpm === undefined ? undefined : readCount("tpm", tpm),
    concurrency: concurrency === undefined ? undefined : readCount("concurrency", concurrency),
    budget: budgetOf(values),
    privacy,
    allow: allow === undefined ? undefined : readNames("allow", allow),
    zones: zones === undefined ? undefined : readNames("zones", zones),
  };
}

function budgetOf(values: Values): KeyLimits["budget"] {
  const usd = values["budget-usd"];
  const tokens = values["budget-tokens"];
  const period = values["budget-period"];
  if (usd === undefined && tokens === undefined) {
    if (period === undefined) return undefined;
    throw new UsageError("--budget-period needs --budget-usd or --budget-tokens");
  }
  return {
    nano: usd === undefined ? undefined : readDollars("budget-usd", usd),
    tokens: tokens === undefined ? undefined : readCount("budget-tokens", tokens),
    period: readPeriod(period ?? "monthly"),
  };
}
