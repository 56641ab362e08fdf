import { printJson } from "../../wire/exact-json.ts";
import type { Block, ResultContent, ToolResultBlock } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Message } from "../ir/request.ts";
import { formOf } from "./item-form.ts";
import { type ItemContext, writeItems } from "./write-items.ts";
import { writeParts } from "./write-parts.ts";

/** The input items of a conversation: protocols.md 3.3 and 3.7. */
export function writeMessages(
  messages: readonly Message[],
  context: ItemContext,
): readonly JsonObject[] {
  if (context.own) return messages.flatMap((message) => writeTurn(message, context));
  const turns = messages.map((message) => ({ message, items: writeTurn(message, context) }));
  return withoutLoose(turns, context);
}

interface Turn {
  readonly message: Message;
  readonly items: readonly JsonObject[];
}

/** Reasoning that no item of its own turn follows is refused: protocols.md 3.9, rule 2. */
function withoutLoose(turns: readonly Turn[], { report }: ItemContext): readonly JsonObject[] {
  const kept: JsonObject[] = [];
  let isFollowed = false;
  for (const { message, items } of turns.toReversed()) {
    for (const item of items.toReversed()) {
      if (item["type"] !== "reasoning") {
        isFollowed = message.role === "assistant";
      } else if (!isFollowed) {
        const path = message.at ?? "input";
        report({ code: "L-REASONING-FOREIGN", path, action: "dropped" });
        continue;
      }
      kept.push(item);
    }
  }
  return kept.reverse();
}

function writeTurn(message: Message, context: ItemContext): readonly JsonObject[] {
  switch (message.role) {
    case "assistant":
      return writeItems(message.blocks, context);
    case "tool":
      return writeResults(message.blocks, context);
    case "user":
    case "system":
    case "developer":
      return writeSpoken(message, context);
  }
}

function writeResults(blocks: readonly Block[], context: ItemContext): readonly JsonObject[] {
  return blocks.map((block) => writeResult(block, context)).filter((item) => item !== undefined);
}

/** Results of tools are items of their own here, and stand before what the user says to them. */
function writeSpoken(message: Message, context: ItemContext): readonly JsonObject[] {
  const { role, bareString, ext } = message;
  const results = message.blocks.filter(({ type }) => type === "tool_result");
  const blocks = message.blocks.filter(({ type }) => type !== "tool_result");
  const items = writeResults(results, context);
  if (blocks.length === 0 && results.length > 0) return items;
  const [first, ...more] = blocks;
  const form = first !== undefined && "group" in first ? formOf(first.group) : undefined;
  const isBare = more.length === 0 && bareString === true;
  const isNothing = first === undefined && !context.own;
  const content: Json = isNothing
    ? "" // An empty list is refused.
    : isBare && first?.type === "text"
      ? first.text
      : writeParts(blocks, { ...context, speaker: "other" });
  const type = form?.typed === true ? "message" : undefined;
  const members = { type, role, content, status: form?.status };
  return [...items, compact(members, ext?.responses)];
}

/** What a tool gave back. */
function writeResult(block: Block, context: ItemContext): JsonObject | undefined {
  switch (block.type) {
    case "tool_result":
      return writeToolResult(block, context);
    case "hosted_result":
    case "opaque":
      if (block.vendor === "responses") return block.raw;
      break;
    default:
      break;
  }
  const path = block.at ?? block.type;
  context.report({ code: "L-UNKNOWN-BLOCK", path, action: "dropped", detail: block.type });
  return undefined;
}

/** An item of a function's or a custom tool's output; a list where it holds more than text. */
export function writeToolResult(block: ToolResultBlock, context: ItemContext): JsonObject {
  const { id, callId, name, freeform, status } = block;
  const members = {
    type: freeform === true ? "custom_tool_call_output" : "function_call_output",
    id,
    call_id: callId,
    name: context.own ? name : undefined,
    output: writeOutput(block, context),
    status: context.own ? status : undefined,
  };
  return compact(members, block.ext?.responses);
}

/** A string where `prepare` says so, as every host of this wire takes it. */
function writeOutput({ content, bareString }: ToolResultBlock, context: ItemContext): Json {
  if (bareString === true || (!context.own && content.length === 0)) {
    return content.map((block) => (block.type === "text" ? block.text : "")).join("\n");
  }
  return writeParts(content.map(plainer), { ...context, speaker: "other" });
}

/** What only other wires have in a result is text here. */
function plainer(block: ResultContent): Block {
  switch (block.type) {
    case "json":
      return { type: "text", text: printJson(block.value) };
    case "search_result":
      return { type: "text", text: block.content.map(({ text }) => text).join("\n") };
    case "text":
    case "media":
    case "cache_mark":
    case "opaque":
      return block;
  }
}
