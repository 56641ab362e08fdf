import type { AuthScheme } from "../core/backend.ts";
import type { Capabilities } from "../core/capabilities.ts";
import type { DialectId } from "../core/ids.ts";

/** What is publicly known about a provider: one row of data, no code. */
export interface CatalogueRow {
  /** As it is written under `providers:`. */
  readonly name: string;
  readonly dialect: DialectId;
  /** Up to and with the version; undefined when every customer has their own. */
  readonly baseUrl: string | undefined;
  readonly auth: AuthScheme;
  /** Variables that may hold the key, the vendor's own name first. */
  readonly keyVariables: readonly string[];
  /** Variables that may hold the base URL when no file is given. */
  readonly urlVariables?: readonly string[];
  /** Path put behind a base URL that has none. */
  readonly mount?: string;
  /** Beginnings of model names that are this vendor's own; none where others' models are hosted. */
  readonly modelPrefixes: readonly string[];
  /** What completes a stream, where it is not the dialect's own end marker. */
  readonly terminal?: "finish";
  /** Further protocols that the same base URL serves. */
  readonly also?: readonly DialectId[];
  /** Stands before a call's path, `{model}` for the model. */
  readonly modelPath?: string;
  /** Added to the query of every call. */
  readonly query?: string;
  /** Headers every call gets. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What this host takes and refuses, where that is not what its protocol's own vendor does. */
  readonly capabilities?: Partial<Capabilities>;
  /** Made of a region: `{region}` stands for it. */
  readonly regionUrl?: string;
  /** Variables that hold the region. */
  readonly regionVariables?: readonly string[];
  /** Never found by its key alone: the key is often there for another reason. */
  readonly quiet?: true;
  /** An engine of one's own: it needs no key. */
  readonly engine?: true;
}

/**
 * What a server that copies OpenAI's chat completions takes for sure. OpenAI's own newer words,
 * `max_completion_tokens` and the role `developer`, are refused by many (protocols.md 7).
 */
export const COMPATIBLE: Partial<Capabilities> = {
  family: "other",
  proofSlot: "details",
  outputCap: "max_tokens",
  developerRole: false,
  freeformTools: false,
  cacheMarks: "none",
  cacheMarksOnTools: false,
  cacheKey: false,
  metadata: false,
  tiers: [],
  verbosity: false,
  audioOut: false,
};
