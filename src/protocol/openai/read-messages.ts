import { Rejection } from "../../core/rejection.ts";
import { malformed } from "../envelope-fields.ts";
import type { Block, CacheMark, ResultContent, ToolResultBlock } from "../ir/block.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Message, Role } from "../ir/request.ts";
import { readCacheMark } from "./cache-mark.ts";
import { readAssistant, readContent } from "./read-assistant.ts";
import { opaquePart } from "./read-parts.ts";
import { restOf } from "./rest.ts";
import { spelled, spellingOf } from "./spelling.ts";

/** `function` is what `tool` was called first; its results had no call's id. */
const ROLES: ReadonlyMap<string, Role> = new Map([
  ["system", "system"],
  ["developer", "developer"],
  ["user", "user"],
  ["assistant", "assistant"],
  ["tool", "tool"],
  ["function", "tool"],
]);

/** `messages`, each in its place; refused where no server of this wire could read one. */
export function readMessages(value: Json | undefined): readonly Message[] | Rejection {
  if (!isList(value)) {
    return malformed("messages", "'messages' must be an array of messages: send at least one");
  }
  const messages: Message[] = [];
  for (const [index, entry] of value.entries()) {
    const at = `messages[${index}]`;
    if (!isObject(entry)) return malformed(at, `'${at}' must be an object with a role`);
    const role = ROLES.get(String(entry["role"]));
    if (role === undefined) {
      const roles = [...ROLES.keys()].join(", ");
      return malformed(`${at}.role`, `'${at}.role' must be one of ${roles}`);
    }
    messages.push(readMessage(entry, { role, at }));
  }
  return messages;
}

interface Place {
  readonly role: Role;
  readonly at: string;
}

function readMessage(entry: JsonObject, { role, at }: Place): Message {
  const fields = new Fields(entry);
  fields.skip("role");
  if (role === "tool") return readResult(fields, { at, isLegacy: entry["role"] === "function" });
  const name = fields.text("name");
  const place = { at, keepsEmpty: true };
  const { blocks, bareString, beside } =
    role === "assistant" ? readAssistant(fields, place) : readPlain(fields, place);
  const marked = withMark(fields, blocks);
  const message = { role, name, blocks: marked, bareString, ext: restOf(fields), at };
  return spelled<Message>(message, { beside });
}

function readPlain(fields: Fields, place: { readonly at: string; readonly keepsEmpty: boolean }) {
  const { parts, bareString } = readContent(fields, place);
  return { blocks: parts, bareString, beside: undefined };
}

/** A mark on the message is one on its last block: what comes before it is what is kept. */
function withMark(fields: Fields, blocks: readonly Block[]): readonly Block[] {
  const last = blocks.at(-1);
  if (last === undefined || last.type === "cache_mark" || last.cache !== undefined) return blocks;
  const mark = readCacheMark(fields);
  if (mark === undefined) return blocks;
  const { slot } = spellingOf(mark);
  const cache = spelled<CacheMark>(mark, { slot, raw: "message" });
  return blocks.with(-1, spelled({ ...last, cache }, spellingOf(last)));
}

function readResult(
  fields: Fields,
  { at, isLegacy }: { readonly at: string; readonly isLegacy: boolean },
): Message {
  const callId = fields.text("tool_call_id");
  const name = fields.text("name");
  const list = fields.peek("content");
  const { parts, bareString } = readContent(fields, { at, keepsEmpty: true });
  // No result of any protocol holds a refusal or reasoning: such a part goes on as it came.
  const content = parts.map((part, index) =>
    isResult(part) ? part : opaquePart((list as readonly JsonObject[])[index]!, part.at),
  );
  const result: ToolResultBlock = { type: "tool_result", callId, name, content, bareString, at };
  const blocks = withMark(fields, [result]);
  const message: Message = { role: "tool", blocks, ext: restOf(fields), at };
  return spelled(message, { slot: isLegacy ? "function" : undefined });
}

function isResult(block: Block): block is ResultContent & Block {
  return block.type === "text" || block.type === "media" || block.type === "opaque";
}
