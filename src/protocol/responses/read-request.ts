import { EFFORTS } from "../../core/effort.ts";
import { Rejection } from "../../core/rejection.ts";
import type { ReadHead } from "../codec.ts";
import { malformed } from "../envelope-fields.ts";
import { compact, Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Ext } from "../ir/node.ts";
import type { IrRequest, Message, OutputFormat, ReasoningAsk, SystemBlock } from "../ir/request.ts";
import { readInclude } from "./include.ts";
import { readMessages, readText } from "./read-messages.ts";
import { readTools, readToolChoice } from "./read-tools.ts";
import { spelled } from "./spelling.ts";

/** A request of this wire: protocols.md 3, columns Resp. References to state stay in `ext`. */
export function readRequest(body: JsonObject, head: ReadHead): IrRequest | Rejection {
  const fields = new Fields(body);
  const model = fields.text("model") ?? head.model;
  const input = readInput(fields);
  if (input instanceof Rejection) return input;
  const list = fields.list("tools");
  const tools = list && readTools(list);
  if (tools instanceof Rejection) return tools;
  const toolChoice = readToolChoice(fields.peek("tool_choice"));
  if (toolChoice !== undefined) fields.skip("tool_choice");
  const include = readInclude(fields.peek("include"));
  fields.skip("include");
  const { text, ...format } = readTextConfig(fields.object("text"));
  const instructions = fields.text("instructions");
  const stream = fields.flag("stream");
  const user = readUser(fields);
  const top = fields.number("top_logprobs");
  const hasLogprobs = include.logprobs || top !== undefined;
  const request: IrRequest = {
    origin: "responses",
    model,
    ...input,
    system: readInstructions(instructions),
    systemBareString: instructions === undefined ? undefined : true,
    tools,
    toolChoice,
    parallelToolCalls: fields.flag("parallel_tool_calls"),
    sampling: { temperature: fields.number("temperature"), topP: fields.number("top_p") },
    maxOutputTokens: fields.number("max_output_tokens"),
    logprobs: hasLogprobs ? { enabled: include.logprobs, top } : undefined,
    reasoning: readReasoning(fields.object("reasoning"), include.sealed),
    ...format,
    stream: stream ?? head.stream,
    cacheKey: fields.text("prompt_cache_key"),
    endUser: user.value,
    metadata: readMetadata(fields),
    tier: fields.text("service_tier"),
    ext: withRest(fields.ext("responses"), { include: include.rest, text }),
  };
  return spelled(request, compact({ stream, user: user.slot }));
}

interface User {
  readonly value: string | undefined;
  readonly slot: string | undefined;
}

/** The older name counts where both are there; the newer one then stays in its place. */
function readUser(fields: Fields): User {
  for (const slot of ["user", "safety_identifier"]) {
    const value = fields.text(slot);
    if (value !== undefined) return { value, slot };
  }
  return { value: undefined, slot: undefined };
}

type Input = Pick<IrRequest, "messages" | "inputBareString">;

/** There is none where a prompt stands elsewhere; an empty list stays in `ext`. */
function readInput(fields: Fields): Input | Rejection {
  const input = fields.peek("input");
  if (input === undefined || input === null) return { messages: [] };
  if (typeof input === "string") {
    fields.skip("input");
    return { messages: [readText(input)], inputBareString: true };
  }
  if (!isList(input)) return malformed("input", "'input' must be a string or a list of items");
  const messages: readonly Message[] | Rejection = readMessages(input);
  if (messages instanceof Rejection) return messages;
  if (messages.length > 0) fields.skip("input");
  return { messages };
}

function readInstructions(text: string | undefined): readonly SystemBlock[] {
  return text === undefined ? [] : [{ type: "text", text, at: "instructions" }];
}

/**
 * An effort this build does not know stays in `ext`, and so does a word for no summary. Sealed
 * reasoning can be asked for without a word about reasoning; an object that is there has its `ext`.
 */
function readReasoning(value: JsonObject | undefined, sealed: boolean): ReasoningAsk | undefined {
  const wantSealed = sealed ? true : undefined;
  if (value === undefined) return wantSealed && { mode: "on", wantSealed, at: "include" };
  const fields = new Fields(value);
  const effort = EFFORTS.find((word) => word === fields.peek("effort"));
  if (effort !== undefined) fields.skip("effort");
  const summary = fields.text("summary");
  return {
    mode: effort === "none" ? "off" : "on",
    effort,
    summary,
    show: summary === undefined ? undefined : "summary",
    wantSealed,
    at: "reasoning",
    ext: fields.ext("responses") ?? { responses: {} },
  };
}

interface TextConfig {
  readonly output?: OutputFormat | undefined;
  readonly verbosity?: string | undefined;
  /** What of `text` is left, so that it comes back even when it was empty. */
  readonly text?: JsonObject | undefined;
}

function readTextConfig(value: JsonObject | undefined): TextConfig {
  if (value === undefined) return {};
  const fields = new Fields(value);
  const output = readFormat(fields.peek("format"));
  if (output !== undefined) fields.skip("format");
  const verbosity = fields.text("verbosity");
  const isSaid = output !== undefined || verbosity !== undefined;
  const rest = fields.ext("responses")?.responses;
  return { output, verbosity, text: rest ?? (isSaid ? undefined : compact({})) };
}

function readFormat(value: Json | undefined): OutputFormat | undefined {
  if (!isObject(value)) return undefined;
  const fields = new Fields(value);
  const at = "text.format";
  switch (fields.text("type")) {
    case "text":
      return { kind: "text", at, ext: fields.ext("responses") };
    case "json_object":
      return { kind: "json", at, ext: fields.ext("responses") };
    case "json_schema": {
      const schema = fields.any("schema");
      if (schema === undefined) return undefined;
      return {
        kind: "schema",
        schema,
        schemaDialect: "json-schema",
        name: fields.text("name"),
        description: fields.text("description"),
        strict: fields.flag("strict"),
        at,
        ext: fields.ext("responses"),
      };
    }
    default:
      return undefined;
  }
}

/** Metadata are texts; with anything else among them they stay as they came. */
function readMetadata(fields: Fields): Readonly<Record<string, string>> | undefined {
  const value = fields.peek("metadata");
  if (!isObject(value)) return undefined;
  const texts: Record<string, string> = Object.create(null);
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== "string") return undefined;
    texts[name] = text;
  }
  fields.skip("metadata");
  return texts;
}

function withRest(ext: Ext | undefined, rest: Record<string, Json | undefined>): Ext | undefined {
  const all = compact(rest, ext?.responses);
  return Object.keys(all).length === 0 ? undefined : { responses: all };
}
