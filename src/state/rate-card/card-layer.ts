import type { CardFile, PriceEntry, RateEntry } from "./card-file.ts";
import { nanoOfDollars } from "./money.ts";
import type { NanoAmount, Prices, Rate } from "./prices.ts";

/** What one file says; several are laid over each other. */
export interface CardLayer {
  readonly published: string | undefined;
  readonly rates: readonly Rate[];
  /** A further name of a price list, or the beginning of many (`bedrock-*`), to its own. */
  readonly names: ReadonlyMap<string, string>;
}

/** A model's entries, each of them or alone. */
type Entries = RateEntry | readonly RateEntry[];

/** What a card says whose shape is known to be right; every other fault at once, with its path. */
export function layerOf(file: CardFile): CardLayer | readonly string[] {
  const faults: string[] = [];
  const rates: Rate[] = [];
  const names = new Map<string, string>();
  for (const [provider, { also, models }] of Object.entries(file.providers)) {
    for (const name of also ?? []) names.set(name.toLowerCase(), provider.toLowerCase());
    for (const [model, entries] of Object.entries(models)) {
      for (const entry of listOf(entries)) rates.push(readRate(entry, { provider, model, faults }));
    }
  }
  faults.push(...repeated(rates));
  return faults.length > 0 ? faults : { published: file.published, rates, names };
}

function listOf(entries: Entries): readonly RateEntry[] {
  return Array.isArray(entries) ? entries : [entries as RateEntry];
}

interface Place {
  readonly provider: string;
  readonly model: string;
  readonly faults: string[];
}

function readRate(entry: RateEntry, place: Place): Rate {
  const tiers = (entry.tiers ?? []).map(({ above, ...rest }) => ({
    above,
    prices: readPrices(rest, place),
  }));
  return {
    provider: place.provider.toLowerCase(),
    model: place.model.toLowerCase(),
    from: entry.from === undefined ? 0 : Date.parse(`${entry.from}T00:00:00Z`),
    prices: readPrices(entry, place),
    tiers: tiers.sort((a, b) => b.above - a.above),
    perRequest: amount(entry.per_request ?? 0, place),
    regionalPercent: BigInt(entry.regional_percent ?? 100),
  };
}

/** What has no price of its own is billed as what it is a part of. */
function readPrices(entry: PriceEntry, place: Place): Prices {
  const input = amount(entry.input, place);
  const output = amount(entry.output, place);
  const or = (value: string | number | undefined, otherwise: NanoAmount): NanoAmount =>
    value === undefined ? otherwise : amount(value, place);
  const cacheWrite = or(entry.cache_write, input);
  return {
    input,
    output,
    cacheRead: or(entry.cache_read, input),
    cacheWrite,
    cacheWriteLong: or(entry.cache_write_1h, cacheWrite),
    reasoning: or(entry.reasoning, output),
  };
}

function amount(value: string | number, { provider, model, faults }: Place): NanoAmount {
  const nano = nanoOfDollars(String(value));
  if (nano !== undefined) return nano;
  faults.push(`providers.${provider}.models.${model}: ${value} is no amount of dollars`);
  return 0n;
}

function repeated(rates: readonly Rate[]): readonly string[] {
  const seen = new Set<string>();
  const faults: string[] = [];
  for (const { provider, model, from } of rates) {
    const key = `${provider} ${model} ${from}`;
    if (seen.has(key))
      faults.push(`providers.${provider}.models.${model}: two prices from one day`);
    seen.add(key);
  }
  return faults;
}
