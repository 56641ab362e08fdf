import type { Chunk } from "../../core/units.ts";
import type { AnswerContext, StreamWriter } from "../codec.ts";
import type { BrokenStream } from "../dialect.ts";
import type { IrAnswer, IrUsage } from "../ir/answer.ts";
import type { IrEvent } from "../ir/event.ts";
import { compact, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { lastChunk } from "./broken.ts";
import { candidateIndex } from "./candidate-ends.ts";
import { ChunkFraming } from "./chunk-framing.ts";
import { CHUNK } from "./read-stream.ts";
import { errorObject } from "./rejection.ts";
import { responseIdOf, writeBlocked } from "./write-answer.ts";
import { CandidateWriter } from "./write-candidate.ts";
import { writeIrUsage } from "./usage.ts";

const NOTHING: Chunk = new Uint8Array(0);

/** Writes a stream of chunks in the framing its caller asked for. */
export function streamWriter(context: AnswerContext): StreamWriter {
  return new GeminiStreamWriter(context);
}

/**
 * A part goes out as soon as it is whole, a chunk for each; why it ended and what it cost stand in
 * the last one. A stream that was read as Gemini's is cut as it was: its events tell the chunks.
 */
class GeminiStreamWriter implements StreamWriter {
  readonly #context: AnswerContext;
  readonly #framing: ChunkFraming;
  readonly #candidates = new Map<number, CandidateWriter>();
  #model: string | undefined;
  #usage: IrUsage | undefined;
  #blocked: IrAnswer["blocked"];
  /** What stood round the parts of a chunk of Gemini's own, while its events come. */
  #round: JsonObject | undefined;
  #isOwn = false;
  #isOver = false;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#framing = new ChunkFraming(context.framing);
    this.#model = context.asked.model;
  }

  write(event: IrEvent): Chunk {
    if (this.#isOver) return NOTHING;
    switch (event.t) {
      case "start":
        this.#model = event.model ?? this.#model;
        this.#usage = event.usage;
        return NOTHING;
      case "block_start":
      case "delta":
      case "block_stop":
        this.#candidateOf(event.c).write(event);
        return this.#partsOf(event.c);
      case "stop":
        this.#candidateOf(event.c).stop = event.stop;
        return NOTHING;
      case "usage":
        this.#usage = event.usage;
        return NOTHING;
      case "meta":
        return this.#note(event);
      case "raw":
        return event.from === "gemini" ? this.#framing.value(event.data) : NOTHING;
      case "error": {
        const error = errorObject(event.error, this.#context.requestId);
        return this.#last({ error });
      }
      case "end":
        return this.end();
      case "ping":
        return NOTHING;
    }
  }

  end(): Chunk {
    if (this.#isOver) return NOTHING;
    this.#isOver = true;
    const last = this.#isOwn ? this.#ownChunk() : this.#finalChunk();
    return last === undefined ? this.#framing.end() : this.#framing.last(last);
  }

  fail(broken: BrokenStream): Chunk {
    return this.#isOver ? NOTHING : this.#last(lastChunk({ ...broken, ...this.#identity() }));
  }

  #last(chunk: JsonObject): Chunk {
    this.#isOver = true;
    return this.#framing.last(chunk);
  }

  #identity(): Pick<BrokenStream, "id" | "model"> {
    return { id: responseIdOf(this.#context.requestId), model: this.#model };
  }

  #candidateOf(c: number): CandidateWriter {
    let candidate = this.#candidates.get(c);
    if (candidate === undefined) {
      const { report, asked } = this.#context;
      candidate = new CandidateWriter({ c, report, asked, own: this.#isOwn });
      this.#candidates.set(c, candidate);
    }
    return candidate;
  }

  /** Those of Gemini's own wait for the end of their chunk. */
  #partsOf(index: number): Chunk {
    const parts = this.#isOwn ? [] : this.#candidateOf(index).takeParts();
    if (parts.length === 0) return NOTHING;
    const candidate = { content: { parts, role: "model" }, index };
    return this.#framing.value(this.#chunkOf([candidate], undefined));
  }

  #chunkOf(candidates: readonly JsonObject[], usage: JsonObject | undefined): JsonObject {
    const { id, model } = this.#identity();
    return compact({
      candidates: candidates.length === 0 ? undefined : candidates,
      promptFeedback: this.#blocked && compact(writeBlocked(this.#blocked, false)),
      usageMetadata: usage,
      modelVersion: model,
      responseId: id,
    });
  }

  #finalChunk(): JsonObject {
    const candidates = [...this.#candidates.values()].map((candidate) => candidate.final());
    return this.#chunkOf(
      candidates,
      this.#usage && writeIrUsage(this.#usage, this.#context.report),
    );
  }

  #note({ patch, ext }: Extract<IrEvent, { t: "meta" }>): Chunk {
    this.#blocked = patch.blocked ?? this.#blocked;
    const round = ext?.gemini?.[CHUNK];
    if (!isObject(round)) return NOTHING;
    const before = this.#isOwn ? this.#ownChunk() : undefined;
    this.#isOwn = true;
    this.#round = round;
    this.#usage = undefined;
    return before === undefined ? NOTHING : this.#framing.value(before);
  }

  /** The chunk whose events came last, put together again. */
  #ownChunk(): JsonObject | undefined {
    const round = this.#round;
    if (round === undefined) return undefined;
    const frames = round["candidates"];
    const candidates = Array.isArray(frames)
      ? frames.map((frame: JsonObject, place) => this.#ownCandidate(frame, place))
      : undefined;
    return compact({ candidates, usageMetadata: this.#usage?.raw.gemini }, round);
  }

  #ownCandidate(frame: JsonObject, place: number): JsonObject {
    const { content } = frame;
    const c = candidateIndex(frame, place);
    const parts = this.#candidates.get(c)?.takeParts() ?? [];
    if (!isObject(content)) return frame;
    const whole = compact({ parts: parts.length === 0 ? undefined : parts }, content);
    return compact({ content: whole }, frame);
  }
}
