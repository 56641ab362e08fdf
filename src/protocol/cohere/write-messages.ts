import { printJson } from "../../wire/exact-json.ts";
import type { Block, ResultContent, ToolResultBlock } from "../ir/block.ts";
import { compact, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import type { IrRequest, Message, SystemBlock } from "../ir/request.ts";
import { writeImage } from "./media.ts";
import { withOwn } from "./own.ts";
import { documentOf, writeBody } from "./write-body.ts";

/** The messages of a request, and what of them stands in its `documents`. */
export interface WrittenMessages {
  readonly messages: readonly JsonObject[];
  readonly documents: readonly JsonObject[];
}

export function writeMessages(request: IrRequest, report: Report): WrittenMessages {
  const isOwn = request.origin === "cohere";
  const documents: JsonObject[] = [];
  const context: MessageContext = { isOwn, report, documents };
  const system = writeSystem(request.system, context);
  const messages = request.messages.flatMap((message) => writeMessage(message, context));
  return { messages: [...system, ...messages], documents };
}

interface MessageContext {
  readonly isOwn: boolean;
  readonly report: Report;
  /** What this wire gives beside the messages. */
  readonly documents: JsonObject[];
}

/** `prepare` has put it into the list; a top slot that is left comes first. */
function writeSystem(blocks: readonly SystemBlock[], context: MessageContext): JsonObject[] {
  return blocks.length === 0 ? [] : writeMessage({ role: "system", blocks }, context);
}

/** Each result is a message of its own, before whatever else the message says. */
function writeMessage(message: Message, context: MessageContext): JsonObject[] {
  const results: JsonObject[] = [];
  const others: Block[] = [];
  for (const block of message.blocks) {
    if (block.type === "tool_result") results.push(writeResult(block, { message, context }));
    else others.push(block);
  }
  if (others.length > 0 || results.length === 0) results.push(writeTurn(message, others, context));
  return results;
}

function writeTurn(
  message: Message,
  blocks: readonly Block[],
  context: MessageContext,
): JsonObject {
  const { isOwn, report, documents } = context;
  const path = message.at ?? "messages";
  const body = writeBody(blocks, {
    isOwn,
    report,
    pathOf: (block) => ("at" in block ? block.at : undefined) ?? path,
    images: message.role === "user" || isOwn,
    documents,
  });
  const role = message.role === "developer" ? "system" : message.role;
  const content = written(body.contents, { isOwn, bareString: message.bareString });
  // Only an assistant may have said nothing.
  const isDue = !isOwn && role !== "assistant";
  return withOwn(
    {
      role,
      tool_plan: body.plan,
      content: content ?? (isDue ? "" : undefined),
      tool_calls: body.calls.length > 0 ? body.calls : undefined,
      citations: body.citations.length > 0 ? body.citations : undefined,
    },
    message,
  );
}

function writeResult(
  block: ToolResultBlock,
  { message, context }: { readonly message: Message; readonly context: MessageContext },
): JsonObject {
  const { isOwn } = context;
  const parts = block.content.flatMap((content) => writePart(content, block, context));
  const content = written(parts, { isOwn, bareString: block.bareString });
  const members = {
    role: "tool",
    tool_call_id: block.callId,
    content: content ?? (isOwn ? undefined : ""),
  };
  // The message was nothing but its result, so what is left of it is the result's.
  return message.blocks.length === 1 ? withOwn(members, message) : compact(members);
}

function writePart(
  content: ResultContent,
  block: ToolResultBlock,
  { isOwn, report }: MessageContext,
): JsonObject[] {
  const path = content.at ?? block.at ?? "messages";
  switch (content.type) {
    case "text":
      return [withOwn({ type: "text", text: content.text }, content)];
    case "json":
      if (!isObject(content.value)) return [{ type: "text", text: printJson(content.value) }];
      return [
        withOwn(
          { type: "document", document: compact({ id: content.id, data: content.value }) },
          content,
        ),
      ];
    case "search_result":
      return [{ type: "document", document: documentOf(content) }];
    case "media": {
      // Own results hold what the caller put there; of the others `prepare` has moved it.
      const image = isOwn ? writeImage(content, { path, report }) : undefined;
      if (image !== undefined) return [image];
      report({ code: "L-UNKNOWN-BLOCK", path, action: "dropped", detail: content.kind });
      return [];
    }
    case "cache_mark":
      report({ code: "L-CACHE", path, action: "dropped" });
      return [];
    case "opaque":
      if (content.vendor === "cohere") return [content.raw];
      report({ code: "L-UNKNOWN-BLOCK", path, action: "dropped", detail: content.wireType });
      return [];
  }
}

/** A text where there is one only and nobody asked for a list; undefined where there is nothing. */
function written(
  parts: readonly JsonObject[],
  { isOwn, bareString }: { readonly isOwn: boolean; readonly bareString: boolean | undefined },
): Json | undefined {
  if (parts.length === 0) return undefined;
  const [first, ...more] = parts;
  const text = first!["text"];
  const isPlain =
    more.length === 0 && first!["type"] === "text" && Object.keys(first!).length === 2;
  const asText = isPlain && (isOwn ? bareString === true : true);
  return asText && typeof text === "string" ? text : parts;
}
