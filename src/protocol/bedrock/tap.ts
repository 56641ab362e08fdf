import type { Fault } from "../../core/fault.ts";
import type { Bytes, Chunk } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import type { EventStreamFrame } from "../../wire/event-stream-frame.ts";
import { EventStreamScanner } from "../../wire/event-stream.ts";
import { type Foreign, foreignObject, parseForeign } from "../../wire/foreign.ts";
import type { SseFrame } from "../../wire/sse-block.ts";
import { templateNames, TextTemplate } from "../../wire/text-template.ts";
import type { StreamTap } from "../dialect.ts";
import { faultOfException } from "./fault.ts";
import { headOf, type MessageHead } from "./frames.ts";
import { CHUNK_EVENT, invokedEvent, invokedUsage, isInvokedEnd } from "./invoked.ts";
import { deltaBytes, invokedBytes, TEXT_NAMES } from "./text.ts";
import { usageOf } from "./usage.ts";

const NAMES = templateNames({ texts: TEXT_NAMES, telling: [] });
const NOTHING = new Uint8Array(0);
const NO_HEAD: MessageHead = { kind: "broken", name: "", message: undefined };
const compare = Buffer.prototype.compare;

/** Reads a stream of Converse, or of an invoked model, from the side. */
export function streamTap(): StreamTap {
  return new BedrockTap();
}

class BedrockTap implements StreamTap {
  readonly #scanner: EventStreamScanner;
  readonly #template = new TextTemplate(NAMES);
  /** The headers of the last message: nearly all messages of a stream have the same. */
  #headers: Uint8Array = NOTHING;
  #head = NO_HEAD;
  #isStopped = false;
  #fault: Fault | undefined;
  #faultEvent: unknown;
  #eventCount = 0;
  #eventsBeforeFault = 0;
  #textBytes: Bytes = 0;
  #usage: Usage | undefined;

  constructor() {
    this.#scanner = new EventStreamScanner({ onFrame: (frame) => this.#read(frame) });
  }

  feed(chunk: Chunk): void {
    this.#scanner.feed(chunk);
    // What a client's SDK throws on is an error it was told of, whoever broke the message.
    if (this.#scanner.fault !== undefined) this.#fault ??= unreadable(this.#scanner.fault);
  }
  /** A message that was cut has no end to be read to. */
  end(): void {}

  /** The usage follows the stop: one that was cut in the middle leaves its client without. */
  get complete(): boolean {
    return this.#isStopped && this.#scanner.atBoundary;
  }
  get fault(): Fault | undefined {
    return this.#fault;
  }
  get faultEvent(): unknown {
    return this.#faultEvent;
  }
  get eventsBeforeFault(): number {
    return this.#eventsBeforeFault;
  }
  get atBoundary(): boolean {
    return this.#scanner.atBoundary;
  }
  get eventCount(): number {
    return this.#eventCount;
  }
  get textBytes(): Bytes {
    return this.#textBytes;
  }
  get usage(): Usage | undefined {
    return this.#usage;
  }
  /** Converse names neither. */
  get id(): undefined {
    return undefined;
  }
  get model(): undefined {
    return undefined;
  }

  #read(frame: EventStreamFrame): void {
    if (this.#fault === undefined) this.#eventsBeforeFault = this.#eventCount;
    this.#eventCount++;
    const { kind, name } = this.#headOf(frame);
    switch (kind) {
      case "event":
        return this.#learn(name, frame);
      case "exception":
      case "error":
        this.#learnException(name, payloadOf(frame));
        return;
      case "broken":
        this.#fault ??= unreadable("headers");
    }
  }

  #learnException(name: string, payload: Foreign | undefined): void {
    this.#fault ??= faultOfException(name, payload);
    this.#faultEvent ??= { ...payload, __type: name };
  }

  #learn(name: string, frame: EventStreamFrame): void {
    switch (name) {
      case "contentBlockDelta":
        return this.#learnDelta(frame);
      case "messageStop":
        this.#isStopped = true;
        return;
      case "metadata":
        // Relays send metrics alone after the usage: the last usage counts.
        this.#usage = usageOf(payloadOf(frame)?.["usage"]) ?? this.#usage;
        return;
      case CHUNK_EVENT:
        return this.#learnInvoked(payloadOf(frame));
    }
  }

  #learnDelta(frame: EventStreamFrame): void {
    const data = dataOf(frame);
    const plainBytes = this.#template.textBytes(data);
    if (plainBytes >= 0) {
      this.#textBytes += plainBytes;
      return;
    }
    const event = payloadOf(frame);
    if (event === undefined) return;
    this.#textBytes += deltaBytes(event);
    this.#template.learn(data);
  }

  #learnInvoked(payload: Foreign | undefined): void {
    const event = payload && invokedEvent(payload);
    if (event === undefined) return;
    this.#textBytes += invokedBytes(event);
    this.#usage = invokedUsage(event) ?? this.#usage;
    if (isInvokedEnd(event)) this.#isStopped = true;
  }

  #headOf(frame: EventStreamFrame): MessageHead {
    const { bytes, start, payload } = frame;
    const known = this.#headers;
    const isKnown =
      payload - start === known.length &&
      compare.call(bytes, known, 0, known.length, start, payload) === 0;
    if (isKnown && known.length > 0) return this.#head;
    this.#headers = bytes.slice(start, payload);
    this.#head = headOf(frame);
    return this.#head;
  }
}

function unreadable(what: string): Fault {
  return { kind: "protocol", what: `event_stream_${what}` };
}

function payloadOf({ bytes, payload, end }: EventStreamFrame): Foreign | undefined {
  return foreignObject(parseForeign(bytes.subarray(payload, end)));
}

/** The payload as the template wants it. */
function dataOf({ bytes, payload, end }: EventStreamFrame): SseFrame {
  const data = { bytes, start: payload, end, event: "", id: undefined };
  return { ...data, oversize: false, terminated: true };
}
