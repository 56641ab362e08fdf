import type { Rejection } from "../../core/rejection.ts";
import { malformed } from "../envelope-fields.ts";
import type { Block } from "../ir/block.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Message, Role } from "../ir/request.ts";
import { formOf, groupOf } from "./item-form.ts";
import { readItem, typeOf } from "./read-items.ts";
import { readPart } from "./read-parts.ts";

type Spoken = Extract<Role, "user" | "system" | "developer">;

/**
 * The messages of an input list: one for each message of a user, a system or a developer, one for
 * what each tool gave back, and one for every run of items that the assistant's turn left.
 */
export function readMessages(input: readonly Json[]): readonly Message[] | Rejection {
  const messages: Message[] = [];
  let run: Block[] | undefined;
  for (const [number, item] of input.entries()) {
    const at = `input[${number}]`;
    if (!isObject(item)) return malformed(at, `'${at}' must be an object: send an input item`);
    const role = spokenBy(item);
    if (role !== undefined) {
      const content = contentOf(item["content"]);
      if (content === undefined) return badContent(at);
      messages.push(readSpoken(item, { role, number, at, content }));
      run = undefined;
      continue;
    }
    const blocks = readItem(item, { number, at });
    if (isOfTool(blocks)) {
      messages.push({ role: "tool", blocks, at });
      run = undefined;
    } else if (run === undefined) {
      run = [...blocks];
      messages.push({ role: "assistant", blocks: run, at });
    } else {
      run.push(...blocks);
    }
  }
  return messages.map(withBareString);
}

/** The message a bare string is. */
export function readText(input: string): Message {
  return {
    role: "user",
    blocks: [{ type: "text", text: input, at: "input" }],
    bareString: true,
    at: "input",
  };
}

/** A turn that is one bare string may be told apart by every writer. */
function withBareString(message: Message): Message {
  const [block, ...more] = message.blocks;
  if (message.role !== "assistant" || block === undefined || more.length > 0) return message;
  const isBare = block.type === "text" && formOf(block.group)?.bare === true;
  return isBare ? { ...message, bareString: true } : message;
}

function isOfTool([block]: readonly Block[]): boolean {
  return block?.type === "tool_result" || block?.type === "hosted_result";
}

function spokenBy(item: JsonObject): Spoken | undefined {
  if (typeOf(item) !== "message") return undefined;
  const { role } = item;
  return role === "user" || role === "system" || role === "developer" ? role : undefined;
}

function contentOf(content: Json | undefined): string | readonly JsonObject[] | undefined {
  if (typeof content === "string") return content;
  return isList(content) && content.every(isObject) ? content : undefined;
}

interface Spot {
  readonly role: Spoken;
  readonly number: number;
  readonly at: string;
  readonly content: string | readonly JsonObject[];
}

function readSpoken(item: JsonObject, { role, number, at, content }: Spot): Message {
  const fields = new Fields(item);
  fields.skip("role", "content");
  const isBare = typeof content === "string";
  const blocks: Block[] = isBare
    ? [{ type: "text", text: content, at }]
    : content.map((part, index) =>
        readPart(part, { speaker: "other", at: `${at}.content[${index}]` }),
      );
  const [first, ...more] = blocks;
  const group = first && spokenGroup(fields, number);
  return {
    role,
    blocks: group === undefined ? blocks : [inGroup(first!, group), ...more],
    bareString: isBare ? true : undefined,
    at,
    ext: fields.ext("responses"),
  };
}

/** The first block's group tells the message's form; undefined for the plainest one. */
function spokenGroup(fields: Fields, number: number): string | undefined {
  const typed = fields.text("type") !== undefined;
  const status = fields.text("status");
  if (!typed && status === undefined) return undefined;
  return groupOf(number, { typed, bare: false, status });
}

function inGroup(block: Block, group: string): Block {
  return block.type === "cache_mark" ? block : { ...block, group };
}

function badContent(at: string): Rejection {
  const path = `${at}.content`;
  return malformed(path, `'${path}' must be a string or a list of objects`);
}
