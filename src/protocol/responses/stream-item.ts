import type { Block } from "../ir/block.ts";
import { isList } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { groupOf } from "./item-form.ts";
import { typeOf } from "./read-items.ts";
import { readPart } from "./read-parts.ts";

/** No answer has more items or parts; a host that numbers them higher is not followed there. */
const INDEX_MAX = 65_536;

/** A text that grows by deltas and is repeated whole. */
export interface Grown {
  text: string;
}
/** A block that is being read, and how much of what is repeated was handed on. */
export interface Open {
  readonly b: number;
  readonly text: Grown;
  citations: number;
  hasLogprobs: boolean;
  isClosed: boolean;
}
/** One output item that is being read. */
export interface Item {
  readonly number: number;
  readonly id: string | undefined;
  readonly phase: string | undefined;
  readonly kind: Kind;
  /** A message's parts by their index; of every other item, its one block stands at 0. */
  readonly parts: Map<number, Open>;
  /** Of reasoning: the parts of its summary and of its content. */
  readonly summary: Map<number, Grown>;
  readonly content: Map<number, Grown>;
  isDone: boolean;
}
/** What of an item is followed. */
export type Kind = "message" | "reasoning" | "call" | "other";
/** What an event says of a text. */
export interface Texts {
  readonly delta?: Json | undefined;
  /** The whole text so far, where the event repeats it. */
  readonly whole?: Json | undefined;
}

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ["message", "message"],
  ["reasoning", "reasoning"],
  ["function_call", "call"],
  ["custom_tool_call", "call"],
]);

/** A part without what grows. One of unknown type stands there whole. */
export function skeletonOf(part: JsonObject): Block {
  switch (part["type"]) {
    case "output_text":
    case "input_text":
      return { type: "text", text: "" };
    case "refusal":
      return { type: "refusal", text: "" };
    default:
      return readPart(part, { speaker: "assistant" });
  }
}

/** A part as a block of its item. */
export function withItem(block: Block, { number, id, phase }: Item): Block {
  if (block.type === "cache_mark") return block;
  const group = groupOf(number, { typed: true, bare: false });
  return { ...block, id, phase, group };
}

/** An index an event names; undefined where it is none. */
export function indexIn(data: JsonObject, name: string): number | undefined {
  const index = data[name];
  const isIndex = typeof index === "number" && Number.isInteger(index);
  return isIndex && index >= 0 && index < INDEX_MAX ? index : undefined;
}

/** A list an object holds; empty where it holds none. */
export function listIn(object: JsonObject, name: string): readonly Json[] {
  const list = object[name];
  return isList(list) ? list : [];
}

/** An item that nothing was heard of yet. */
export function newItem(number: number, wire: JsonObject): Item {
  const { id, phase } = wire;
  return {
    number,
    id: typeof id === "string" ? id : undefined,
    phase: typeof phase === "string" ? phase : undefined,
    kind: KINDS.get(typeOf(wire)) ?? "other",
    parts: new Map(),
    summary: new Map(),
    content: new Map(),
    isDone: false,
  };
}

/** What stands in for the `added` of an item that never came. */
export function unannounced(type: string, id: Json | undefined): JsonObject {
  const item = { type, role: "assistant", name: "", arguments: "", input: "" };
  return typeof id === "string" ? { ...item, id } : item;
}
