import type { Fault } from "../../core/fault.ts";
import type { Bytes, Chunk } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import { type Foreign, foreignObject, foreignText, parseForeign } from "../../wire/foreign.ts";
import { frameText, type SseFrame } from "../../wire/sse-block.ts";
import { SseScanner } from "../../wire/sse.ts";
import { templateNames, TextTemplate } from "../../wire/text-template.ts";
import type { StreamTap } from "../dialect.ts";
import { faultOfEvent, faultOfNamedEvent } from "./fault.ts";
import { textBytesOf, TEXT_NAMES } from "./text.ts";
import { usageOf } from "./usage.ts";

/** A stream that has not said who it is by then will not. */
const IDENTITY_EVENTS_MAX = 4;
const NAMES = templateNames({ texts: TEXT_NAMES, telling: ["finish_reason", "usage", "error"] });
const END = "message-end";
const DONE = "[DONE]";
const DONE_BYTES_MAX = 64;
const BRACKET = 0x5b;
const SPACE = 0x20;

/** Reads a chat's stream from the side. */
export function streamTap(): StreamTap {
  return new CohereTap();
}

class CohereTap implements StreamTap {
  readonly #scanner: SseScanner;
  readonly #template = new TextTemplate(NAMES);
  #isComplete = false;
  #isDone = false;
  #fault: Fault | undefined;
  #faultEvent: unknown;
  #eventCount = 0;
  #eventsBeforeFault = 0;
  #textBytes: Bytes = 0;
  #usage: Usage | undefined;
  #id: string | undefined;

  constructor() {
    this.#scanner = new SseScanner({ onFrame: (frame) => this.#read(frame) });
  }

  feed(chunk: Chunk): void {
    this.#scanner.feed(chunk);
  }
  end(): void {
    this.#scanner.end();
  }

  get complete(): boolean {
    return this.#isComplete;
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
  get id(): string | undefined {
    return this.#id;
  }
  /** This wire never names its model. */
  get model(): undefined {
    return undefined;
  }

  #read(frame: SseFrame): void {
    if (this.#fault === undefined) this.#eventsBeforeFault = this.#eventCount;
    if (frame.terminated) this.#eventCount++;
    if (frame.oversize || this.#isDone) return; // No client reads on behind the end marker.
    if (isDoneMark(frame)) {
      this.#isDone = true;
      this.#isComplete = true;
      return;
    }
    const isError = frame.event === "error";
    const plainBytes = isError || this.#isAnonymous() ? -1 : this.#template.textBytes(frame);
    if (plainBytes >= 0) {
      this.#textBytes += plainBytes;
      return;
    }
    const event = foreignObject(parseForeign(frame.bytes.subarray(frame.start, frame.end)));
    if (event !== undefined) {
      this.#learn(event);
      this.#template.learn(frame);
    }
    if (isError && (event !== undefined || frame.terminated)) {
      this.#fault ??= faultOfNamedEvent(event);
    }
    if (this.#fault !== undefined) this.#faultEvent ??= event;
  }

  #isAnonymous(): boolean {
    return this.#id === undefined && this.#eventCount <= IDENTITY_EVENTS_MAX;
  }

  #learn(event: Foreign): void {
    this.#id ??= foreignText(event["id"]);
    this.#textBytes += textBytesOf(event);
    this.#fault ??= faultOfEvent(event);
    if (event["type"] !== END) return;
    const delta = foreignObject(event["delta"]);
    this.#usage = usageOf(delta?.["usage"]) ?? this.#usage;
    const isFinished = foreignText(delta?.["finish_reason"]) !== undefined;
    if (isFinished && this.#fault === undefined) this.#isComplete = true;
  }
}

function isDoneMark(frame: SseFrame): boolean {
  const { bytes, start, end } = frame;
  const first = bytes[start];
  if ((first !== BRACKET && first !== SPACE) || end - start > DONE_BYTES_MAX) return false;
  return frameText(frame).trim() === DONE;
}
