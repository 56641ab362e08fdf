import { parseArgs } from "node:util";
import type { Ms } from "../core/units.ts";
import { type ProviderExport, readExport } from "../state/ledger/export.ts";
import { EXPORT_FIELDS, type ExportField } from "../state/ledger/export-columns.ts";
import { sumAttempts } from "../state/ledger/read.ts";
import {
  type Difference,
  reconcile as compare,
  type Reconciliation,
} from "../state/ledger/reconcile.ts";
import { dollarsOfNano, dollarText } from "../state/rate-card/money.ts";
import type { RateCard } from "../state/rate-card/rate-card.ts";
import { count, textTable } from "./bench/text-table.ts";
import { askLedger, cardFor, cardName, ledgerMeant, type LedgerPlace } from "./cost-ledger.ts";
import { DATABASE_OPTIONS, type DatabaseOptions } from "./database.ts";
import { EXIT, type Io } from "./io.ts";

const USAGE = `Usage: interlock reconcile --provider NAME --csv FILE [OPTIONS]

Compares what we counted with what a provider's export says, by day and model (UTC). Exits with 1
when the two differ.

  -p, --provider NAME    Whose export it is, as the provider is called in the configuration
      --csv FILE         The export
      --column FIELD=NAME Which column is what, where that cannot be told from its name; FIELD is
                         ${fieldLines()}
      --tolerance PERCENT Differences up to this are none [default: 0.5]
      --rate-card FILE   Prices laid over the embedded ones
  -c, --config FILE      Whose database to ask, as --database-url URL or DATABASE_URL
      --state-dir DIR    Where the ledger of one node is
      --json             For machines
`;

function fieldLines(): string {
  const half = Math.ceil(EXPORT_FIELDS.length / 2);
  const lines = [EXPORT_FIELDS.slice(0, half), EXPORT_FIELDS.slice(half)];
  return lines.map((fields) => fields.join(", ")).join(`,\n${" ".repeat(25)}`);
}

interface Request extends DatabaseOptions {
  readonly provider: string;
  readonly csv: string;
  readonly chosen: ReadonlyMap<ExportField, string>;
  readonly tolerance: bigint;
  readonly rateCard: string | undefined;
  readonly stateDir: string | undefined;
  readonly json: boolean;
}

const DAY_MS: Ms = 86_400_000;

/** `interlock reconcile`: our attempts beside a provider's own export. */
export async function reconcile(
  argv: readonly string[],
  io: Io,
  place: LedgerPlace,
): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    io.stdout(USAGE);
    return EXIT.ok;
  }
  const request = readRequest(argv);
  if (typeof request === "string") {
    io.stderr(`interlock: ${request}\n${USAGE}`);
    return EXIT.usage;
  }
  const [card, theirs] = [await cardFor(place, request.rateCard, io), await exportOf(request, io)];
  if (typeof card === "string" || typeof theirs === "string") {
    io.stderr(`interlock: ${typeof card === "string" ? card : theirs}\n`);
    return EXIT.failed;
  }
  const days = theirs.lines.map(({ day }) => day);
  if (days.length === 0) return saidNothing(io, request, theirs);
  const range = { from: Math.min(...days), to: Math.max(...days) + DAY_MS };
  const at = await ledgerMeant(place, request, io);
  const asked = await askLedger(at, (sql) => {
    const filter = { ...range, provider: request.provider };
    return sumAttempts(sql, { filter, thresholds: card.thresholds });
  });
  if (asked.kind === "failed") {
    io.stderr(`interlock: ${asked.why}\n`);
    return EXIT.failed;
  }
  const sums = asked.kind === "answer" ? asked.value : [];
  const found = compare(sums, theirs.lines, { card, tolerance: request.tolerance });
  if (request.json) io.stdout(jsonOf(found, theirs, card));
  else io.stdout(textOf(found, { request, theirs, card, range }));
  return found.differences.length === 0 && theirs.skipped.length === 0 ? EXIT.ok : EXIT.failed;
}

function readRequest(argv: readonly string[]): Request | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        provider: { type: "string", short: "p" },
        csv: { type: "string" },
        column: { type: "string", multiple: true, default: [] },
        tolerance: { type: "string", default: "0.5" },
        "rate-card": { type: "string" },
        "state-dir": { type: "string" },
        ...DATABASE_OPTIONS,
        json: { type: "boolean", default: false },
      },
      strict: true,
    });
    const { provider, csv } = values;
    if (provider === undefined) return "--provider is missing";
    if (csv === undefined) return "--csv is missing";
    const chosen = chosenColumns(values.column);
    if (typeof chosen === "string") return chosen;
    if (!/^\d{1,2}(\.\d{1,2})?$/.test(values.tolerance)) {
      return `--tolerance ${values.tolerance} is no percentage: 0, 0.5, 2`;
    }
    const tolerance = BigInt(Math.round(Number(values.tolerance) * 100));
    const [rateCard, stateDir] = [values["rate-card"], values["state-dir"]];
    const { config, "database-url": url, json } = values;
    const whose = { config, "database-url": url, stateDir };
    return { provider, csv, chosen, tolerance, rateCard, json, ...whose };
  } catch (error) {
    return error instanceof Error ? error.message : "the options cannot be read";
  }
}

