import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { IrRequest, Message, Role, SystemBlock } from "../ir/request.ts";
import { isPlainText, writeBlocks } from "./write-blocks.ts";
import type { Writing } from "./writing.ts";

const ROLES: Readonly<Record<Role, string>> = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "assistant",
  tool: "user", // Results stand in messages of the user here.
};

export function writeMessage(message: Message, writing: Writing): JsonObject {
  const { role, blocks, bareString } = message;
  const [first] = blocks;
  const isBare = bareString === true && blocks.length === 1 && isPlainText(first);
  const content: Json = isBare ? first.text : writeBlocks(blocks, writing);
  return compact({ role: ROLES[role], content }, message.ext?.anthropic);
}

/** The top slot; undefined when there is nothing for it. */
export function writeSystem(
  { system, systemBareString }: IrRequest,
  writing: Writing,
): Json | undefined {
  const [first, ...more]: readonly SystemBlock[] = system;
  if (first === undefined) return undefined;
  const isBare = systemBareString === true && more.length === 0 && isPlainText(first);
  return isBare ? first.text : writeBlocks(system, writing);
}
