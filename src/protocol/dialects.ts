import type { DialectId } from "../core/ids.ts";
import type { Dialect } from "./dialect.ts";
import { openai } from "./openai/dialect.ts";

/** The codec of each wire protocol; a protocol without one cannot be spoken yet. */
export interface Dialects extends Readonly<Record<DialectId, Dialect | undefined>> {
  readonly openai: Dialect;
}

/** The one table of them. */
export const dialects: Dialects = {
  openai,
  anthropic: undefined,
  gemini: undefined,
  bedrock: undefined,
  responses: undefined,
  cohere: undefined,
};
