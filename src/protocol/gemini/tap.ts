import type { Fault } from "../../core/fault.ts";
import type { Bytes, Chunk } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import { type Foreign, foreignObject, foreignText, parseForeign } from "../../wire/foreign.ts";
import { templateNames, TextTemplate } from "../../wire/text-template.ts";
import type { StreamTap } from "../dialect.ts";
import { CandidateEnds } from "./candidate-ends.ts";
import { faultOfEvent } from "./fault.ts";
import { type GeminiFrame, GeminiFrames } from "./frames.ts";
import { textBytesOf, TEXT_NAMES } from "./text.ts";
import { usageOf } from "./usage.ts";

/** Each chunk tells the usage so far, and little else that the one before did not. */
const NAMES = templateNames({
  texts: TEXT_NAMES,
  telling: "all",
  counters: ["candidatesTokenCount", "totalTokenCount", "thoughtsTokenCount"],
});

/** Most recorded streams have fewer events: for those it would not pay. */
const LEARN_AFTER = 3;

/** Reads a stream of chunks from the side. Nothing but a finish reason ends one, at any host. */
export function streamTap(): StreamTap {
  return new GeminiTap();
}

class GeminiTap implements StreamTap {
  readonly #frames = new GeminiFrames((frame) => this.#read(frame));
  readonly #ends = new CandidateEnds();
  readonly #template = new TextTemplate(NAMES);
  /** The chunk that was like the others last tells the usage. */
  #isCounting = false;
  #fault: Fault | undefined;
  #faultEvent: unknown;
  #eventCount = 0;
  #eventsBeforeFault = 0;
  #textBytes: Bytes = 0;
  #usage: Usage | undefined;
  #id: string | undefined;
  #model: string | undefined;

  feed(chunk: Chunk): void {
    this.#frames.feed(chunk);
  }
  end(): void {
    this.#frames.end();
  }

  get complete(): boolean {
    return this.#ends.isComplete && this.#frames.isWhole && this.#fault === undefined;
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
    return this.#frames.atBoundary;
  }
  get eventCount(): number {
    return this.#eventCount;
  }
  get textBytes(): Bytes {
    return this.#textBytes;
  }
  get usage(): Usage | undefined {
    this.#count();
    return this.#usage;
  }
  get id(): string | undefined {
    return this.#id;
  }
  get model(): string | undefined {
    return this.#model;
  }

  #read(frame: GeminiFrame): void {
    if (this.#fault === undefined) this.#eventsBeforeFault = this.#eventCount;
    if (frame.terminated) this.#eventCount++;
    if (frame.oversize) return;
    const plainBytes = this.#template.textBytes(frame);
    if (plainBytes >= 0) {
      this.#textBytes += plainBytes;
      this.#isCounting = true;
      return;
    }
    const chunk = foreignObject(parseForeign(frame.bytes.subarray(frame.start, frame.end)));
    if (chunk !== undefined) this.#learn(chunk, frame);
  }

  #learn(chunk: Foreign, frame: GeminiFrame): void {
    this.#count();
    this.#id ??= foreignText(chunk["responseId"]);
    this.#model ??= foreignText(chunk["modelVersion"]);
    this.#usage = usageOf(chunk) ?? this.#usage;
    this.#fault ??= faultOfEvent(chunk);
    if (this.#fault !== undefined) this.#faultEvent ??= chunk;
    const textBytes = textBytesOf(chunk);
    this.#textBytes += textBytes;
    // A candidate that has finished begins anew with a chunk like those before.
    if (this.#ends.learn(chunk)) this.#template.forget();
    else if (this.#eventCount >= LEARN_AFTER) this.#template.learn(frame, textBytes);
  }

  /** Counts of the template's events are all sane or none is, so the last one's do for them. */
  #count(): void {
    if (!this.#isCounting) return;
    this.#isCounting = false;
    const chunk = foreignObject(parseForeign(this.#template.lastEvent()));
    this.#usage = usageOf(chunk) ?? this.#usage;
  }
}
