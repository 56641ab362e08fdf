import { z } from "zod";

/** Dollars for a million tokens: `"2.50"`, or the number 2.5, which prints the same. */
const dollars = z.union([z.string(), z.number().nonnegative()]);

const prices = {
  input: dollars,
  output: dollars,
  cache_read: dollars.optional(),
  cache_write: dollars.optional(),
  cache_write_1h: dollars.optional(),
  reasoning: dollars.optional(),
};

/** What one model costs, from a day on or always. */
export const rateEntry = z.strictObject({
  ...prices,
  /** The day from which it holds, UTC. */
  from: z.iso.date().optional(),
  tiers: z
    .array(z.strictObject({ above: z.int().positive(), ...prices }))
    .max(8)
    .optional(),
  /** Dollars for each request, beside its tokens. */
  per_request: dollars.optional(),
  /** For model names that pin a region, as Bedrock's `eu.`: percent of the price. */
  regional_percent: z.int().min(1).max(1000).optional(),
});

/** A rate card as it is written. */
export const cardFile = z.strictObject({
  published: z.iso.date().optional(),
  note: z.string().optional(),
  providers: z.record(
    z.string(),
    z.strictObject({
      /** Further names of the same price list; `bedrock-*` stands for every name that begins so. */
      also: z.array(z.string()).optional(),
      /** Each an entry or a list of them; checked one by one, so that a fault has its place. */
      models: z.record(z.string(), z.unknown()),
    }),
  ),
});

export type RateEntry = z.infer<typeof rateEntry>;
export type PriceEntry = Pick<
  RateEntry,
  "input" | "output" | "cache_read" | "cache_write" | "cache_write_1h" | "reasoning"
>;

/** A card whose every entry has been checked. */
export interface CardFile {
  readonly published?: string | undefined;
  readonly providers: {
    readonly [provider: string]: {
      readonly also?: readonly string[] | undefined;
      readonly models: { readonly [model: string]: RateEntry | readonly RateEntry[] };
    };
  };
}
