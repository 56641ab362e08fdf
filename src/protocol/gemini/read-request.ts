import { Rejection } from "../../core/rejection.ts";
import type { ReadHead } from "../codec.ts";
import { malformed } from "../envelope-fields.ts";
import { compact, Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Ext } from "../ir/node.ts";
import type { IrRequest, Message, ToolChoice } from "../ir/request.ts";
import { readConfig } from "./read-config.ts";
import { readMessages, readSystem } from "./read-messages.ts";
import { readToolChoice, readTools } from "./read-tools.ts";
import { plainSpelling } from "./spelling.ts";

/**
 * How the body was spelled and its tools were cut, in `ext` under names that begin with `$`: they
 * say nothing a caller meant, so no loss of theirs is worth a report.
 */
export const SPELLING = "$spelling";
export const TOOL_GROUPS = "$tools";

/** A request for content; model and stream come from the path. */
export function readRequest(body: JsonObject, head: ReadHead): IrRequest | Rejection {
  const plain = plainSpelling(body);
  const fields = new Fields(plain.body);
  const contents = readContents(fields);
  if (contents instanceof Rejection) return contents;
  const system = readSystem(fields.peek("systemInstruction"));
  if (system !== undefined) fields.skip("systemInstruction");
  const list = fields.list("tools");
  const tools = list === undefined ? undefined : readTools(list);
  if (tools instanceof Rejection) return tools;
  const toolConfig = readToolConfig(fields);
  const config = new Fields(fields.object("generationConfig") ?? {});
  const request = {
    origin: "gemini" as const,
    model: head.model,
    stream: head.stream,
    system: system?.blocks ?? [],
    systemBareString: system?.bareString,
    ...contents,
    tools: tools?.tools,
    toolChoice: toolConfig.choice,
    ...readConfig(config),
    metadata: readLabels(fields),
    tier: fields.text("serviceTier"),
  };
  const kept = {
    systemInstruction: system?.rest,
    toolConfig: toolConfig.rest,
    generationConfig: config.ext("gemini")?.gemini,
    [SPELLING]: plain.spelling,
    [TOOL_GROUPS]: tools?.groups,
  };
  return { ...request, ext: restOf(fields, kept) };
}

type Contents = Pick<IrRequest, "messages" | "inputBareString">;

function readContents(fields: Fields): Contents | Rejection {
  const contents = fields.any("contents");
  if (typeof contents === "string") {
    const text = { type: "text", text: contents, at: "contents" } as const;
    const message: Message = { role: "user", blocks: [text], at: "contents" };
    return { messages: [message], inputBareString: true };
  }
  if (!isList(contents)) {
    const detail = '\'contents\' must be a list of contents: send [{"parts": [{"text": …}]}]';
    return malformed("contents", detail);
  }
  const messages = readMessages(contents);
  return messages instanceof Rejection ? messages : { messages };
}

interface ReadToolConfig {
  readonly choice?: ToolChoice | undefined;
  readonly rest?: JsonObject | undefined;
}

function readToolConfig(fields: Fields): ReadToolConfig {
  const said = fields.object("toolConfig");
  if (said === undefined) return {};
  const config = new Fields(said);
  const calling = config.peek("functionCallingConfig");
  const choice = isObject(calling) ? readToolChoice(calling) : undefined;
  if (choice === undefined) return { rest: said };
  config.skip("functionCallingConfig");
  return { choice, rest: config.ext("gemini")?.gemini };
}

/** Vertex's labels are what other wires call metadata. */
function readLabels(fields: Fields): Readonly<Record<string, string>> | undefined {
  const labels = fields.peek("labels");
  if (!isObject(labels) || !Object.values(labels).every(isText)) return undefined;
  fields.skip("labels");
  return labels as Readonly<Record<string, string>>;
}

/** What no one took, with what the groups of settings left over. */
function restOf(
  fields: Fields,
  kept: { readonly [name: string]: Json | undefined },
): Ext | undefined {
  const rest = compact(kept, fields.ext("gemini")?.gemini);
  return Object.keys(rest).length === 0 ? undefined : { gemini: rest };
}

function isText(value: Json): value is string {
  return typeof value === "string";
}
