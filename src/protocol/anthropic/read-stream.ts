import type { Chunk } from "../../core/units.ts";
import { parseJson } from "../../wire/exact-json.ts";
import type { SseFrame } from "../../wire/sse-block.ts";
import { SseScanner } from "../../wire/sse.ts";
import type { StreamReader } from "../codec.ts";
import type { IrUsage } from "../ir/answer.ts";
import type { Block } from "../ir/block.ts";
import type { IrEvent } from "../ir/event.ts";
import { isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { readIrUsage } from "./ir-usage.ts";
import { OwnFields } from "./own-fields.ts";
import { readStop, skipConstants } from "./read-answer.ts";
import { readDelta } from "./read-delta.ts";
import { errorOfEvent } from "./read-error.ts";
import { growing } from "./read-growing.ts";
import { spelled } from "./spelling.ts";
import { type Counts, readCounts } from "./usage.ts";

/** Reads a stream of messages: protocols.md 5.1, 5.2. */
export function streamReader(): StreamReader {
  return new AnthropicReader();
}

class AnthropicReader implements StreamReader {
  readonly #scanner = new SseScanner({ onFrame: (frame) => this.#readFrame(frame) });
  #events: IrEvent[] = [];
  /** Blocks by the wire's index, which a relay may use again. */
  readonly #blocks = new Map<number, number>();
  #blockCount = 0;
  #hasStarted = false;
  /** Nothing is read behind the end or an error. */
  #isOver = false;
  #counts: Counts | undefined;
  #byTtl: IrUsage["cacheWriteByTtl"];

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
    const { bytes, start, end } = frame;
    const data = frame.oversize ? undefined : (parseJson(bytes.subarray(start, end)) as Json);
    if (frame.event === "error" && frame.terminated) return this.#fail(data);
    if (isObject(data)) return this.#readEvent(data, frame.event);
    // A last event that was cut off says nothing; any other that cannot be read was content.
    if (frame.terminated) this.#fail({ message: "The stream holds an event that is no JSON." });
  }

  #readEvent(data: JsonObject, event: string): void {
    switch (data["type"]) {
      case "message_start":
        return this.#start(data);
      case "content_block_start":
        return this.#startBlock(data);
      case "content_block_delta":
        return this.#grow(data);
      case "content_block_stop":
        return this.#stopBlock(data);
      case "message_delta":
        return this.#readMessageDelta(data);
      case "message_stop":
        this.#isOver = true;
        this.#emit({ t: "end", ext: restOf(data) });
        return;
      case "ping":
        this.#emit({ t: "ping", ext: restOf(data) });
        return;
      case "error":
        return this.#fail(data);
    }
    if (data["error"] !== undefined) return this.#fail(data);
    this.#emit({ t: "raw", from: "anthropic", event: event === "" ? undefined : event, data });
  }

  #start(data: JsonObject): void {
    if (this.#hasStarted) {
      // A relay that started over: nobody can put the two together, protocols.md 5.2.
      return this.#fail({ message: "The stream started over." });
    }
    this.#hasStarted = true;
    const fields = new OwnFields(data);
    fields.skip("type");
    const message = fields.inner("message", (inner) => {
      skipConstants(inner);
      const content = inner.peek("content");
      if (isList(content) && content.length === 0) inner.skip("content");
      const usage = this.#readUsage(inner);
      return { id: inner.text("id"), model: inner.text("model"), usage };
    });
    this.#emit(spelled({ t: "start", ...message, ext: fields.own() }, OWN));
  }

  #startBlock(data: JsonObject): void {
    const fields = new OwnFields(data);
    fields.skip("type");
    const index = fields.number("index") ?? this.#blockCount;
    const raw = fields.object("content_block");
    if (raw === undefined) return this.#fail({ message: "The stream starts a block of nothing." });
    const { block, deltas } = growing(raw);
    const b = this.#open(index, block, fields);
    for (const d of deltas) this.#emit({ t: "delta", c: 0, b, d });
  }

  #open(index: number, block: Block, fields?: OwnFields): number {
    const b = this.#blockCount++;
    this.#blocks.set(index, b);
    this.#emit({ t: "block_start", c: 0, b, block, ext: fields?.own() });
    return b;
  }

  #grow(data: JsonObject): void {
    const read = readDelta(data);
    if (read === undefined) {
      this.#emit({ t: "raw", from: "anthropic", event: "content_block_delta", data });
      return;
    }
    const { index, d, ext, begins } = read;
    let b = this.#blocks.get(index);
    // Some relays leave the start out: the delta tells what block it was.
    if (b === undefined && begins !== undefined) b = this.#open(index, begins);
    if (b === undefined) return this.#fail({ message: "The stream grows a block of no type." });
    this.#emit({ t: "delta", c: 0, b, d, ext });
  }

  #stopBlock(data: JsonObject): void {
    const fields = new OwnFields(data);
    fields.skip("type");
    const index = fields.number("index") ?? -1;
    const b = this.#blocks.get(index);
    if (b === undefined) return; // It was never there, so nothing ends.
    this.#blocks.delete(index);
    this.#emit({ t: "block_stop", c: 0, b, ext: fields.own() });
  }

  #readMessageDelta(data: JsonObject): void {
    const fields = new OwnFields(data);
    fields.skip("type");
    const stop = fields.inner("delta", (inner) => {
      const read = readStop(inner);
      skipConstants(inner);
      return read;
    });
    const usage = this.#readUsage(fields);
    const ext = fields.own();
    if (stop !== undefined) this.#emit({ t: "stop", c: 0, stop, ext });
    if (usage !== undefined) {
      this.#emit({ t: "usage", usage, ext: stop === undefined ? ext : undefined });
    }
  }

  /** Counts are totals each time, and what one leaves out stays: protocols.md 1, finding 7. */
  #readUsage(fields: OwnFields): IrUsage | undefined {
    const raw = fields.object("usage");
    if (raw === undefined) return undefined;
    this.#counts = readCounts(raw, this.#counts) ?? {};
    const { cacheWriteByTtl = this.#byTtl, ...usage } = readIrUsage(raw, this.#counts);
    this.#byTtl = cacheWriteByTtl;
    return { ...usage, cacheWriteByTtl };
  }

  #fail(data: Json | undefined): void {
    this.#isOver = true;
    this.#emit({ t: "error", error: errorOfEvent(data) });
  }

  #emit(event: IrEvent): void {
    this.#events.push(event);
  }
}

/** Marks the start of a stream that was read from this wire, so that nothing is added to it. */
const OWN = { slot: "message_start" };

function restOf(data: JsonObject) {
  const fields = new OwnFields(data);
  fields.skip("type");
  return fields.own();
}
