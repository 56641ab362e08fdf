import type { DialectId } from "../core/ids.ts";
import { anthropic } from "./anthropic/dialect.ts";
import { bedrock } from "./bedrock/dialect.ts";
import { cohere } from "./cohere/dialect.ts";
import type { Dialect } from "./dialect.ts";
import { gemini } from "./gemini/dialect.ts";
import { openai } from "./openai/dialect.ts";
import { responses } from "./responses/dialect.ts";

/** The codec of each wire protocol. */
export type Dialects = Readonly<Record<DialectId, Dialect>>;

/** The one table of them. */
export const dialects: Dialects = { openai, responses, anthropic, gemini, bedrock, cohere };
