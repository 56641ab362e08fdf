import { Rejection } from "../../core/rejection.ts";
import { malformed } from "../envelope-fields.ts";
import type { Block } from "../ir/block.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Message, Role, SystemBlock } from "../ir/request.ts";
import { opaque, readBlock } from "./read-blocks.ts";
import { extOf, leftOf } from "./rest.ts";

/** `ConversationRole` in Bedrock's API model. */
const ROLES: ReadonlyMap<Json | undefined, Role> = new Map<Json | undefined, Role>([
  ["user", "user"],
  ["assistant", "assistant"],
  ["system", "system"],
]);

/** The messages of a request. Bedrock itself refuses what is refused here. */
export function readMessages(list: readonly Json[]): readonly Message[] | Rejection {
  const messages: Message[] = [];
  for (const [index, wire] of list.entries()) {
    const message = readMessage(wire, `messages[${index}]`);
    if (message instanceof Rejection) return message;
    messages.push(message);
  }
  return messages;
}

/** The blocks of the top system slot; undefined where they are no list of objects. */
export function readSystem(list: readonly Json[]): readonly SystemBlock[] | Rejection {
  const blocks: SystemBlock[] = [];
  for (const [index, wire] of list.entries()) {
    const at = `system[${index}]`;
    if (!isObject(wire)) return malformed(at, `'${at}' must be an object`);
    const block = readBlock(wire, at);
    const isKnown = block.type === "text" || block.type === "cache_mark";
    blocks.push(isKnown ? block : opaque(wire, at));
  }
  return blocks;
}

function readMessage(wire: Json, at: string): Message | Rejection {
  if (!isObject(wire)) return malformed(at, `'${at}' must be an object`);
  const fields = new Fields(wire);
  const role = ROLES.get(fields.any("role"));
  if (role === undefined) {
    return malformed(`${at}.role`, `'${at}.role' must be user, assistant or system`);
  }
  const content = fields.any("content");
  if (!isList(content)) return malformed(`${at}.content`, `'${at}.content' must be an array`);
  const blocks = readBlocks(content, at);
  return blocks instanceof Rejection
    ? blocks
    : { role, blocks, at, ext: extOf(leftOf(wire, fields)) };
}

function readBlocks(content: readonly Json[], at: string): readonly Block[] | Rejection {
  const blocks: Block[] = [];
  for (const [index, wire] of content.entries()) {
    const place = `${at}.content[${index}]`;
    if (!isObject(wire)) return malformed(place, `'${place}' must be an object`);
    blocks.push(readBlock(wire, place));
  }
  return blocks;
}

/** The blocks of an answer, which is read whatever it holds. */
export function readAnswerBlocks(content: readonly Json[]): readonly Block[] {
  return content.filter(isObject).map((wire: JsonObject) => readBlock(wire));
}
