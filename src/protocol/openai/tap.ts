import type { Fault } from "../../core/fault.ts";
import type { Bytes, Chunk } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import {
  type Foreign,
  foreignList,
  foreignObject,
  foreignText,
  parseForeign,
} from "../../wire/foreign.ts";
import { frameText, type SseFrame } from "../../wire/sse-block.ts";
import { SseScanner } from "../../wire/sse.ts";
import { templateNames, TextTemplate } from "../../wire/text-template.ts";
import type { StreamTap, TapOptions } from "../dialect.ts";
import { faultOfEvent, faultOfNamedEvent } from "./fault.ts";
import { textBytesOf, TEXT_NAMES } from "./text.ts";
import { usageOfEvent } from "./usage.ts";

/** OpenAI allows 128 choices; a host that numbers them higher is not followed there. */
const CHOICES_MAX = 128;
/** A stream that has not said who it is by then will not. */
const IDENTITY_EVENTS_MAX = 32;
const DONE_NAMES = templateNames({ texts: TEXT_NAMES, telling: ["usage", "error"] });
const FINISH_NAMES = templateNames({
  texts: TEXT_NAMES,
  telling: ["usage", "error", "finish_reason", "index"],
});
const DONE = "[DONE]";
/** Only a stream that a finish reason completes counts its choices. */
const NO_CHOICES = new Set<number>();
const DONE_BYTES_MAX = 64;
const BRACKET = 0x5b;
const SPACE = 0x20;

/** Reads a stream of chat or legacy completions from the side. */
export function streamTap(options: TapOptions): StreamTap {
  return new OpenAiTap(options);
}

class OpenAiTap implements StreamTap {
  readonly #scanner: SseScanner;
  readonly #finishCompletes: boolean;
  readonly #template: TextTemplate;
  #isDone = false;
  #isFinished = false;
  #fault: Fault | undefined;
  #faultEvent: unknown;
  #eventCount = 0;
  #eventsBeforeFault = 0;
  #textBytes: Bytes = 0;
  #usage: Usage | undefined;
  #id: string | undefined;
  #model: string | undefined;
  /** Choices that have begun and not finished. */
  readonly #open: Set<number>;
  readonly #closed: Set<number>;

  constructor({ terminal }: TapOptions) {
    this.#finishCompletes = terminal === "finish";
    this.#open = this.#finishCompletes ? new Set() : NO_CHOICES;
    this.#closed = this.#finishCompletes ? new Set() : NO_CHOICES;
    this.#template = new TextTemplate(this.#finishCompletes ? FINISH_NAMES : DONE_NAMES);
    this.#scanner = new SseScanner({ onFrame: (frame) => this.#read(frame) });
  }

  feed(chunk: Chunk): void {
    this.#scanner.feed(chunk);
  }
  end(): void {
    this.#scanner.end();
  }

  get complete(): boolean {
    return this.#isDone || this.#isFinished;
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
  get model(): string | undefined {
    return this.#model;
  }

  #read(frame: SseFrame): void {
    if (this.#fault === undefined) this.#eventsBeforeFault = this.#eventCount;
    if (frame.terminated) this.#eventCount++;
    if (frame.oversize || this.#isDone) return; // No client reads on behind the end marker.
    if (isDoneMark(frame)) {
      this.#isDone = true;
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
    const isKnown = this.#id !== undefined && this.#model !== undefined;
    return !isKnown && this.#eventCount <= IDENTITY_EVENTS_MAX;
  }

  #learn(event: Foreign): void {
    this.#id ??= foreignText(event["id"]);
    this.#model ??= foreignText(event["model"]);
    this.#usage = usageOfEvent(event) ?? this.#usage;
    this.#fault ??= faultOfEvent(event);
    this.#textBytes += textBytesOf(event);
    if (this.#finishCompletes && !this.#isFinished) this.#learnChoices(event);
  }

  /** With several choices a stream is finished when each that has begun is. */
  #learnChoices(event: Foreign): void {
    for (const value of foreignList(event["choices"])) {
      const choice = foreignObject(value);
      if (choice === undefined) continue;
      const index = choiceIndex(choice);
      const reason = foreignText(choice["finish_reason"]);
      if (reason !== undefined && reason !== "error") {
        this.#open.delete(index);
        this.#closed.add(index);
      } else if (!this.#closed.has(index)) {
        this.#open.add(index);
      }
    }
    this.#isFinished = this.#closed.size > 0 && this.#open.size === 0;
  }
}

function choiceIndex(choice: Foreign): number {
  const index = choice["index"];
  const isIndex = typeof index === "number" && Number.isInteger(index);
  return isIndex && index >= 0 && index < CHOICES_MAX ? index : 0;
}

function isDoneMark(frame: SseFrame): boolean {
  const { bytes, start, end } = frame;
  const first = bytes[start];
  if ((first !== BRACKET && first !== SPACE) || end - start > DONE_BYTES_MAX) return false;
  return frameText(frame).trim() === DONE;
}
