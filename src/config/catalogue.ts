import type { AuthScheme } from "../core/backend.ts";
import type { DialectId } from "../core/ids.ts";
import type { CatalogueRow } from "./catalogue-row.ts";
import { CATALOGUE } from "./catalogue-rows.ts";

export type { CatalogueRow } from "./catalogue-row.ts";
export { CATALOGUE } from "./catalogue-rows.ts";

const BY_NAME: ReadonlyMap<string, CatalogueRow> = new Map(CATALOGUE.map((row) => [row.name, row]));

/** The row of a known name. */
export function catalogueRow(name: string): CatalogueRow | undefined {
  return BY_NAME.get(name);
}

/** Every known name, for suggestions. */
export const CATALOGUE_NAMES: readonly string[] = CATALOGUE.map((row) => row.name);

/** How a dialect's own vendor wants its key, for providers that are not in the catalogue. */
export function usualAuth(dialect: DialectId): AuthScheme {
  switch (dialect) {
    case "anthropic":
      return "x-api-key";
    case "gemini":
      return "x-goog-api-key";
    case "openai":
    case "responses":
    case "cohere":
    case "bedrock":
      return "bearer";
  }
}
