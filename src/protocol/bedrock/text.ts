import type { Bytes } from "../../core/units.ts";
import { type Foreign, foreignList, foreignObject, foreignText } from "../../wire/foreign.ts";

/** The members the text of a delta stands in, the most likely first. */
export const TEXT_NAMES = ["text", "input"] as const;

/** UTF-8 bytes of what a delta of Converse adds to its answer: text, reasoning, arguments. */
export function deltaBytes(event: Foreign): Bytes {
  const delta = foreignObject(event["delta"]);
  const reasoning = foreignObject(delta?.["reasoningContent"]);
  const call = foreignObject(delta?.["toolUse"]);
  return bytesOf(delta?.["text"]) + bytesOf(reasoning?.["text"]) + bytesOf(call?.["input"]);
}

/** The same of an invoked model's own event: Claude, Nova, Titan, Llama, Cohere, Mistral, AI21. */
export function invokedBytes(event: Foreign): Bytes {
  const nova = foreignObject(event["contentBlockDelta"]);
  if (nova !== undefined) return deltaBytes(nova);
  const delta = foreignObject(event["delta"]);
  const isAtEnd = event["is_finished"] === true; // Cohere repeats its whole text there.
  let length = isAtEnd ? 0 : bytesOf(event["text"]);
  for (const name of OWN_NAMES) length += bytesOf(event[name]);
  for (const name of CLAUDE_NAMES) length += bytesOf(delta?.[name]);
  for (const item of [...foreignList(event["outputs"]), ...foreignList(event["choices"])]) {
    const said = foreignObject(item);
    length += bytesOf(said?.["text"]) + bytesOf(foreignObject(said?.["delta"])?.["content"]);
  }
  return length;
}

const OWN_NAMES = ["outputText", "generation", "completion"] as const;
const CLAUDE_NAMES = ["text", "thinking", "partial_json"] as const;

function bytesOf(value: unknown): Bytes {
  const text = foreignText(value);
  return text === undefined ? 0 : Buffer.byteLength(text);
}
