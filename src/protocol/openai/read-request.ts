import { Rejection } from "../../core/rejection.ts";
import type { Effort } from "../../core/effort.ts";
import { EFFORTS } from "../../core/effort.ts";
import type { ReadHead } from "../codec.ts";
import { compact, Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { IrRequest, OutputFormat, ReasoningAsk, Sampling } from "../ir/request.ts";
import { readMessages } from "./read-messages.ts";
import { readTools, readToolChoice } from "./read-tools.ts";
import { restOf } from "./rest.ts";
import { spelled } from "./spelling.ts";

/** A chat completions request; refused only where it holds nothing one could answer. */
export function readRequest(body: JsonObject, head: ReadHead): IrRequest | Rejection {
  const messages = readMessages(body["messages"]);
  if (messages instanceof Rejection) return messages;
  const fields = new Fields(body);
  fields.skip("messages");
  const options = optionsOf(fields);
  const cap = readCap(fields);
  const user = readUser(fields);
  const stream = fields.flag("stream");
  const request: IrRequest = {
    origin: "openai",
    model: fields.text("model") ?? head.model,
    system: [],
    messages,
    tools: readTools(fields),
    toolChoice: readToolChoice(fields),
    parallelToolCalls: fields.flag("parallel_tool_calls"),
    sampling: readSampling(fields),
    maxOutputTokens: cap.value,
    ...readStop(fields),
    candidates: fields.number("n"),
    seed: fields.number("seed"),
    logprobs: readLogprobs(fields),
    reasoning: readReasoningAsk(fields),
    output: readOutput(fields),
    modalities: textsOf(fields, "modalities"),
    stream: stream ?? head.stream,
    streamUsage: options?.flag("include_usage"),
    cacheKey: fields.text("prompt_cache_key"),
    endUser: user.value,
    metadata: readMetadata(fields),
    tier: fields.text("service_tier"),
    verbosity: fields.text("verbosity"),
    ext: restOf(fields, { stream_options: options }),
  };
  const said = { cap: cap.slot, user: user.slot, ...(stream !== undefined && { stream }) };
  return spelled(request, { beside: compact(said) });
}

/** Left where it is when there is nothing in it: there would be nothing left to say it by. */
function optionsOf(fields: Fields): Fields | undefined {
  const given = fields.peek("stream_options");
  if (!isObject(given) || Object.keys(given).length === 0) return undefined;
  fields.skip("stream_options");
  return new Fields(given);
}

interface Slotted<T> {
  readonly value: T | undefined;
  readonly slot: string | undefined;
}

/** The newer name counts where both are there; the older one then stays in its place. */
function readCap(fields: Fields): Slotted<number> {
  for (const slot of ["max_completion_tokens", "max_tokens"]) {
    const value = fields.number(slot);
    if (value !== undefined) return { value, slot };
  }
  return { value: undefined, slot: undefined };
}

function readUser(fields: Fields): Slotted<string> {
  for (const slot of ["user", "safety_identifier"]) {
    const value = fields.text(slot);
    if (value !== undefined) return { value, slot };
  }
  return { value: undefined, slot: undefined };
}

function readSampling(fields: Fields): Sampling {
  return {
    temperature: fields.number("temperature"),
    topP: fields.number("top_p"),
    // An extension of the local engines and of OpenRouter, Together and Fireworks.
    topK: fields.number("top_k"),
    frequencyPenalty: fields.number("frequency_penalty"),
    presencePenalty: fields.number("presence_penalty"),
    logitBias: fields.object("logit_bias"),
  };
}

function readStop(fields: Fields): Pick<IrRequest, "stop" | "stopBareString"> {
  const bare = fields.text("stop");
  if (bare !== undefined) return { stop: [bare], stopBareString: true };
  return { stop: textsOf(fields, "stop") };
}

function readLogprobs(fields: Fields): IrRequest["logprobs"] {
  const enabled = fields.flag("logprobs");
  return enabled === undefined ? undefined : { enabled, top: fields.number("top_logprobs") };
}

/** A list of texts; undefined, and left in its place, where it is none. */
function textsOf(fields: Fields, name: string): readonly string[] | undefined {
  const list = fields.peek(name);
  if (!isList(list)) return undefined;
  const texts = list.filter((each) => typeof each === "string");
  if (texts.length !== list.length) return undefined;
  fields.skip(name);
  return texts;
}

function readMetadata(fields: Fields): IrRequest["metadata"] {
  const given = fields.peek("metadata");
  if (!isObject(given)) return undefined;
  const isPlain = Object.values(given).every((value) => typeof value === "string");
  return isPlain ? (fields.object("metadata") as Record<string, string>) : undefined;
}

/** OpenAI's word; OpenRouter's object; the switch of Z.ai, Moonshot and DeepSeek. */
function readReasoningAsk(fields: Fields): ReasoningAsk | undefined {
  const effort = effortOf(fields.peek("reasoning_effort"));
  if (effort !== undefined) {
    fields.skip("reasoning_effort");
    return { mode: modeOf(effort), effort };
  }
  return readReasoningObject(fields) ?? readThinkingSwitch(fields);
}

function readReasoningObject(fields: Fields): ReasoningAsk | undefined {
  const given = fields.peek("reasoning");
  if (!isObject(given)) return undefined;
  const inner = new Fields(given);
  const effort = effortOf(given["effort"]);
  if (effort !== undefined) inner.skip("effort");
  const budgetTokens = inner.number("max_tokens");
  const enabled = inner.flag("enabled");
  if (effort === undefined && budgetTokens === undefined && enabled === undefined) return undefined;
  const hides = inner.flag("exclude");
  const mode = enabled === false ? "off" : modeOf(effort);
  const show = hides === undefined ? undefined : hides ? "omit" : "full";
  fields.skip("reasoning");
  const ask: ReasoningAsk = { mode, effort, budgetTokens, show, ext: inner.ext("openai") };
  return spelled(ask, { slot: "reasoning", raw: given });
}

function readThinkingSwitch(fields: Fields): ReasoningAsk | undefined {
  const given = fields.peek("thinking");
  if (!isObject(given)) return undefined;
  const { type } = given;
  if (type !== "enabled" && type !== "disabled") return undefined;
  const inner = new Fields(given);
  inner.skip("type");
  fields.skip("thinking");
  const ask: ReasoningAsk = { mode: type === "enabled" ? "on" : "off", ext: inner.ext("openai") };
  return spelled(ask, { slot: "thinking", raw: given });
}

function modeOf(effort: Effort | undefined): "off" | "on" {
  return effort === "none" ? "off" : "on";
}

function effortOf(value: Json | undefined): Effort | undefined {
  return EFFORTS.find((effort) => effort === value);
}

function readOutput(fields: Fields): OutputFormat | undefined {
  const given = fields.peek("response_format");
  if (!isObject(given)) return undefined;
  const outer = new Fields(given);
  outer.skip("type");
  switch (given["type"]) {
    case "text":
      fields.skip("response_format");
      return { kind: "text", ext: outer.ext("openai") };
    case "json_object":
      fields.skip("response_format");
      return { kind: "json", ext: outer.ext("openai") };
    case "json_schema":
      return readSchema(fields, outer);
    default:
      return undefined;
  }
}

function readSchema(fields: Fields, outer: Fields): OutputFormat | undefined {
  const inner = outer.object("json_schema");
  const named = inner && new Fields(inner);
  const schema = named?.object("schema");
  if (named === undefined || schema === undefined) return undefined;
  fields.skip("response_format");
  return {
    kind: "schema",
    schema,
    schemaDialect: "json-schema",
    name: named.text("name"),
    description: named.text("description"),
    strict: named.flag("strict"),
    ext: restOf(outer, { json_schema: named }),
  };
}
