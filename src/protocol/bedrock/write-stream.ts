import type { Chunk } from "../../core/units.ts";
import type { AnswerContext, StreamWriter } from "../codec.ts";
import type { BrokenStream } from "../dialect.ts";
import type { IrUsage, Stop } from "../ir/answer.ts";
import type { IrEvent } from "../ir/event.ts";
import { compact, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { writeStreamError, writeStreamFault } from "./broken.ts";
import { eventFrame } from "./frames.ts";
import { askedSequence, writeStop } from "./stop.ts";
import { StreamBlocks } from "./stream-blocks.ts";
import { writeIrUsage } from "./usage.ts";
import { UNTIMED } from "./write-answer.ts";
import { tierOf } from "./write-request.ts";

/** Writes a stream of Converse. */
export function streamWriter(context: AnswerContext): StreamWriter {
  return new BedrockStreamWriter(context);
}

/** What ends a stream, and what of its event nobody took. */
interface Last<T> {
  readonly said: T;
  readonly left: JsonObject | undefined;
}

/**
 * Stop and usage wait for the source's own end, for some sources say their usage after the stop,
 * and a stop that was written would make a stream that breaks after it look whole.
 */
class BedrockStreamWriter implements StreamWriter {
  readonly #context: AnswerContext;
  readonly #blocks: StreamBlocks;
  #frames: Chunk[] = [];
  #isStarted = false;
  /** Read from this wire, so it is spelled as it was. */
  #isOwn = false;
  #isOver = false;
  #stop: Last<Stop> | undefined;
  #usage: Last<IrUsage> | undefined;
  #tier: string | undefined;
  #isBlocked = false;
  #saidMore = false;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#blocks = new StreamBlocks(context.report, (name, payload) => this.#put(name, payload));
  }

  write(event: IrEvent): Chunk {
    if (!this.#isOver) this.#take(event);
    return this.#taken();
  }

  end(): Chunk {
    if (!this.#isOver) this.#finish();
    return this.#taken();
  }

  fail(broken: BrokenStream): Chunk {
    if (this.#isOver) return this.#taken();
    if (broken.mode === "graceful") this.#blocks.closeAll();
    this.#isOver = true;
    this.#frames.push(writeStreamError({ ...broken, atBoundary: true }));
    return this.#taken();
  }

  #take(event: IrEvent): void {
    switch (event.t) {
      case "start":
        this.#isOwn = event.ext?.bedrock !== undefined;
        if (event.usage !== undefined) this.#usage = { said: event.usage, left: undefined };
        return this.#begin(event.ext?.bedrock);
      case "block_start":
      case "delta":
      case "block_stop":
        this.#begin(undefined);
        if (event.c === 0) this.#blocks.take(event, this.#isOwn);
        else this.#reportMore();
        return;
      case "stop":
        if (event.c === 0) this.#stop = { said: event.stop, left: event.ext?.bedrock };
        return;
      case "usage":
        this.#usage = { said: event.usage, left: event.ext?.bedrock };
        return;
      case "meta":
        this.#tier = event.patch.tier ?? this.#tier;
        this.#isBlocked ||= event.patch.blocked !== undefined;
        return;
      case "raw":
        if (event.from === "bedrock" && isObject(event.data)) {
          this.#put(event.event ?? "", event.data);
        }
        return;
      case "error":
        this.#isOver = true;
        this.#frames.push(writeStreamFault(event.error));
        return;
      case "end":
        return this.#finish();
      case "ping":
        return;
    }
  }

  #begin(left: JsonObject | undefined): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#put("messageStart", compact({ role: left?.["role"] ?? "assistant" }, left));
  }

  #finish(): void {
    this.#begin(undefined);
    this.#blocks.closeAll();
    this.#isOver = true;
    this.#put("messageStop", this.#messageStop());
    if (this.#usage !== undefined || !this.#isOwn) this.#put("metadata", this.#metadata());
  }

  #messageStop(): JsonObject {
    const { report, asked } = this.#context;
    const stop = this.#stop?.said ?? (this.#isBlocked ? BLOCKED : undefined);
    const paths = asked.ext?.bedrock?.["additionalModelResponseFieldPaths"];
    const stopReason = writeStop(stop, { origin: this.#isOwn ? "bedrock" : undefined, report });
    const members = { stopReason, additionalModelResponseFields: askedSequence(stop, paths) };
    return compact(members, this.#stop?.left);
  }

  #metadata(): JsonObject {
    const { report } = this.#context;
    const left = this.#usage?.left;
    return compact(
      {
        usage: writeIrUsage(this.#usage?.said, report),
        metrics: left === undefined ? UNTIMED : undefined,
        serviceTier: left === undefined ? tierOf(this.#tier, undefined) : undefined,
      },
      left,
    );
  }

  #reportMore(): void {
    if (this.#saidMore) return;
    this.#saidMore = true;
    this.#context.report({ code: "L-N", path: "candidates[1]", action: "dropped" });
  }

  #put(name: string, payload: JsonObject): void {
    this.#frames.push(eventFrame(name, payload));
  }

  #taken(): Chunk {
    const frames = this.#frames;
    this.#frames = [];
    return frames.length === 1 ? frames[0]! : new Uint8Array(Buffer.concat(frames));
  }
}

const BLOCKED = { kind: "content_filter" } as const;
