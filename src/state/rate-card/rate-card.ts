import type { Ms } from "../../core/units.ts";
import embedded from "./embedded.json" with { type: "json" };
import { listedNames } from "./model-names.ts";
import type { NanoPerMillion, Prices, Rate } from "./prices.ts";
import { type CardLayer, layerOf } from "./card-layer.ts";

/** Prices of one moment. Immutable: another price is another card with another version. */
export interface RateCard {
  /** A digest of everything in it that decides a price. */
  readonly version: string;
  /** The day its list prices were read, as the newest layer says. */
  readonly published: string | undefined;
  /** The rate a request at `at` is billed by; undefined when nobody told us the price. */
  find(sale: ModelSale): FoundRate | undefined;
  readonly rates: readonly Rate[];
  /** Every input length at which some model's price changes, shortest first. */
  readonly thresholds: readonly number[];
}
export interface ModelSale {
  readonly provider: string;
  /** As the provider names what it billed. */
  readonly model: string;
  readonly at: Ms;
}
export interface FoundRate {
  readonly rate: Rate;
  /** Hundredths of the rate that this name costs. */
  readonly percent: bigint;
}

/** More names than any gateway meets in a day; a provider that invents names cannot fill memory. */
const MEMO_MAX = 4096;
const WHOLE_PERCENT = 100n;

/** The card of later layers over earlier ones: a model that is named again is replaced whole. */
export function makeCard(layers: readonly CardLayer[]): RateCard {
  const lists = new Map<string, Map<string, readonly Rate[]>>();
  const names = new Map<string, string>();
  for (const layer of layers) {
    for (const [name, provider] of layer.names) names.set(name, provider);
    for (const [provider, models] of grouped(layer.rates)) {
      const list = lists.get(provider) ?? new Map<string, readonly Rate[]>();
      for (const [model, rates] of models) list.set(model, rates);
      lists.set(provider, list);
    }
  }
  const rates = [...lists.values()].flatMap((list) => [...list.values()].flat());
  const memo = new Map<string, Listed | undefined>();
  return {
    version: versionOf(rates, names),
    published: layers.findLast(({ published }) => published !== undefined)?.published,
    rates,
    thresholds: thresholdsOf(rates),
    find({ provider, model, at }) {
      const key = `${provider} ${model}`;
      if (!memo.has(key)) {
        if (memo.size >= MEMO_MAX) memo.clear();
        const list = listOf(provider.toLowerCase(), { lists, names });
        memo.set(key, list === undefined ? undefined : lookUp(list, model));
      }
      const listed = memo.get(key);
      const rate = listed?.rates.find(({ from }) => from <= at);
      if (listed === undefined || rate === undefined) return undefined;
      return { rate, percent: listed.regional ? rate.regionalPercent : WHOLE_PERCENT };
    },
  };
}

/** List prices of the catalogue's providers, as the vendors published them. */
export function embeddedCard(): RateCard {
  return (known ??= makeCard([embeddedLayer()]));
}
let known: RateCard | undefined;

/** The embedded card for those who may never ask it: it is read at the first question. */
export const LATE_CARD: RateCard = {
  get version() {
    return embeddedCard().version;
  },
  get published() {
    return embeddedCard().published;
  },
  get rates() {
    return embeddedCard().rates;
  },
  get thresholds() {
    return embeddedCard().thresholds;
  },
  find: (sale) => embeddedCard().find(sale),
};

/**
 * Its shape is not checked again at each start, which takes longer than the rest of the start: a
 * test checks it. @throws when the embedded card is broken, which that test would have shown.
 */
export function embeddedLayer(): CardLayer {
  const layer = layerOf(embedded);
  if (!("rates" in layer)) throw new Error(`the embedded rate card: ${layer.join("; ")}`);
  return layer;
}

type PriceList = ReadonlyMap<string, readonly Rate[]>;
interface Listed {
  /** The newest first. */
  readonly rates: readonly Rate[];
  readonly regional: boolean;
}

function grouped(rates: readonly Rate[]): Map<string, Map<string, Rate[]>> {
  const providers = new Map<string, Map<string, Rate[]>>();
  for (const rate of rates) {
    const models = providers.get(rate.provider) ?? new Map<string, Rate[]>();
    providers.set(rate.provider, models);
    models.set(rate.model, [...(models.get(rate.model) ?? []), rate]);
  }
  for (const models of providers.values()) {
    for (const list of models.values()) list.sort((a, b) => b.from - a.from);
  }
  return providers;
}

interface Directory {
  readonly lists: ReadonlyMap<string, PriceList>;
  readonly names: ReadonlyMap<string, string>;
}

function listOf(provider: string, { lists, names }: Directory): PriceList | undefined {
  const own = lists.get(provider) ?? lists.get(names.get(provider) ?? "");
  if (own !== undefined) return own;
  const stem = longestStem(provider, names.keys());
  return stem === undefined ? undefined : lists.get(names.get(stem) ?? "");
}

function lookUp(list: PriceList, model: string): Listed | undefined {
  const { names, regional } = listedNames(model);
  for (const name of names) {
    const rates = list.get(name);
    if (rates !== undefined) return { rates, regional };
  }
  for (const name of names) {
    const stem = longestStem(name, list.keys());
    if (stem !== undefined) return { rates: list.get(stem) ?? [], regional };
  }
  return undefined;
}

/** The longest `begin*` that `name` begins with. */
function longestStem(name: string, stems: Iterable<string>): string | undefined {
  let longest: string | undefined;
  for (const stem of stems) {
    const fits = stem.endsWith("*") && name.startsWith(stem.slice(0, -1));
    if (fits && stem.length > (longest?.length ?? 0)) longest = stem;
  }
  return longest;
}

function thresholdsOf(rates: readonly Rate[]): readonly number[] {
  const all = rates.flatMap(({ tiers }) => tiers.map(({ above }) => above));
  return [...new Set(all)].sort((a, b) => a - b);
}

/** Twelve hex digits: enough to tell cards apart, short enough for a log line. */
const VERSION_DIGITS = 12;

function versionOf(rates: readonly Rate[], names: ReadonlyMap<string, string>): string {
  const lines = rates.map((rate) =>
    [
      ...[rate.provider, rate.model, rate.from, rate.perRequest, rate.regionalPercent],
      ...[pricesText(rate.prices), ...rate.tiers.map((t) => `>${t.above} ${pricesText(t.prices)}`)],
    ].join(" "),
  );
  const also = [...names].map(([name, provider]) => `${name}=${provider}`);
  const text = [...lines.sort(), ...also.sort()].join("\n");
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, VERSION_DIGITS);
}

function pricesText(prices: Prices): string {
  const order: readonly NanoPerMillion[] = [
    ...[prices.input, prices.cacheRead, prices.cacheWrite, prices.cacheWriteLong],
    ...[prices.output, prices.reasoning],
  ];
  return order.join(",");
}
