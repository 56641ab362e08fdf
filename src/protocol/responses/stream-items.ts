import type { Block } from "../ir/block.ts";
import type { Delta, IrEvent } from "../ir/event.ts";
import { isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { readAnnotation } from "./annotations.ts";
import { readLogprobs } from "./logprobs.ts";
import { readItem } from "./read-items.ts";
import { readPart } from "./read-parts.ts";
import type { Said } from "./stop.ts";
import {
  indexIn,
  type Item,
  listIn,
  newItem,
  type Open,
  type Grown,
  skeletonOf,
  type Texts,
  unannounced,
  withItem,
} from "./stream-item.ts";

type Push = (event: IrEvent) => void;
type Handler = (data: JsonObject) => void;

/**
 * The output items of a stream. Deltas are handed on as they come; what `done` events and the
 * terminal one repeat adds only what is missing (protocols.md 5.2).
 */
export class StreamItems {
  readonly #push: Push;
  readonly #items = new Map<number, Item>();
  readonly #byId = new Map<string, Item>();
  #blockCount = 0;
  #hasCalls = false;
  #hasRefusal = false;

  constructor(push: Push) {
    this.#push = push;
  }

  /** What the blocks say of why the answer stopped. */
  get said(): Said {
    return { calls: this.#hasCalls, refusal: this.#hasRefusal };
  }

  /** False when it is an event that this build does not know, and of no item it carries whole. */
  take(type: string, data: JsonObject): boolean {
    const handler = this.#handlers.get(type);
    if (handler === undefined) return this.#isProgress(data);
    handler(data);
    return true;
  }

  /** How a tool of the vendor's gets on: its item tells the outcome. */
  #isProgress(data: JsonObject): boolean {
    const number = indexIn(data, "output_index");
    return number !== undefined && this.#items.get(number)?.kind === "other";
  }

  /** The items as the terminal event has them. */
  finish(output: readonly Json[]): void {
    for (const [index, item] of output.entries()) {
      if (isObject(item)) this.#itemDone(this.#itemFor(item, index), item);
    }
    for (const item of this.#items.values()) {
      for (const open of item.parts.values()) this.#close(open, undefined);
    }
  }

  readonly #handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    ["response.output_item.added", (data) => this.#added(data)],
    ["response.output_item.done", (data) => this.#done(data)],
    ["response.content_part.added", (data) => this.#partAdded(data)],
    ["response.content_part.done", (data) => this.#partDone(data)],
    ["response.reasoning_part.added", (data) => this.#partAdded(data)],
    ["response.reasoning_part.done", (data) => this.#partDone(data)],
    ["response.output_text.delta", (data) => this.#text(data, "output_text")],
    ["response.output_text.done", (data) => this.#text(data, "output_text")],
    ["response.output_text.annotation.added", (data) => this.#annotated(data)],
    ["response.refusal.delta", (data) => this.#text(data, "refusal")],
    ["response.refusal.done", (data) => this.#text(data, "refusal")],
    ["response.function_call_arguments.delta", (data) => this.#args(data, "arguments")],
    ["response.function_call_arguments.done", (data) => this.#args(data, "arguments")],
    ["response.custom_tool_call_input.delta", (data) => this.#args(data, "input")],
    ["response.custom_tool_call_input.done", (data) => this.#args(data, "input")],
    ["response.reasoning_summary_part.added", (data) => this.#reasoned(data, "summary")],
    ["response.reasoning_summary_part.done", (data) => this.#reasoned(data, "summary")],
    ["response.reasoning_summary_text.delta", (data) => this.#reasoned(data, "summary")],
    ["response.reasoning_summary_text.done", (data) => this.#reasoned(data, "summary")],
    ["response.reasoning_text.delta", (data) => this.#reasoned(data, "content")],
    ["response.reasoning_text.done", (data) => this.#reasoned(data, "content")],
  ]);

  #added(data: JsonObject): void {
    const { item } = data;
    if (!isObject(item)) return;
    const number = indexIn(data, "output_index") ?? this.#items.size;
    if (this.#items.has(number)) return;
    const added = this.#open(number, item);
    if (added.kind !== "message") this.#begin(added, item);
    if (added.kind === "call" || added.kind === "other") return;
    // Some relays put the first part into the item and never announce it.
    for (const [index, part] of listIn(item, "content").entries()) {
      if (isObject(part)) this.#grow(added, index, part);
    }
  }

  #done(data: JsonObject): void {
    const { item } = data;
    if (!isObject(item)) return;
    const number = indexIn(data, "output_index");
    const known = number === undefined ? undefined : this.#items.get(number);
    this.#itemDone(known ?? this.#itemFor(item, number ?? this.#items.size), item);
  }

  #partAdded(data: JsonObject): void {
    const { part } = data;
    const type = isObject(part) && part["type"] === "reasoning_text" ? "reasoning" : "message";
    const item = this.#item(data, type);
    if (isObject(part)) this.#grow(item, indexIn(data, "content_index") ?? 0, part);
  }

  #partDone(data: JsonObject): void {
    const { part } = data;
    if (!isObject(part)) return;
    const type = part["type"] === "reasoning_text" ? "reasoning" : "message";
    const item = this.#item(data, type);
    const index = indexIn(data, "content_index") ?? 0;
    this.#grow(item, index, part);
    const open = item.parts.get(index);
    if (item.kind === "message" && open !== undefined) {
      this.#close(open, withItem(readPart(part, { speaker: "assistant" }), item));
    }
  }

  #text(data: JsonObject, type: "output_text" | "refusal"): void {
    const item = this.#item(data, "message");
    if (item.kind !== "message") return;
    const open = this.#part(item, indexIn(data, "content_index") ?? 0, { type });
    const k = type === "refusal" ? "refusal" : "text";
    const whole = data[type === "refusal" ? "refusal" : "text"];
    this.#more(open, open.text, { delta: data["delta"], whole }, (text) => ({ k, text }));
    if (data["delta"] !== undefined) this.#weigh(open, data["logprobs"]);
  }

  #annotated(data: JsonObject): void {
    const item = this.#item(data, "message");
    const { annotation } = data;
    if (item.kind !== "message" || !isObject(annotation)) return;
    const open = this.#part(item, indexIn(data, "content_index") ?? 0, { type: "output_text" });
    if (open.isClosed) return;
    open.citations++;
    this.#delta(open, { k: "citation", citation: readAnnotation(annotation) });
  }

  #args(data: JsonObject, name: "arguments" | "input"): void {
    const type = name === "input" ? "custom_tool_call" : "function_call";
    const item = this.#item(data, type);
    const open = item.parts.get(0);
    if (item.kind !== "call" || open === undefined) return;
    const texts = { delta: data["delta"], whole: data[name] };
    this.#more(open, open.text, texts, (text) => ({ k: "args", text }));
  }

  #reasoned(data: JsonObject, where: "summary" | "content"): void {
    const item = this.#item(data, "reasoning");
    if (item.kind !== "reasoning") return;
    const part = indexIn(data, where === "summary" ? "summary_index" : "content_index") ?? 0;
    const whole = isObject(data["part"]) ? data["part"]["text"] : data["text"];
    this.#reason(item, { where, part }, { delta: data["delta"], whole });
  }

  #reason(
    item: Item,
    { where, part }: { readonly where: "summary" | "content"; readonly part: number },
    texts: Texts,
  ): void {
    const open = item.parts.get(0)!;
    const grown = item[where].get(part) ?? { text: "" };
    const isNew = grown.text === "" && part > 0;
    item[where].set(part, grown);
    this.#more(open, grown, texts, (text) => {
      if (where === "summary") return { k: "summary", part, text };
      return { k: "reasoning", text: isNew ? `\n\n${text}` : text };
    });
  }

  /** Hands on a delta, or what of the whole text no delta told. */
  #more(open: Open, grown: Grown, { delta, whole }: Texts, make: (text: string) => Delta): void {
    if (open.isClosed) return;
    const told = grown.text;
    const isMissing = typeof whole === "string" && whole.length > told.length;
    const rest = isMissing && whole.startsWith(told) ? whole.slice(told.length) : "";
    const text = typeof delta === "string" ? delta : rest;
    if (text === "") return;
    grown.text += text;
    this.#delta(open, make(text));
  }

  #weigh(open: Open, value: Json | undefined): void {
    const tokens = readLogprobs(value) ?? [];
    if (tokens.length === 0 || open.isClosed) return;
    open.hasLogprobs = true;
    this.#delta(open, { k: "logprobs", tokens });
  }

  /** The item that an event speaks of, even if its `added` never came. */
  #item(data: JsonObject, type: string): Item {
    const { item_id: id } = data;
    const number = indexIn(data, "output_index");
    const named = number === undefined ? this.#named(id) : this.#items.get(number);
    if (named !== undefined) return named;
    const item = unannounced(type, id);
    const opened = this.#open(number ?? this.#items.size, item);
    if (opened.kind !== "message") this.#begin(opened, item);
    return opened;
  }

  #named(id: Json | undefined): Item | undefined {
    return typeof id === "string" ? this.#byId.get(id) : undefined;
  }

  /** The terminal event may leave items out or order them anew: the id decides, then the place. */
  #itemFor(item: JsonObject, index: number): Item {
    const found = this.#named(item["id"]) ?? this.#items.get(index);
    return found ?? this.#open(index, item);
  }

  #open(number: number, wire: JsonObject): Item {
    const item = newItem(number, wire);
    this.#items.set(number, item);
    if (item.id !== undefined && !this.#byId.has(item.id)) this.#byId.set(item.id, item);
    return item;
  }

  /** Starts the one block of an item that is no message. */
  #begin(item: Item, wire: JsonObject): void {
    const [block] = readItem(wire, { number: item.number });
    if (block === undefined) return;
    if (block.type === "reasoning") {
      const { id } = block;
      this.#start(item, 0, { type: "reasoning", id, summary: [] });
    } else if (block.type === "tool_call") {
      this.#hasCalls = true;
      const { args, status: _, ...skeleton } = block;
      const open = this.#start(item, 0, skeleton);
      this.#more(open, open.text, { whole: args }, (text) => ({ k: "args", text }));
    } else {
      this.#start(item, 0, block);
    }
  }

  /** Opens a part if it is new, and hands on what it already says. */
  #grow(item: Item, index: number, part: JsonObject): void {
    if (item.kind === "reasoning") {
      this.#reason(item, { where: "content", part: index }, { whole: part["text"] });
      return;
    }
    if (item.kind !== "message") return;
    const open = this.#part(item, index, part);
    const isRefusal = part["type"] === "refusal";
    const whole = isRefusal ? part["refusal"] : part["text"];
    const k = isRefusal ? "refusal" : "text";
    this.#more(open, open.text, { whole }, (text) => ({ k, text }));
    for (const annotation of listIn(part, "annotations").slice(open.citations)) {
      if (!isObject(annotation) || open.isClosed) continue;
      open.citations++;
      this.#delta(open, { k: "citation", citation: readAnnotation(annotation) });
    }
    if (!open.hasLogprobs) this.#weigh(open, part["logprobs"]);
  }

  #part(item: Item, index: number, part: JsonObject): Open {
    const known = item.parts.get(index);
    if (known !== undefined) return known;
    return this.#start(item, index, withItem(skeletonOf(part), item));
  }

  #itemDone(item: Item, wire: JsonObject): void {
    if (item.isDone) return;
    item.isDone = true;
    if (item.kind === "message") {
      this.#messageDone(item, wire);
      return;
    }
    if (item.parts.size === 0) this.#begin(item, wire);
    const open = item.parts.get(0);
    if (open === undefined) return;
    const [final] = readItem(wire, { number: item.number });
    if (final?.type === "tool_call") {
      this.#more(open, open.text, { whole: final.args }, (text) => ({ k: "args", text }));
    } else if (final?.type === "reasoning") {
      this.#reasoningDone(item, wire);
      if (final.sealed !== undefined) this.#delta(open, { k: "sealed", signed: final.sealed });
    }
    this.#close(open, final);
  }

  #messageDone(item: Item, wire: JsonObject): void {
    const blocks = readItem(wire, { number: item.number });
    // Bedrock's mantle numbers the first part of a message 1: then the order counts.
    const indexes = [...item.parts.keys()];
    for (const [index, part] of listIn(wire, "content").entries()) {
      if (!isObject(part)) continue;
      const at = item.parts.has(index) ? index : (indexes[index] ?? index);
      this.#grow(item, at, part);
      const open = item.parts.get(at);
      if (open !== undefined) this.#close(open, blocks[index]);
    }
    for (const open of item.parts.values()) this.#close(open, undefined);
  }

  #reasoningDone(item: Item, wire: JsonObject): void {
    for (const where of ["summary", "content"] as const) {
      for (const [part, value] of listIn(wire, where).entries()) {
        if (isObject(value)) this.#reason(item, { where, part }, { whole: value["text"] });
      }
    }
  }

  #start(item: Item, index: number, block: Block): Open {
    this.#hasRefusal ||= block.type === "refusal";
    const b = this.#blockCount++;
    const open: Open = { b, text: { text: "" }, citations: 0, hasLogprobs: false, isClosed: false };
    item.parts.set(index, open);
    this.#push({ t: "block_start", c: 0, b, block });
    return open;
  }

  #delta({ b }: Open, d: Delta): void {
    this.#push({ t: "delta", c: 0, b, d });
  }

  #close(open: Open, final: Block | undefined): void {
    if (open.isClosed) return;
    open.isClosed = true;
    this.#push({ t: "block_stop", c: 0, b: open.b, final });
  }
}
