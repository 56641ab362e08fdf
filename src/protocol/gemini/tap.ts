import type { Fault } from "../../core/fault.ts";
import type { Bytes, Chunk } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import { foreignObject, foreignText, parseForeign } from "../../wire/foreign.ts";
import type { StreamTap } from "../dialect.ts";
import { CandidateEnds } from "./candidate-ends.ts";
import { faultOfEvent } from "./fault.ts";
import { type GeminiFrame, GeminiFrames } from "./frames.ts";
import { textBytesOf } from "./text.ts";
import { usageOf } from "./usage.ts";

/** Reads a stream of chunks from the side. Nothing but a finish reason ends one, at any host. */
export function streamTap(): StreamTap {
  return new GeminiTap();
}

class GeminiTap implements StreamTap {
  readonly #frames = new GeminiFrames((frame) => this.#read(frame));
  readonly #ends = new CandidateEnds();
  #fault: Fault | undefined;
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
    const chunk = foreignObject(parseForeign(frame.bytes.subarray(frame.start, frame.end)));
    if (chunk === undefined) return;
    this.#id ??= foreignText(chunk["responseId"]);
    this.#model ??= foreignText(chunk["modelVersion"]);
    this.#usage = usageOf(chunk) ?? this.#usage;
    this.#fault ??= faultOfEvent(chunk);
    this.#textBytes += textBytesOf(chunk);
    this.#ends.learn(chunk);
  }
}
