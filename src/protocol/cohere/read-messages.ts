import { Rejection } from "../../core/rejection.ts";
import type { Block, OpaqueBlock, ResultContent, TextBlock, ToolResultBlock } from "../ir/block.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Message, Role } from "../ir/request.ts";
import { readImage } from "./media.ts";
import { owned } from "./own.ts";
import { placeCitations } from "./read-citations.ts";
import { readCalls } from "./read-tools.ts";

const ROLES: ReadonlyMap<string, Role> = new Map([
  ["system", "system"],
  ["user", "user"],
  ["assistant", "assistant"],
  ["tool", "tool"],
]);

/** What the content and the calls of one message are, wherever the message stands. */
export interface MessageBody {
  readonly blocks: readonly Block[];
  readonly bareString: boolean | undefined;
}

/** The messages of a request. */
export function readMessages(list: Json | undefined): readonly Message[] | Rejection {
  if (!isList(list)) return malformed("messages", "'messages' must be a list of messages");
  const messages: Message[] = [];
  for (const [index, raw] of list.entries()) {
    const at = `messages[${index}]`;
    if (!isObject(raw)) return malformed(at, `'${at}' must be an object`);
    const message = readMessage(raw, at);
    if (message instanceof Rejection) return message;
    messages.push(message);
  }
  return messages;
}

/** Plan, content and calls, in that order: the order an answer gives them in. */
export function readBody(fields: Fields, at: string | undefined): MessageBody {
  const blocks: Block[] = [];
  const plan = fields.text("tool_plan");
  if (plan !== undefined) {
    blocks.push({ type: "reasoning", text: plan, planOf: "tool", at: inside(at, "tool_plan") });
  }
  const { contents, bareString } = readContent(fields, { at, readPart: readContentPart });
  blocks.push(...contents, ...readCalls(fields, at));
  const citations = fields.peek("citations");
  if (!isList(citations) || citations.length === 0) return { blocks, bareString };
  const placed = placeCitations(blocks, { list: citations, contents });
  if (placed !== undefined) fields.skip("citations");
  return { blocks: placed ?? blocks, bareString };
}

function readMessage(raw: JsonObject, at: string): Message | Rejection {
  const fields = new Fields(raw);
  const role = ROLES.get(fields.text("role") ?? "");
  if (role === undefined) {
    const wanted = [...ROLES.keys()].join(", ");
    return malformed(`${at}.role`, `'${at}.role' must be one of ${wanted}`);
  }
  if (role === "tool") return readResult(fields, at);
  const { blocks, bareString } = readBody(fields, at);
  return owned<Message>({ role, blocks, bareString, at }, fields);
}

/** A message of role `tool` is one result, and nothing else. */
function readResult(fields: Fields, at: string): Message {
  const callId = fields.text("tool_call_id");
  const { contents, bareString } = readContent(fields, { at, readPart: readResultPart });
  const result: ToolResultBlock = {
    type: "tool_result",
    callId,
    content: contents,
    bareString,
    at,
  };
  return owned<Message>({ role: "tool", blocks: [result], at }, fields);
}

interface ContentReader<T> {
  readonly at: string | undefined;
  readonly readPart: (part: JsonObject, at: string | undefined) => T;
}

/** A text, or a list of parts. A list that holds anything but objects is left where it is. */
function readContent<T extends Block | ResultContent>(
  fields: Fields,
  { at, readPart }: ContentReader<T>,
): { readonly contents: readonly (T | TextBlock)[]; readonly bareString: boolean | undefined } {
  const place = inside(at, "content");
  const text = fields.text("content");
  if (text !== undefined) {
    return { contents: [{ type: "text", text, at: place }], bareString: true };
  }
  const list = fields.peek("content");
  if (!isList(list) || list.length === 0 || !list.every((part) => isObject(part))) {
    return { contents: [], bareString: undefined };
  }
  fields.skip("content");
  const contents = list.map((part, index) =>
    readPart(part as JsonObject, place === undefined ? undefined : `${place}[${index}]`),
  );
  return { contents, bareString: undefined };
}

function readContentPart(part: JsonObject, at: string | undefined): Block {
  switch (part["type"]) {
    case "text":
      return readText(part, at) ?? opaque(part, at);
    case "thinking":
      return readThinking(part, at) ?? opaque(part, at);
    case "image_url":
      return readImage(part, at) ?? opaque(part, at);
  }
  return opaque(part, at);
}

function readResultPart(part: JsonObject, at: string | undefined): ResultContent {
  switch (part["type"]) {
    case "text":
      return readText(part, at) ?? opaque(part, at);
    case "document":
      return readDocument(part, at) ?? opaque(part, at);
    case "image_url":
      return readImage(part, at) ?? opaque(part, at);
  }
  return opaque(part, at);
}

function readText(part: JsonObject, at: string | undefined): TextBlock | undefined {
  const fields = new Fields(part);
  const text = fields.text("text");
  if (text === undefined) return undefined;
  fields.skip("type");
  return owned<TextBlock>({ type: "text", text, at }, fields);
}

function readThinking(part: JsonObject, at: string | undefined): Block | undefined {
  const fields = new Fields(part);
  const text = fields.text("thinking");
  if (text === undefined) return undefined;
  fields.skip("type");
  return owned<Block>({ type: "reasoning", text, at }, fields);
}

function readDocument(part: JsonObject, at: string | undefined): ResultContent | undefined {
  const fields = new Fields(part);
  const document = fields.object("document");
  if (document === undefined) return undefined;
  const inner = new Fields(document);
  const value = inner.object("data");
  if (value === undefined) return undefined;
  fields.skip("type");
  const id = inner.text("id");
  return owned<ResultContent>({ type: "json", value, id, at }, fields, { document: inner });
}

function opaque(raw: JsonObject, at: string | undefined): OpaqueBlock {
  const type = raw["type"];
  const wireType = typeof type === "string" ? type : "";
  return { type: "opaque", vendor: "cohere", wireType, raw, at };
}

function inside(at: string | undefined, name: string): string | undefined {
  return at === undefined ? undefined : `${at}.${name}`;
}

function malformed(param: string, detail: string): Rejection {
  return new Rejection({ kind: "malformed", param, detail });
}
