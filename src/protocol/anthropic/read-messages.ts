import { Rejection } from "../../core/rejection.ts";
import { isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Message, Role, SystemBlock } from "../ir/request.ts";
import { malformed } from "../envelope-fields.ts";
import { OwnFields } from "./own-fields.ts";
import { readBlock, readBlocks } from "./read-blocks.ts";

const ROLES: ReadonlyMap<string, Role> = new Map([
  ["user", "user"],
  ["assistant", "assistant"],
  ["system", "system"],
]);

/** The list of messages, or what of it no server would take. */
export function readMessages(value: Json | undefined): readonly Message[] | Rejection {
  if (!isList(value)) return malformed("messages", "'messages' must be a list of messages");
  const messages: Message[] = [];
  for (const [index, entry] of value.entries()) {
    const at = `messages[${index}]`;
    const message = isObject(entry) ? readMessage(entry, at) : refused(at, "an object");
    if (message instanceof Rejection) return message;
    messages.push(message);
  }
  return messages;
}

function readMessage(raw: JsonObject, at: string): Message | Rejection {
  const fields = new OwnFields(raw);
  const role = ROLES.get(fields.text("role") ?? "");
  if (role === undefined) return refused(`${at}.role`, "user, assistant or system");
  const text = fields.text("content");
  if (text !== undefined) {
    const blocks = [{ type: "text", text, at: `${at}.content` }] as const;
    return { role, blocks, bareString: true, ext: fields.own(), at };
  }
  const list = fields.objects("content");
  if (list === undefined) return refused(`${at}.content`, "a string or a list of blocks");
  return { role, blocks: readBlocks(list, `${at}.content`), ext: fields.own(), at };
}

/** What the top slot holds; undefined when it is neither a string nor a list of blocks. */
export function readSystem(fields: OwnFields): SystemRead | undefined {
  const text = fields.text("system");
  if (text !== undefined) {
    return { system: [{ type: "text", text, at: "system" }], systemBareString: true };
  }
  const list = fields.objects("system");
  return list && { system: list.map((raw, index) => systemBlock(raw, `system[${index}]`)) };
}

export interface SystemRead {
  readonly system: readonly SystemBlock[];
  readonly systemBareString?: boolean | undefined;
}

function systemBlock(raw: JsonObject, at: string): SystemBlock {
  const block = readBlock(raw, at);
  if (block.type === "text" || block.type === "opaque") return block;
  const wireType = String(raw["type"]);
  return { type: "opaque", vendor: "anthropic", wireType, raw, at };
}

function refused(path: string, wanted: string): Rejection {
  return malformed(path, `'${path}' must be ${wanted}`);
}
