import type { Block } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import type { Message, Role, SystemBlock } from "../ir/request.ts";
import { DocumentNames } from "./document-names.ts";
import { type BlockContext, hasMember, writeBlock } from "./write-blocks.ts";

/** What messages are written by. */
export interface MessagesContext {
  readonly own: boolean;
  readonly report: Report;
}

const ROLES: Readonly<Record<Role, string>> = {
  user: "user",
  assistant: "assistant",
  system: "system",
  developer: "system",
  tool: "user",
};

/** The messages of a request. */
export function writeMessages(
  messages: readonly Message[],
  context: MessagesContext,
): readonly JsonObject[] {
  const names = new DocumentNames();
  return messages.map((message, index) => {
    const path = message.at ?? `messages[${index}]`;
    return writeMessage(message, { ...context, names, path, textBefore: 0 });
  });
}

/** The top system slot. */
export function writeSystem(
  system: readonly SystemBlock[],
  { own, report }: MessagesContext,
): readonly JsonObject[] {
  const context = { own, report, names: new DocumentNames(), path: "system", textBefore: 0 };
  return system.flatMap((block) => writeBlock(block, context));
}

/** The blocks of a message, of a request or an answer. */
export function writeBlocks(
  blocks: readonly Block[],
  context: BlockContext,
): readonly JsonObject[] {
  let { textBefore } = context;
  return blocks.flatMap((block, index) => {
    const written = writeBlock(block, {
      ...context,
      path: `${context.path}[${index}]`,
      textBefore,
    });
    if (block.type === "text") textBefore += lengthOf(block.text);
    return written;
  });
}

function writeMessage(message: Message, context: BlockContext): JsonObject {
  const inner = { ...context, path: `${context.path}.content` };
  const content = withText(writeBlocks(message.blocks, inner), context);
  return compact({ role: ROLES[message.role], content }, message.ext?.bedrock);
}

/** Bedrock wants a text beside a document: its guide to DocumentBlock. */
function withText(content: readonly JsonObject[], context: BlockContext): readonly JsonObject[] {
  if (context.own || !hasMember(content, "document") || hasMember(content, "text")) return content;
  context.report({ code: "L-EMPTY", path: context.path, action: "defaulted" });
  return [...content, { text: "." }];
}

/** In code points, as spans of citations count. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
