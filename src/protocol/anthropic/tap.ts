import type { Fault } from "../../core/fault.ts";
import type { Bytes, Chunk } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import { type Foreign, foreignObject, foreignText, parseForeign } from "../../wire/foreign.ts";
import type { SseFrame } from "../../wire/sse-block.ts";
import { SseScanner } from "../../wire/sse.ts";
import { templateNames, TextTemplate } from "../../wire/text-template.ts";
import type { StreamTap } from "../dialect.ts";
import { faultOfEvent, faultOfNamedEvent } from "./fault.ts";
import { textBytesOf, TEXT_NAMES } from "./text.ts";
import { type Counts, readCounts, usageOfCounts } from "./usage.ts";

/** A stream that has not said who it is by then will not. */
const IDENTITY_EVENTS_MAX = 32;
/** Behind them an answer may still fail without a word of it having been said. */
const PROLOGUE: ReadonlySet<string> = new Set(["message_start", "ping"]);
const NAMES = templateNames({ texts: TEXT_NAMES, telling: ["usage", "error", "message"] });

/** Reads a stream of messages from the side. This wire has one end only: `message_stop`. */
export function streamTap(): StreamTap {
  return new AnthropicTap();
}

class AnthropicTap implements StreamTap {
  readonly #scanner = new SseScanner({ onFrame: (frame) => this.#read(frame) });
  readonly #template = new TextTemplate(NAMES);
  #hasStarted = false;
  #isStopped = false;
  #fault: Fault | undefined;
  #faultEvent: unknown;
  #eventCount = 0;
  #eventsBeforeFault = 0;
  #prologueCount = 0;
  #textBytes: Bytes = 0;
  #counts: Counts | undefined;
  #id: string | undefined;
  #model: string | undefined;

  feed(chunk: Chunk): void {
    this.#scanner.feed(chunk);
  }
  end(): void {
    this.#scanner.end();
  }

  get complete(): boolean {
    return this.#isStopped;
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
  get prologueCount(): number {
    return this.#prologueCount;
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
    return usageOfCounts(this.#counts);
  }
  get id(): string | undefined {
    return this.#id;
  }
  get model(): string | undefined {
    return this.#model;
  }

  #read(frame: SseFrame): void {
    if (this.#fault === undefined) this.#eventsBeforeFault = this.#eventCount;
    if (frame.terminated) this.#count(frame.event);
    if (frame.oversize || this.#isStopped) return; // No client reads on behind the end.
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

  #count(event: string): void {
    if (this.#prologueCount === this.#eventCount && PROLOGUE.has(event)) this.#prologueCount++;
    this.#eventCount++;
  }

  #isAnonymous(): boolean {
    const isKnown = this.#id !== undefined && this.#model !== undefined;
    return !isKnown && this.#eventCount <= IDENTITY_EVENTS_MAX;
  }

  #learn(event: Foreign): void {
    this.#fault ??= faultOfEvent(event);
    this.#textBytes += textBytesOf(event);
    // Counts are totals, each time: the last one said of each counts, protocols.md 4.3.
    this.#counts = readCounts(event["usage"], this.#counts);
    switch (event["type"]) {
      case "message_start":
        this.#start(foreignObject(event["message"]));
        break;
      case "message_stop":
        this.#isStopped = true;
        break;
    }
  }

  #start(message: Foreign | undefined): void {
    // A relay that started over in the middle: no client can put the two together.
    if (this.#hasStarted) this.#fault ??= { kind: "protocol", what: "message_start twice" };
    this.#hasStarted = true;
    this.#id ??= foreignText(message?.["id"]);
    this.#model ??= foreignText(message?.["model"]);
    this.#counts = readCounts(message?.["usage"], this.#counts);
  }
}
