import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import type { Message, SystemBlock } from "../ir/request.ts";
import { writePart } from "./write-part.ts";

export interface MessageWriting {
  readonly own: boolean;
  readonly report: Report;
}

/** The turns. The wire knows two roles; `prepare` has left no other. */
export function writeMessages(
  messages: readonly Message[],
  writing: MessageWriting,
): readonly JsonObject[] {
  return messages.map((message, index) => writeMessage(message, index, writing));
}

function writeMessage(message: Message, index: number, writing: MessageWriting): JsonObject {
  const { role, blocks, ext } = message;
  const parts = blocks.flatMap((block, place) => {
    const path = `messages[${index}].blocks[${place}]`;
    return writePart(block, { ...writing, path }) ?? [];
  });
  const spoken = role === "assistant" ? "model" : "user";
  return compact({ role: spoken, parts: parts.length === 0 ? undefined : parts }, ext?.gemini);
}

/** The system's instruction; undefined when there is none. */
export function writeSystem(
  system: readonly SystemBlock[],
  writing: MessageWriting,
): JsonObject | undefined {
  const parts = system.flatMap((block, place) => {
    return writePart(block, { ...writing, path: `system[${place}]` }) ?? [];
  });
  return parts.length === 0 ? undefined : { parts };
}
