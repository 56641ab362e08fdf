import { Rejection } from "../../core/rejection.ts";
import { malformed } from "../envelope-fields.ts";
import type { Block } from "../ir/block.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Message, SystemBlock } from "../ir/request.ts";
import { readPart } from "./read-part.ts";

/** The turns, in the wire's order; roles are plain by now: see spelling.ts. */
export function readMessages(contents: readonly Json[]): readonly Message[] | Rejection {
  const messages: Message[] = [];
  for (const [index, content] of contents.entries()) {
    const at = `contents[${index}]`;
    if (!isObject(content)) return malformed(at, `'${at}' must be an object: send role and parts`);
    const message = readMessage(content, at);
    if (message instanceof Rejection) return message;
    messages.push(message);
  }
  return messages;
}

function readMessage(content: JsonObject, at: string): Message | Rejection {
  const fields = new Fields(content);
  const role = fields.text("role") === "model" ? "assistant" : "user";
  const blocks = readParts(fields, at);
  if (blocks instanceof Rejection) return blocks;
  return { role, blocks, at, ext: fields.ext("gemini") };
}

/** The blocks of a content; a list without elements stays as it is. */
function readParts(content: Fields, at: string): readonly Block[] | Rejection {
  const parts = content.peek("parts");
  if (!isList(parts) || parts.length === 0) return [];
  content.skip("parts");
  const blocks: Block[] = [];
  for (const [index, part] of parts.entries()) {
    const place = `${at}.parts[${index}]`;
    if (!isObject(part)) return malformed(place, `'${place}' must be an object: send {"text": …}`);
    blocks.push(readPart(part, place));
  }
  return blocks;
}

/** The system's instruction: its blocks, and what else stood in it. */
export interface ReadSystem {
  readonly blocks: readonly SystemBlock[];
  readonly bareString?: true;
  readonly rest?: JsonObject | undefined;
}

/** Undefined when it is in no form that is known; it then stays where it stands. */
export function readSystem(value: Json | undefined): ReadSystem | undefined {
  if (typeof value === "string") {
    return { blocks: [{ type: "text", text: value, at: "systemInstruction" }], bareString: true };
  }
  if (!isObject(value)) return undefined;
  const fields = new Fields(value);
  const parts = fields.list("parts");
  if (parts === undefined || parts.length === 0 || !parts.every(isObject)) return undefined;
  return { blocks: parts.map(readSystemPart), rest: fields.ext("gemini")?.gemini };
}

/** Only text is asked for there; anything else is kept whole. */
function readSystemPart(part: JsonObject, index: number): SystemBlock {
  const at = `systemInstruction.parts[${index}]`;
  const block = readPart(part, at);
  if (block.type === "text" || block.type === "opaque") return block;
  return { type: "opaque", vendor: "gemini", wireType: block.type, raw: part, at };
}
