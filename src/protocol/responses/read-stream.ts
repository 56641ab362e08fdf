import type { Chunk } from "../../core/units.ts";
import { parseJson } from "../../wire/exact-json.ts";
import { frameText, type SseFrame } from "../../wire/sse-block.ts";
import { SseScanner } from "../../wire/sse.ts";
import type { StreamReader } from "../codec.ts";
import type { IrEvent } from "../ir/event.ts";
import { isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { readErrorEvent } from "./read-error.ts";
import { readStop } from "./stop.ts";
import { StreamItems } from "./stream-items.ts";
import { EVENT_BYTES_MAX } from "./tap.ts";
import { readIrUsage } from "./usage.ts";

/** Reads a response as it grows: protocols.md 5.1 and 5.2. */
export function streamReader(): StreamReader {
  return new ResponsesStreamReader();
}

class ResponsesStreamReader implements StreamReader {
  readonly #scanner = new SseScanner({
    onFrame: (frame) => this.#read(frame),
    eventBytesMax: EVENT_BYTES_MAX,
  });
  readonly #items = new StreamItems((event) => this.#push(event));
  #events: IrEvent[] = [];
  /** The event being read, until what came of it carries it. */
  #wire: JsonObject | undefined;
  #isStarted = false;
  #isEnded = false;

  feed(chunk: Chunk): readonly IrEvent[] {
    this.#scanner.feed(chunk);
    return this.#drain();
  }

  end(): readonly IrEvent[] {
    this.#scanner.end();
    return this.#drain();
  }

  #drain(): readonly IrEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #read(frame: SseFrame): void {
    if (frame.oversize) return; // What it said, its `done` event or the terminal one repeats.
    const data = parseJson(frame.bytes.subarray(frame.start, frame.end)) as Json | undefined;
    if (!isObject(data)) {
      const isError = frame.event === "error" && frameText(frame).trim() !== "";
      if (isError) this.#fail(undefined);
      return;
    }
    this.#wire = data;
    const type = data["type"];
    this.#take(typeof type === "string" ? type : frame.event, data);
    // What said nothing new still has to come back to its own protocol.
    if (this.#wire !== undefined) this.#push({ t: "meta", patch: {} });
  }

  /** The first event that comes of a frame carries it, whole. */
  #push(event: IrEvent): void {
    const wire = this.#wire;
    this.#wire = undefined;
    this.#events.push(wire === undefined ? event : { ...event, ext: { responses: wire } });
  }

  #take(type: string, data: JsonObject): void {
    if (this.#isEnded) return;
    switch (type) {
      case "response.created":
        this.#start(data["response"]);
        return;
      case "response.queued":
      case "response.in_progress":
        this.#start(data["response"]);
        this.#push({ t: "meta", patch: { status: type.slice("response.".length) } });
        return;
      case "response.completed":
      case "response.incomplete":
      case "response.cancelled":
        this.#finish(isObject(data["response"]) ? data["response"] : {});
        return;
      case "response.failed":
      case "error":
        this.#fail(data);
        return;
      case "keepalive":
        this.#push({ t: "ping" });
        return;
    }
    if (isObject(data["error"]) && !type.startsWith("response.")) {
      this.#fail(data);
    } else if (!this.#items.take(type, data)) {
      this.#push({ t: "raw", from: "responses", event: type, data });
    }
  }

  #start(response: Json | undefined): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const { id, model, created_at: at } = isObject(response) ? response : {};
    this.#push({
      t: "start",
      id: typeof id === "string" ? id : undefined,
      model: typeof model === "string" ? model : undefined,
      createdAt: typeof at === "number" ? at : undefined,
    });
  }

  /** The terminal event holds everything again: what the others left out comes of it. */
  #finish(response: JsonObject): void {
    this.#start(response);
    const { output, service_tier: tier } = response;
    this.#items.finish(isList(output) ? output : []);
    if (typeof tier === "string") this.#push({ t: "meta", patch: { tier } });
    const usage = readIrUsage(response["usage"]);
    if (usage !== undefined) this.#push({ t: "usage", usage });
    const stop = readStop(response, this.#items.said) ?? { kind: "end" };
    this.#push({ t: "stop", c: 0, stop });
    this.#push({ t: "end" });
    this.#isEnded = true;
  }

  #fail(data: JsonObject | undefined): void {
    this.#push({ t: "error", error: readErrorEvent(data) });
    this.#isEnded = true;
  }
}
