import type { Chunk } from "../../core/units.ts";
import { parseJson } from "../../wire/exact-json.ts";
import { frameText, type SseFrame } from "../../wire/sse-block.ts";
import { SseScanner } from "../../wire/sse.ts";
import type { StreamReader } from "../codec.ts";
import type { Block } from "../ir/block.ts";
import type { Delta, IrEvent } from "../ir/event.ts";
import { isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { WireError } from "../wire-error.ts";
import { readLogprobs } from "./logprobs.ts";
import { leftover, merged, type Shape, spelled } from "./own.ts";
import { readCitation } from "./read-citations.ts";
import { readEndError, readEventError } from "./read-error.ts";
import { readCall } from "./read-tools.ts";
import { readStop } from "./stop.ts";
import {
  ANY_DELTA,
  CALL_DELTA,
  CALL_START,
  CITATION,
  CONTENT,
  END,
  FIRST_DELTA,
  INDEXED,
  PLAN,
  START,
} from "./stream-shapes.ts";
import { readIrUsage } from "./usage.ts";

const DONE = "[DONE]";
const BRACKET = 0x5b;
const UNREADABLE: WireError = {
  class: "bad_upstream",
  status: 502,
  message: "The model's answer could not be read.",
};

export function streamReader(): StreamReader {
  return new CohereReader();
}

interface OpenText {
  readonly b: number;
  readonly kind: "text" | "reasoning" | "opaque";
  isEnded: boolean;
}

/** Reads a stream, whatever is in it; after an error or the end it hands on nothing more. */
class CohereReader implements StreamReader {
  readonly #scanner: SseScanner;
  #events: IrEvent[] = [];
  #isOver = false;
  #blockCount = 0;
  /** By the index of the wire. Contents and calls are counted apart. */
  readonly #contents = new Map<number, OpenText>();
  readonly #calls = new Map<number, number>();
  #plan: number | undefined;
  /** The end of the last content: a citation may still come for it. */
  #ending: IrEvent | undefined;

  constructor() {
    this.#scanner = new SseScanner({ onFrame: (frame) => this.#readFrame(frame) });
  }

  feed(chunk: Chunk): readonly IrEvent[] {
    this.#scanner.feed(chunk);
    return this.#taken();
  }
  end(): readonly IrEvent[] {
    this.#scanner.end();
    return this.#taken();
  }

  #taken(): readonly IrEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #readFrame(frame: SseFrame): void {
    if (this.#isOver) return;
    if (frame.oversize) return this.#fail(UNREADABLE);
    if (frame.bytes[frame.start] === BRACKET && frameText(frame).trim() === DONE) {
      return this.#finish();
    }
    const event = parseJson(frame.bytes.subarray(frame.start, frame.end)) as Json | undefined;
    if (!isObject(event)) {
      // Half an event at the end is a cut, which whoever reads the transport knows of.
      if (frame.terminated) this.#fail(UNREADABLE);
      return;
    }
    this.#readEvent(event, frame.event);
  }

  #readEvent(event: JsonObject, name: string): void {
    const type = textOf(event["type"]) ?? name;
    if (this.#ending !== undefined && !type.startsWith("citation-")) this.#settle();
    const message = objectIn(objectIn(event, "delta"), "message");
    const index = numberOf(event["index"]) ?? 0;
    switch (type) {
      case "message-start":
        return this.#start(event);
      case "content-start":
        return this.#startContent(event, { index, content: objectIn(message, "content") });
      case "content-delta":
        return this.#growContent(event, { index, content: objectIn(message, "content") });
      case "content-end":
        return this.#endContent(event, index);
      case "tool-plan-delta":
        return this.#growPlan(event, textOf(message?.["tool_plan"]));
      case "tool-call-start":
        return this.#startCall(event, { index, call: objectIn(message, "tool_calls") });
      case "tool-call-delta":
        return this.#growCall(event, { index, call: objectIn(message, "tool_calls") });
      case "tool-call-end":
        return this.#endCall(event, index);
      case "citation-start":
        return this.#cite(event, message?.["citations"]);
      case "citation-end":
        return; // A citation comes whole with its start.
      case "message-end":
        return this.#end(event, objectIn(event, "delta"));
    }
    if (name === "error" || event["type"] === undefined) return this.#fail(readEventError(event));
    this.#raw(event);
  }

  #start(event: JsonObject): void {
    const start: IrEvent = { t: "start", id: textOf(event["id"]) };
    const own = withRest(start, event, START);
    const delta = event["delta"];
    const isUsual = Bun.deepEquals(delta, FIRST_DELTA);
    this.#events.push(isUsual || delta === undefined ? own : spelled(own, { raw: delta }));
  }

  #startContent(event: JsonObject, { index, content }: ContentPart): void {
    this.#stopContent(this.#contents.get(index));
    const b = this.#newBlock();
    const block = blockOf(content);
    const kind = block.type as OpenText["kind"];
    this.#contents.set(index, { b, kind, isEnded: false });
    this.#push(
      { t: "block_start", c: 0, b, block },
      event,
      kind === "opaque" ? ANY_DELTA : CONTENT,
    );
    const text = textIn(content);
    if (kind !== "opaque" && text !== undefined && text !== "") this.#grow(b, kind, text);
  }

  #growContent(event: JsonObject, { index, content }: ContentPart): void {
    const open = this.#contents.get(index) ?? this.#openContent(index, content);
    if (open.kind === "opaque") {
      const d: Delta = { k: "raw", data: event["delta"] ?? null };
      return this.#push({ t: "delta", c: 0, b: open.b, d }, event, ANY_DELTA);
    }
    const d: Delta = { k: open.kind, text: textIn(content) ?? "" };
    const grown = withRest<IrEvent>({ t: "delta", c: 0, b: open.b, d }, event, CONTENT);
    const logprobs = event["logprobs"];
    if (logprobs === undefined) {
      this.#events.push(grown);
      return;
    }
    // On this wire both are one event, so its writer gives them with the text.
    this.#events.push(spelled(grown, { beside: { logprobs } }));
    const { tokens } = readLogprobs(isList(logprobs) ? logprobs : [logprobs]);
    const told: IrEvent = { t: "delta", c: 0, b: open.b, d: { k: "logprobs", tokens } };
    if (tokens.length > 0) this.#events.push(spelled(told, { raw: logprobs }));
  }

  /** A delta of a content that was never started. */
  #openContent(index: number, content: JsonObject | undefined): OpenText {
    const b = this.#newBlock();
    const kind = content?.["thinking"] === undefined ? "text" : "reasoning";
    const open: OpenText = { b, kind, isEnded: false };
    this.#contents.set(index, open);
    this.#events.push({ t: "block_start", c: 0, b, block: { type: kind, text: "" } });
    return open;
  }

  /** Held until it is clear that no citation of it follows. */
  #endContent(event: JsonObject, index: number): void {
    const open = this.#contents.get(index);
    if (open === undefined || open.isEnded) return this.#raw(event);
    open.isEnded = true;
    this.#ending = withRest({ t: "block_stop", c: 0, b: open.b }, event, INDEXED);
  }

  #settle(): void {
    if (this.#ending !== undefined) this.#events.push(this.#ending);
    this.#ending = undefined;
  }

  #growPlan(event: JsonObject, text: string | undefined): void {
    if (text === undefined) return this.#raw(event);
    if (this.#plan === undefined) {
      this.#plan = this.#newBlock();
      const block: Block = { type: "reasoning", text: "", planOf: "tool" };
      this.#events.push({ t: "block_start", c: 0, b: this.#plan, block });
    }
    this.#push({ t: "delta", c: 0, b: this.#plan, d: { k: "reasoning", text } }, event, PLAN);
  }

  /** A plan has no end of its own: it ends where something else begins. */
  #endPlan(): void {
    if (this.#plan === undefined) return;
    this.#events.push({ t: "block_stop", c: 0, b: this.#plan });
    this.#plan = undefined;
  }

  #startCall(event: JsonObject, { index, call }: CallPart): void {
    const read = call && readCall(merged(call, { type: "function" }), undefined);
    if (read === undefined) return this.#raw(event);
    this.#stopCall(index);
    const b = this.#newBlock();
    this.#calls.set(index, b);
    const { args = "" } = read;
    const block = spelled<Block>({ ...read, args: "" }, { raw: args });
    this.#push({ t: "block_start", c: 0, b, block }, event, CALL_START);
    if (args !== "") this.#events.push({ t: "delta", c: 0, b, d: { k: "args", text: args } });
  }

  #growCall(event: JsonObject, { index, call }: CallPart): void {
    const b = this.#calls.get(index);
    const text = textOf(objectIn(call, "function")?.["arguments"]);
    if (b === undefined || text === undefined) return this.#raw(event);
    this.#push({ t: "delta", c: 0, b, d: { k: "args", text } }, event, CALL_DELTA);
  }

  #endCall(event: JsonObject, index: number): void {
    const b = this.#calls.get(index);
    if (b === undefined) return this.#raw(event);
    this.#calls.delete(index);
    this.#push({ t: "block_stop", c: 0, b }, event, INDEXED);
  }

  /** A call that was never ended, where another takes its index or the message ends. */
  #stopCall(index: number): void {
    const b = this.#calls.get(index);
    if (b !== undefined) this.#events.push({ t: "block_stop", c: 0, b });
    this.#calls.delete(index);
  }

  #stopContent(open: OpenText | undefined): void {
    if (open === undefined || open.isEnded) return;
    open.isEnded = true;
    this.#events.push({ t: "block_stop", c: 0, b: open.b });
  }

  #cite(event: JsonObject, raw: Json | undefined): void {
    const read = raw === undefined ? undefined : readCitation(raw);
    const open = read && this.#textAt(read.contentIndex);
    if (read === undefined || open === undefined) return this.#raw(event);
    const d: Delta = { k: "citation", citation: read.citation };
    this.#push({ t: "delta", c: 0, b: open.b, d }, event, CITATION);
  }

  /** The text a citation is in: the one it names, or the first. */
  #textAt(index: number | undefined): OpenText | undefined {
    if (index !== undefined) {
      const open = this.#contents.get(index);
      return open?.kind === "text" ? open : undefined;
    }
    return [...this.#contents.values()].find(({ kind }) => kind === "text");
  }

  #end(event: JsonObject, delta: JsonObject | undefined): void {
    const error = delta && readEndError(delta);
    if (error !== undefined) return this.#fail(error, event);
    this.#endPlan();
    for (const open of this.#contents.values()) this.#stopContent(open);
    for (const index of this.#calls.keys()) this.#stopCall(index);
    const usage = objectIn(delta, "usage");
    if (usage !== undefined) this.#events.push({ t: "usage", usage: readIrUsage(usage) });
    const word = textOf(delta?.["finish_reason"]);
    if (word === undefined) return;
    this.#push({ t: "stop", c: 0, stop: readStop(word) }, event, END);
    this.#finish();
  }

  #finish(): void {
    this.#settle();
    this.#isOver = true;
    this.#events.push({ t: "end" });
  }

  #fail(error: WireError, event?: JsonObject): void {
    this.#isOver = true;
    const failed: IrEvent = { t: "error", error };
    this.#events.push(event === undefined ? failed : spelled(failed, { raw: event }));
  }

  #raw(event: JsonObject): void {
    this.#events.push({ t: "raw", from: "cohere", event: textOf(event["type"]), data: event });
  }

  #newBlock(): number {
    this.#endPlan();
    return this.#blockCount++;
  }

  #grow(b: number, k: "text" | "reasoning", text: string): void {
    this.#events.push({ t: "delta", c: 0, b, d: { k, text } });
  }

  #push(event: IrEvent, raw: JsonObject, shape: Shape): void {
    this.#events.push(withRest(event, raw, shape));
  }
}

interface ContentPart {
  readonly index: number;
  readonly content: JsonObject | undefined;
}
interface CallPart {
  readonly index: number;
  readonly call: JsonObject | undefined;
}

function withRest<T extends IrEvent>(event: T, raw: JsonObject, shape: Shape): T {
  const rest = leftover(raw, shape);
  return rest === undefined ? event : { ...event, ext: { cohere: rest } };
}

function blockOf(content: JsonObject | undefined): Block {
  const type = content?.["type"];
  if (type === "thinking") return { type: "reasoning", text: "" };
  if (type === "text" || content === undefined || type === undefined) {
    return { type: "text", text: "" };
  }
  const wireType = typeof type === "string" ? type : "";
  return { type: "opaque", vendor: "cohere", wireType, raw: content };
}

function textIn(content: JsonObject | undefined): string | undefined {
  return textOf(content?.["text"]) ?? textOf(content?.["thinking"]);
}

function objectIn(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = object?.[name];
  return isObject(value) ? value : undefined;
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function numberOf(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}
