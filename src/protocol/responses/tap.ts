import type { Fault } from "../../core/fault.ts";
import type { Bytes, Chunk } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import { type Foreign, foreignObject, foreignText, parseForeign } from "../../wire/foreign.ts";
import type { SseFrame } from "../../wire/sse-block.ts";
import { SseScanner } from "../../wire/sse.ts";
import { templateNames, TextTemplate } from "../../wire/text-template.ts";
import type { StreamTap } from "../dialect.ts";
import { usageAtEnd } from "./ending.ts";
import { faultOfEvent } from "./fault.ts";
import { TEXT_NAMES, textBytesOf } from "./text.ts";
import { usageOfEvent } from "./usage.ts";

/** The terminal event repeats the whole response, with its pictures and the caller's tools. */
export const EVENT_BYTES_MAX: Bytes = 32 * 1024 * 1024;
const NAMES = templateNames({
  texts: TEXT_NAMES,
  telling: ["response", "error"],
  counters: ["sequence_number"],
});
/** Events that end a stream: the first two well, the third badly. */
const ENDS: ReadonlySet<string> = new Set([
  "response.completed",
  "response.incomplete",
  "response.failed",
]);
/** Repetitions of what the deltas said: nothing in them is news, and they can be large. */
const REPETITION = /^response\.[a-z_.]+\.(done|added|partial_image)$/;
/** The response once more as it was created: news only to who does not know it yet. */
const PROGRESS: ReadonlySet<string> = new Set(["response.queued", "response.in_progress"]);

/** Behind them an answer may still fail without a word of it having been said. */
const PROLOGUE: ReadonlySet<string> = new Set([
  "response.created",
  "response.queued",
  "response.in_progress",
]);

/** Reads a stream of a response from the side. Only its terminal event completes it. */
export function streamTap(): StreamTap {
  return new ResponsesTap();
}

class ResponsesTap implements StreamTap {
  readonly #scanner = new SseScanner({
    onFrame: (frame) => this.#read(frame),
    eventBytesMax: EVENT_BYTES_MAX,
  });
  readonly #template = new TextTemplate(NAMES);
  #isEnded = false;
  #fault: Fault | undefined;
  #faultEvent: unknown;
  #eventCount = 0;
  #eventsBeforeFault = 0;
  #prologueCount = 0;
  #textBytes: Bytes = 0;
  #usage: Usage | undefined;
  #id: string | undefined;
  #model: string | undefined;

  feed(chunk: Chunk): void {
    this.#scanner.feed(chunk);
  }
  end(): void {
    this.#scanner.end();
  }

  get complete(): boolean {
    return this.#isEnded;
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
    if (frame.terminated) this.#count(frame.event);
    // No client reads on behind the terminal event; OpenRouter's [DONE] stands there.
    if (frame.oversize || this.#isEnded) return;
    const isError = frame.event === "error";
    const plainBytes = isError ? -1 : this.#template.textBytes(frame);
    if (plainBytes >= 0) this.#textBytes += plainBytes;
    else if (!this.#isNoNews(frame.event)) this.#parse(frame, isError);
  }

  #count(event: string): void {
    if (this.#prologueCount === this.#eventCount && PROLOGUE.has(event)) this.#prologueCount++;
    this.#eventCount++;
  }

  #isNoNews(event: string): boolean {
    return REPETITION.test(event) || (PROGRESS.has(event) && this.#isKnown());
  }

  #isKnown(): boolean {
    return this.#id !== undefined && this.#model !== undefined;
  }

  #parse(frame: SseFrame, isError: boolean): void {
    const data = frame.bytes.subarray(frame.start, frame.end);
    const usage = isError || !this.#isKnown() ? undefined : usageAtEnd(data);
    if (usage !== undefined) {
      this.#usage = usage;
      this.#isEnded = true;
      return;
    }
    const event = foreignObject(parseForeign(data));
    if (event !== undefined) {
      this.#learn(event, foreignText(event["type"]) ?? frame.event);
      this.#template.learn(frame);
    }
    if (isError && (event !== undefined || frame.terminated)) this.#fault ??= faultOfEvent(event);
    if (this.#fault !== undefined) this.#faultEvent ??= event;
  }

  #learn(event: Foreign, type: string): void {
    const response = foreignObject(event["response"]);
    this.#id ??= foreignText(response?.["id"]);
    this.#model ??= foreignText(response?.["model"]);
    this.#usage = usageOfEvent(event) ?? this.#usage;
    this.#textBytes += textBytesOf(event);
    this.#isEnded ||= ENDS.has(type);
    if (isFault(event, type)) this.#fault ??= faultOfEvent(event);
  }
}

/** OpenRouter and some relays put an error object into an event without a type. */
function isFault(event: Foreign, type: string): boolean {
  if (type === "error" || type === "response.failed") return true;
  return Boolean(event["error"]) && !type.startsWith("response.");
}
