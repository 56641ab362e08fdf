import type { ZodError } from "zod";
import { type CardFile, cardFile, type RateEntry, rateEntry } from "./card-file.ts";
import { type CardLayer, layerOf } from "./card-layer.ts";

/** Reads a card; every fault at once, each with its path. */
export function readCard(value: unknown): CardLayer | readonly string[] {
  const parsed = cardFile.safeParse(value);
  if (!parsed.success) return issuesOf(parsed.error, []);
  const faults: string[] = [];
  const providers: [string, CardFile["providers"][string]][] = [];
  for (const [provider, { also, models }] of Object.entries(parsed.data.providers)) {
    const good = Object.entries(models).map(([model, entry]) => {
      const path = ["providers", provider, "models", model];
      return [model, goodEntries(entry, { path, faults })] as const;
    });
    providers.push([provider, { also, models: Object.fromEntries(good) }]);
  }
  const { published } = parsed.data;
  const layer = layerOf({ published, providers: Object.fromEntries(providers) });
  if (!("rates" in layer)) faults.push(...layer);
  return faults.length > 0 ? faults : layer;
}

function goodEntries(
  entry: unknown,
  { path, faults }: { readonly path: readonly string[]; readonly faults: string[] },
): readonly RateEntry[] {
  const good: RateEntry[] = [];
  for (const each of Array.isArray(entry) ? entry : [entry]) {
    const read = rateEntry.safeParse(each);
    if (read.success) good.push(read.data);
    else faults.push(...issuesOf(read.error, path));
  }
  return good;
}

function issuesOf({ issues }: ZodError, at: readonly string[]): readonly string[] {
  return issues.map(({ path, message }) => `${[...at, ...path].join(".")}: ${message}`);
}
