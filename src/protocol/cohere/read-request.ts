import { Rejection } from "../../core/rejection.ts";
import type { ReadHead } from "../codec.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { DocumentRef, IrRequest, OutputFormat, ReasoningAsk, Tool } from "../ir/request.ts";
import { owned, spelled, spellingOf } from "./own.ts";
import { readMessages } from "./read-messages.ts";
import { areFunctions, readToolChoice, readTools } from "./read-tools.ts";

/** A request for a chat; what is not modelled stays in `ext`. */
export function readRequest(body: JsonObject, head: ReadHead): IrRequest | Rejection {
  const fields = new Fields(body);
  const messages = readMessages(fields.peek("messages"));
  if (messages instanceof Rejection) return messages;
  fields.skip("messages");
  const logprobs = fields.flag("logprobs");
  const request: IrRequest = {
    origin: "cohere",
    model: fields.text("model") ?? head.model,
    system: [],
    messages,
    tools: toolsOf(fields),
    toolChoice: toolChoiceOf(fields),
    sampling: {
      temperature: fields.number("temperature"),
      topP: fields.number("p"),
      topK: fields.number("k"),
      frequencyPenalty: fields.number("frequency_penalty"),
      presencePenalty: fields.number("presence_penalty"),
    },
    maxOutputTokens: fields.number("max_tokens"),
    stop: textsOf(fields, "stop_sequences"),
    seed: fields.number("seed"),
    logprobs: logprobs === undefined ? undefined : { enabled: logprobs },
    reasoning: reasoningOf(fields),
    output: outputOf(fields),
    stream: fields.flag("stream") ?? false,
    documents: documentsOf(fields),
  };
  const whole = owned(request, fields);
  if ("stream" in body) return whole;
  return spelled(whole, { ...spellingOf(whole), without: ["stream"] });
}

function toolsOf(fields: Fields): readonly Tool[] | undefined {
  const list = objectsOf(fields, "tools");
  if (list === undefined) return undefined;
  const strict = areFunctions(list) ? fields.flag("strict_tools") : undefined;
  return readTools(list, strict);
}

function toolChoiceOf(fields: Fields): IrRequest["toolChoice"] {
  const choice = readToolChoice(fields.peek("tool_choice"));
  if (choice !== undefined) fields.skip("tool_choice");
  return choice;
}

/** A budget stands beside `enabled`; without one the model thinks as it sees fit. */
function reasoningOf(fields: Fields): ReasoningAsk | undefined {
  const raw = fields.peek("thinking");
  if (!isObject(raw)) return undefined;
  const inner = new Fields(raw);
  const type = inner.text("type");
  if (type !== "enabled" && type !== "disabled") return undefined;
  fields.skip("thinking");
  const mode = type === "enabled" ? "on" : "off";
  return owned<ReasoningAsk>({ mode, budgetTokens: inner.number("token_budget") }, inner);
}

function outputOf(fields: Fields): OutputFormat | undefined {
  const raw = fields.peek("response_format");
  if (!isObject(raw)) return undefined;
  const inner = new Fields(raw);
  const type = inner.text("type");
  if (type !== "text" && type !== "json_object") return undefined;
  fields.skip("response_format");
  if (type === "text") return owned<OutputFormat>({ kind: "text" }, inner);
  const schema = inner.object("json_schema");
  if (schema === undefined) return owned<OutputFormat>({ kind: "json" }, inner);
  return owned<OutputFormat>({ kind: "schema", schema, schemaDialect: "json-schema" }, inner);
}

/** A document is a text, or an object around its data. */
function documentsOf(fields: Fields): readonly DocumentRef[] | undefined {
  const list = fields.peek("documents");
  if (!isList(list) || !list.every(isDocument)) return undefined;
  fields.skip("documents");
  return list.map((raw, index) => {
    const at = `documents[${index}]`;
    if (!isObject(raw)) return { data: raw, at };
    const inner = new Fields(raw);
    const data = inner.object("data")!;
    return owned<DocumentRef>({ id: inner.text("id"), data, at }, inner);
  });
}

function isDocument(raw: Json): boolean {
  return typeof raw === "string" || (isObject(raw) && isObject(raw["data"]));
}

function textsOf(fields: Fields, name: string): readonly string[] | undefined {
  const list = fields.peek(name);
  if (!isList(list) || !list.every((text) => typeof text === "string")) return undefined;
  fields.skip(name);
  return list as readonly string[];
}

function objectsOf(fields: Fields, name: string): readonly JsonObject[] | undefined {
  const list = fields.peek(name);
  if (!isList(list) || !list.every((entry) => isObject(entry))) return undefined;
  fields.skip(name);
  return list as readonly JsonObject[];
}
