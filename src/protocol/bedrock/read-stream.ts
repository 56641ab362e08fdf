import type { Chunk } from "../../core/units.ts";
import { parseJson } from "../../wire/exact-json.ts";
import type { EventStreamFrame } from "../../wire/event-stream-frame.ts";
import { EventStreamScanner } from "../../wire/event-stream.ts";
import type { StreamReader } from "../codec.ts";
import type { WireError } from "../wire-error.ts";
import type { Block } from "../ir/block.ts";
import type { IrEvent } from "../ir/event.ts";
import { Fields, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { headOf } from "./frames.ts";
import { errorOfException } from "./read-error.ts";
import { readDelta, readStart, skeletonOf } from "./read-deltas.ts";
import { extOf, leftOf } from "./rest.ts";
import { readStop } from "./stop.ts";
import { readIrUsage } from "./usage.ts";

/** Reads a stream of Converse. */
export function streamReader(): StreamReader {
  return new BedrockStreamReader();
}

const UNREADABLE: WireError = {
  class: "bad_upstream",
  status: 502,
  message: "The model's answer could not be read.",
};
/** Bedrock pads its events with it, so that their lengths tell nothing. */
const PADDING = "p";

class BedrockStreamReader implements StreamReader {
  readonly #scanner: EventStreamScanner;
  /** Blocks that have begun and not ended, by the wire's index. */
  readonly #open = new Map<number, number>();
  #nextBlock = 0;
  #isStopped = false;
  /** After an error nothing counts. */
  #isOver = false;
  #events: IrEvent[] = [];

  constructor() {
    this.#scanner = new EventStreamScanner({ onFrame: (frame) => this.#read(frame) });
  }

  feed(chunk: Chunk): readonly IrEvent[] {
    this.#scanner.feed(chunk);
    if (this.#scanner.fault !== undefined) this.#fail(UNREADABLE);
    return this.#taken();
  }

  /** The wire's own end is the stop, and the connection's end behind it. */
  end(): readonly IrEvent[] {
    const isWhole = this.#isStopped && this.#scanner.atBoundary && !this.#isOver;
    if (isWhole) this.#events.push({ t: "end" });
    return this.#taken();
  }

  #taken(): readonly IrEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #read(frame: EventStreamFrame): void {
    if (this.#isOver) return;
    const { kind, name, message } = headOf(frame);
    const { bytes, payload, end } = frame;
    const data = parseJson(bytes.subarray(payload, end)) as Json | undefined;
    switch (kind) {
      case "event":
        return this.#readEvent(name, data);
      case "exception":
        return this.#fail(errorOfException(name, data));
      case "error":
        return this.#fail(errorOfException(name, data ?? { message }));
      case "broken":
        return this.#fail(UNREADABLE);
    }
  }

  #readEvent(name: string, data: Json | undefined): void {
    if (!isObject(data)) {
      this.#raw(name, data ?? null);
      return;
    }
    const fields = new Fields(data);
    fields.skip(PADDING);
    switch (name) {
      case "messageStart":
        if (fields.peek("role") === "assistant") fields.skip("role");
        // Even when it is empty it says whose stream this is, for the writer of the same wire.
        this.#events.push({ t: "start", ext: extOf(leftOf(data, fields) ?? {}) });
        return;
      case "contentBlockStart":
        return this.#readBlockStart(data, fields);
      case "contentBlockDelta":
        return this.#readBlockDelta(data, fields);
      case "contentBlockStop":
        return this.#readBlockStop(data, fields);
      case "messageStop":
        return this.#readMessageStop(data, fields);
      case "metadata":
        return this.#readMetadata(data, fields);
      default:
        this.#raw(name, data);
    }
  }

  #readBlockStart(data: JsonObject, fields: Fields): void {
    const index = fields.number("contentBlockIndex");
    const start = fields.object("start");
    const block = start && readStart(start);
    if (index === undefined || block === undefined) return this.#raw("contentBlockStart", data);
    const left = leftOf(data, fields);
    const ext = left === undefined ? block.ext : extOf({ ...block.ext?.bedrock, ...left });
    this.#begin(index, { ...block, ext });
  }

  #readBlockDelta(data: JsonObject, fields: Fields): void {
    const index = fields.number("contentBlockIndex");
    const delta = fields.object("delta");
    const d = delta && readDelta(delta);
    if (index === undefined || d === undefined) return this.#raw("contentBlockDelta", data);
    const b = this.#open.get(index) ?? this.#begin(index, skeletonOf(d));
    this.#events.push({ t: "delta", c: 0, b, d, ext: extOf(leftOf(data, fields)) });
  }

  #readBlockStop(data: JsonObject, fields: Fields): void {
    const index = fields.number("contentBlockIndex");
    const b = index === undefined ? undefined : this.#open.get(index);
    if (index === undefined || b === undefined) return this.#raw("contentBlockStop", data);
    this.#open.delete(index);
    this.#events.push({ t: "block_stop", c: 0, b, ext: extOf(leftOf(data, fields)) });
  }

  /** Text and reasoning have no start on this wire: their first delta is it. */
  #begin(index: number, block: Block): number {
    const b = this.#nextBlock++;
    this.#open.set(index, b);
    this.#events.push({ t: "block_start", c: 0, b, block });
    return b;
  }

  #readMessageStop(data: JsonObject, fields: Fields): void {
    const word = fields.text("stopReason");
    if (word === undefined) return this.#raw("messageStop", data);
    for (const b of this.#open.values()) this.#events.push({ t: "block_stop", c: 0, b });
    this.#open.clear();
    const stop = readStop(word, fields.peek("additionalModelResponseFields"));
    this.#isStopped = true;
    this.#events.push({ t: "stop", c: 0, stop, ext: extOf(leftOf(data, fields)) });
  }

  /** Relays send metrics alone behind the usage: they change nothing. */
  #readMetadata(data: JsonObject, fields: Fields): void {
    const said = fields.object("usage");
    if (said === undefined) return this.#raw("metadata", data);
    const usage = readIrUsage(said);
    this.#events.push({ t: "usage", usage, ext: extOf(leftOf(data, fields)) });
  }

  #raw(event: string, data: Json): void {
    this.#events.push({ t: "raw", from: "bedrock", event, data });
  }

  #fail(error: WireError): void {
    if (!this.#isOver) this.#events.push({ t: "error", error });
    this.#isOver = true;
  }
}