function chosenColumns(texts: readonly string[]): ReadonlyMap<ExportField, string> | string {
  const chosen = new Map<ExportField, string>();
  for (const text of texts) {
    const at = text.indexOf("=");
    const field = EXPORT_FIELDS.find((each) => each === text.slice(0, at));
    if (field === undefined) return `--column ${text}: expected one of ${EXPORT_FIELDS.join(", ")}`;
    chosen.set(field, text.slice(at + 1));
  }
  return chosen;
}

async function exportOf({ csv, chosen }: Request, io: Io): Promise<ProviderExport | string> {
  try {
    const read = readExport(await io.readFile(csv), chosen);
    return typeof read === "string" ? `${csv}: ${read}` : read;
  } catch (error) {
    return `${csv} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function saidNothing(io: Io, { csv, json }: Request, { skipped }: ProviderExport): number {
  io.stdout(json ? "[]\n" : "no data\n");
  if (skipped.length > 0) io.stderr(`interlock: no row of ${csv} could be read\n`);
  return skipped.length > 0 ? EXIT.failed : EXIT.ok;
}

function jsonOf(found: Reconciliation, theirs: ProviderExport, card: RateCard): string {
  const value = ({ measure }: Difference, amount: bigint | undefined) => {
    if (amount === undefined) return null;
    return measure === "nano" ? dollarsOfNano(amount) : Number(amount);
  };
  const differences = found.differences.map((each) => ({
    day: dayText(each.day),
    model: each.model,
    measure: each.measure === "nano" ? "cost_usd" : each.measure,
    ours: value(each, each.ours),
    theirs: value(each, each.theirs),
  }));
  return `${JSON.stringify({
    ok: differences.length === 0 && theirs.skipped.length === 0,
    compared: found.compared,
    differences,
    ours_usd: dollarsOfNano(found.ours),
    theirs_usd: found.theirs === undefined ? null : dollarsOfNano(found.theirs),
    columns: Object.fromEntries(theirs.columns),
    skipped: theirs.skipped,
    rate_card: card.version,
  })}\n`;
}

interface Told {
  readonly request: Request;
  readonly theirs: ProviderExport;
  readonly card: RateCard;
  readonly range: { readonly from: Ms; readonly to: Ms };
}

function textOf(found: Reconciliation, { request, theirs, card, range }: Told): string {
  const days = `${dayText(range.from)} to ${dayText(range.to - 1)}`;
  const columns = [...theirs.columns].map(([field, name]) => `${field} = ${name}`).join(", ");
  const skipped = theirs.skipped.map(({ row, why }) => `  row ${row} was left out: ${why}`);
  const costs =
    found.theirs === undefined
      ? []
      : [
          `Cost: ${dollarText(found.ours)} by rate card ${cardName(card)}, ` +
            `${dollarText(found.theirs)} by the export.`,
        ];
  return [
    `${request.provider}, ${days} (UTC); columns: ${columns}`,
    ...skipped.slice(0, SKIPPED_SHOWN),
    ...(skipped.length > SKIPPED_SHOWN ? [`  and ${skipped.length - SKIPPED_SHOWN} more`] : []),
    "",
    found.differences.length === 0
      ? `No difference in ${count(found.compared)} model(s) and day(s).`
      : differenceTable(found.differences),
    ...costs,
    "",
  ].join("\n");
}

const SKIPPED_SHOWN = 10;

function differenceTable(differences: readonly Difference[]): string {
  const cell = ({ measure }: Difference, amount: bigint | undefined): string => {
    if (amount === undefined) return "nothing";
    return measure === "nano" ? dollarText(amount) : count(Number(amount));
  };
  const rows = differences.map((each) => [
    ...[dayText(each.day), each.model, each.measure === "nano" ? "cost" : each.measure],
    ...[cell(each, each.ours), cell(each, each.theirs), apart(each)],
  ]);
  return textTable(["day", "model", "what", "ours", "theirs", "apart"], rows);
}

function apart({ ours = 0n, theirs = 0n }: Difference): string {
  if (theirs === 0n) return "–";
  const tenths = Number(((ours - theirs) * 1000n) / theirs) / 10;
  return `${tenths > 0 ? "+" : ""}${tenths.toFixed(1)} %`;
}

function dayText(day: Ms): string {
  return new Date(day).toISOString().slice(0, 10);
}
