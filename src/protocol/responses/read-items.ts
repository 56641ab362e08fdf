import type { Block, ReasoningBlock, ResultContent, Signed } from "../ir/block.ts";
import { compact, Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Ext } from "../ir/node.ts";
import { groupOf } from "./item-form.ts";
import { readPart, readResultPart } from "./read-parts.ts";

/** Names in the first block of a message that begin so stood in the message itself. */
export const OF_ITEM = "$";

/** Where an item stands. */
export interface ItemPlace {
  /** Its number in its list: blocks of one item share it. */
  readonly number: number;
  /** Its path in the caller's body; undefined in an answer. */
  readonly at?: string | undefined;
}

/** The blocks of one item that is no message of a user, a system or a developer. */
export function readItem(item: JsonObject, place: ItemPlace): readonly Block[] {
  return known(item, place) ?? [otherItem(item, place)];
}

/** The type of an item; a message may leave it out. */
export function typeOf(item: JsonObject): string {
  const { type } = item;
  if (typeof type === "string") return type;
  return type === undefined && typeof item["role"] === "string" ? "message" : "";
}

function known(item: JsonObject, place: ItemPlace): readonly Block[] | undefined {
  switch (typeOf(item)) {
    case "message":
      return item["role"] === "assistant" ? readMessage(item, place) : undefined;
    case "reasoning":
      return [readReasoning(item, place)];
    case "function_call":
      return readCall(item, { ...place, text: "arguments" });
    case "custom_tool_call":
      return readCall(item, { ...place, text: "input" });
    case "function_call_output":
    case "custom_tool_call_output":
      return readResult(item, place);
    default:
      return undefined;
  }
}

function readMessage(item: JsonObject, { number, at }: ItemPlace): readonly Block[] | undefined {
  const fields = new Fields(item);
  fields.skip("role", "content");
  const parts = partsOf(item["content"]);
  if (parts === undefined) return undefined;
  const id = fields.text("id");
  const phase = fields.text("phase");
  const typed = fields.text("type") !== undefined;
  const bare = typeof item["content"] === "string";
  const group = groupOf(number, { typed, bare, status: fields.text("status") });
  const rest = fields.ext("responses");
  return parts.map((part, index) => {
    const path = at === undefined || bare ? at : `${at}.content[${index}]`;
    const block = readPart(part, { speaker: "assistant", at: path });
    const ext = index === 0 ? withItem(block.ext, rest) : block.ext;
    return { ...block, id, phase, group, ext };
  });
}

function withItem(part: Ext | undefined, item: Ext | undefined): Ext | undefined {
  if (item?.responses === undefined) return part;
  const members: Record<string, Json> = Object.create(null);
  for (const name of Object.keys(item.responses)) {
    members[OF_ITEM + name] = item.responses[name]!;
  }
  return { responses: compact(members, part?.responses) };
}

/** A content's parts; undefined when it has none, or one that is no object. */
function partsOf(content: Json | undefined): readonly JsonObject[] | undefined {
  if (typeof content === "string") return [{ type: "output_text", text: content }];
  if (!isList(content) || content.length === 0 || !content.every(isObject)) return undefined;
  return content;
}

/** Reasoning whose summary or content is more than plain text keeps it in `ext` as well. */
function readReasoning(item: JsonObject, { number, at }: ItemPlace): ReasoningBlock {
  const fields = new Fields(item);
  fields.skip("type");
  const id = fields.text("id");
  const status = fields.text("status");
  const group =
    status === undefined ? undefined : groupOf(number, { typed: false, bare: false, status });
  const plain = texts(fields.peek("summary"), "summary_text");
  if (plain !== undefined) fields.skip("summary");
  const summary = plain ?? textsWithin(fields.peek("summary"));
  if (texts(fields.peek("content"), "reasoning_text")?.length === 1) fields.skip("content");
  const content = textsWithin(item["content"]);
  const text = content === undefined || content.length === 0 ? undefined : content.join("\n\n");
  const value = fields.text("encrypted_content");
  const sealed: Signed | undefined =
    value === undefined ? undefined : { value, encoding: "plain", family: "openai" };
  const ext = fields.ext("responses");
  return { type: "reasoning", id, group, text, summary, sealed, at, ext };
}

