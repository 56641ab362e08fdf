import { EMBEDDED } from "../state/migrations/embedded.ts";
import { status } from "../state/migrations/migrate.ts";
import type { CardLayer } from "../state/rate-card/card-layer.ts";
import { readCard } from "../state/rate-card/read-card.ts";
import { embeddedLayer, makeCard, type RateCard } from "../state/rate-card/rate-card.ts";
import { openStateToRead, type StatePlace } from "../state/store/open.ts";
import { type Sql, StoreError } from "../state/store/sql.ts";
import { databaseOf, type DatabaseOptions } from "./database.ts";
import type { Io } from "./io.ts";

/** What a command about the ledger may look at beside the terminal. */
export interface LedgerPlace extends StatePlace {
  /** Nobody named the database for us. */
  readonly isForeign?: boolean | undefined;
  /** What the configuration lays over the embedded card. */
  readonly rates?: readonly CardLayer[] | undefined;
}

export type Asked<T> =
  | { readonly kind: "answer"; readonly value: T }
  | { readonly kind: "no_data" }
  | { readonly kind: "failed"; readonly why: string };

/** What was typed about whose ledger is meant. */
export interface LedgerOptions extends DatabaseOptions {
  readonly stateDir?: string | undefined;
}

/**
 * The ledger of all nodes where they share a database, else the one of the state directory; a
 * sentence when that cannot be told.
 */
export async function ledgerMeant(
  place: LedgerPlace,
  options: LedgerOptions,
  io: Pick<Io, "env" | "readFile">,
): Promise<LedgerPlace | string> {
  const dir = options.stateDir ?? place.dir;
  if (options.stateDir !== undefined && options["database-url"] === undefined) {
    return { ...place, dir };
  }
  const found = await databaseOf(options, io);
  if (typeof found === "string") return found;
  const { databaseUrl, isNamed } = found;
  if (databaseUrl === undefined) return { ...place, dir };
  return { ...place, dir, databaseUrl: databaseUrl.expose(), isForeign: !isNamed };
}

/** Asks the ledger; there is no data where no gateway has kept any. */
export async function askLedger<T>(
  place: LedgerPlace | string,
  question: (sql: Sql) => Promise<T>,
): Promise<Asked<T>> {
  if (typeof place === "string") return { kind: "failed", why: place };
  let sql: Sql | undefined;
  try {
    sql = openStateToRead(place);
    if (sql === undefined) return { kind: "no_data" };
    const steps = await status(sql, EMBEDDED);
    const newer = steps.find(({ state, version }) => state === "foreign" && version < OWN_MAX);
    if (newer !== undefined) {
      const name = `${newer.version} ${newer.name}`;
      return { kind: "failed", why: `the state has migration ${name}: it needs a newer interlock` };
    }
    if (steps[0]?.state !== "applied") {
      const { databaseUrl, isForeign, ...own } = place;
      // DATABASE_URL may be another program's: what this node keeps is in its own ledger then.
      return isForeign === true ? await askLedger(own, question) : { kind: "no_data" };
    }
    return { kind: "answer", value: await question(sql) };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { kind: "failed", why: `the state cannot be read: ${error.message}` };
  } finally {
    await sql?.close();
  }
}

/** Versions below are this program's own; an operator's begin with a year. */
const OWN_MAX = 1_000_000;

/** The card to price by, with `file` laid over it; a sentence when that is no card. */
export async function cardFor(
  place: LedgerPlace,
  file: string | undefined,
  io: Pick<Io, "readFile">,
): Promise<RateCard | string> {
  const layers = [embeddedLayer(), ...(place.rates ?? [])];
  if (file === undefined) return makeCard(layers);
  let value: unknown;
  try {
    value = JSON.parse(await io.readFile(file));
  } catch (error) {
    return `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  const layer = readCard(value);
  if (!("rates" in layer)) return `${file} is no rate card\n  ${layer.join("\n  ")}`;
  return makeCard([...layers, layer]);
}

export function cardName({ version, published }: RateCard): string {
  return published === undefined ? version : `${version} of ${published}`;
}