/** The texts of parts, whatever else they hold. */
function textsWithin(value: Json | undefined): readonly string[] | undefined {
  if (!isList(value)) return undefined;
  return value.flatMap((part) => {
    const text = isObject(part) ? part["text"] : undefined;
    return typeof text === "string" ? [text] : [];
  });
}

/** The texts of parts that hold nothing else; undefined when one does. */
function texts(value: Json | undefined, type: string): readonly string[] | undefined {
  if (!isList(value)) return undefined;
  const found: string[] = [];
  for (const part of value) {
    if (!isObject(part) || part["type"] !== type || Object.keys(part).length !== 2) {
      return undefined;
    }
    const { text } = part;
    if (typeof text !== "string") return undefined;
    found.push(text);
  }
  return found;
}

interface CallPlace extends ItemPlace {
  /** The member that holds the arguments. */
  readonly text: "arguments" | "input";
}

function readCall(item: JsonObject, { at, text }: CallPlace): readonly Block[] | undefined {
  const fields = new Fields(item);
  fields.skip("type");
  const name = fields.text("name");
  const args = fields.text(text);
  if (name === undefined || args === undefined) return undefined;
  return [
    {
      type: "tool_call",
      id: fields.text("id"),
      callId: fields.text("call_id"),
      name,
      namespace: fields.text("namespace"),
      args,
      freeform: text === "input" ? true : undefined,
      status: fields.text("status"),
      at,
      ext: fields.ext("responses"),
    },
  ];
}

function readResult(item: JsonObject, { at }: ItemPlace): readonly Block[] | undefined {
  const fields = new Fields(item);
  fields.skip("type", "output");
  const { output } = item;
  const content = readOutput(output, at);
  if (content === undefined) return undefined;
  return [
    {
      type: "tool_result",
      id: fields.text("id"),
      callId: fields.text("call_id"),
      name: fields.text("name"),
      content,
      bareString: typeof output === "string" ? true : undefined,
      freeform: item["type"] === "custom_tool_call_output" ? true : undefined,
      status: fields.text("status"),
      at,
      ext: fields.ext("responses"),
    },
  ];
}

function readOutput(
  output: Json | undefined,
  at: string | undefined,
): readonly ResultContent[] | undefined {
  if (typeof output === "string") return [{ type: "text", text: output, at }];
  if (!isList(output) || !output.every(isObject)) return undefined;
  return output.map((part, index) =>
    readResultPart(part, at === undefined ? undefined : `${at}.output[${index}]`),
  );
}

/** Tools that the vendor runs, or that this build knows by name only: carried whole. */
function otherItem(raw: JsonObject, { at }: ItemPlace): Block {
  const type = typeOf(raw);
  const callId = typeof raw["call_id"] === "string" ? raw["call_id"] : undefined;
  const hosted = { vendor: "responses", toolType: type, callId, raw, at } as const;
  if (COMPACTIONS.has(type)) return { type: "compaction", vendor: "responses", raw, at };
  if (CALLS.has(type)) return { type: "hosted_call", ...hosted };
  if (RESULTS.has(type)) return { type: "hosted_result", ...hosted };
  return { type: "opaque", vendor: "responses", wireType: type, raw, at };
}

const COMPACTIONS: ReadonlySet<string> = new Set(["compaction", "compaction_summary"]);
const CALLS: ReadonlySet<string> = new Set([
  "web_search_call",
  "file_search_call",
  "computer_call",
  "code_interpreter_call",
  "image_generation_call",
  "local_shell_call",
  "shell_call",
  "apply_patch_call",
  "tool_search_call",
  "mcp_call",
  "mcp_list_tools",
  "mcp_approval_request",
  "program",
]);
const RESULTS: ReadonlySet<string> = new Set([
  "computer_call_output",
  "local_shell_call_output",
  "shell_call_output",
  "apply_patch_call_output",
  "tool_search_output",
  "mcp_approval_response",
  "program_output",
]);
