import type { Chunk } from "../../core/units.ts";
import { parseJson } from "../../wire/exact-json.ts";
import type { Foreign } from "../../wire/foreign.ts";
import { scanJson } from "../../wire/json-scan.ts";
import type { StreamReader } from "../codec.ts";
import type { IrEvent } from "../ir/event.ts";
import { compact, Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { CandidateEnds, candidateIndex } from "./candidate-ends.ts";
import { type GeminiFrame, GeminiFrames } from "./frames.ts";
import { readFeedback, readTime } from "./read-answer.ts";
import { CandidateReader, partsIn } from "./read-candidate.ts";
import { errorOfEvent } from "./read-error.ts";
import { readIrUsage } from "./usage.ts";

/**
 * What stood round the parts of a chunk, in `ext` of an event that otherwise says nothing: so its
 * own protocol can cut the stream into the same chunks again.
 */
export const CHUNK = "$chunk";
/** Deeper than any answer. What is printed again must not be deeper than a stack. */
const DEPTH_MAX = 512;

/** Reads a stream of chunks in either framing. */
export function streamReader(): StreamReader {
  return new GeminiStreamReader();
}

class GeminiStreamReader implements StreamReader {
  readonly #frames = new GeminiFrames((frame) => this.#read(frame));
  readonly #ends = new CandidateEnds();
  readonly #candidates = new Map<number, CandidateReader>();
  #events: IrEvent[] = [];
  #isStarted = false;
  #isFailed = false;
  #blockReason: string | undefined;

  feed(chunk: Chunk): readonly IrEvent[] {
    this.#frames.feed(chunk);
    return this.#taken();
  }

  /** Stops wait until here: a chunk may follow the one that seemed to be the last. */
  end(): readonly IrEvent[] {
    this.#frames.end();
    const isWhole = this.#ends.isComplete && this.#frames.isWhole;
    if (!this.#isFailed && isWhole) {
      for (const candidate of this.#candidates.values()) this.#events.push(...candidate.end());
      if (this.#candidates.size === 0 && this.#blockReason !== undefined) {
        const stop = { kind: "content_filter", raw: this.#blockReason } as const;
        this.#events.push({ t: "stop", c: 0, stop });
      }
      this.#events.push({ t: "end" });
    }
    return this.#taken();
  }

  #taken(): readonly IrEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #read(frame: GeminiFrame): void {
    if (this.#isFailed || frame.oversize) return;
    const bytes = frame.bytes.subarray(frame.start, frame.end);
    const isDeep = bytes.length > 2 * DEPTH_MAX && !scanJson(bytes, { depthMax: DEPTH_MAX }).ok;
    const value = isDeep ? undefined : (parseJson(bytes) as Json | undefined);
    if (value === undefined) return;
    if (!isObject(value)) this.#events.push({ t: "raw", from: "gemini", data: value });
    else if (value["error"]) this.#fail(value);
    else this.#readChunk(value);
  }

  #fail(value: JsonObject): void {
    this.#isFailed = true;
    this.#events.push({ t: "error", error: errorOfEvent(value as Foreign) });
  }

  #readChunk(chunk: JsonObject): void {
    this.#ends.learn(chunk as Foreign);
    if (!this.#isStarted) this.#start(chunk);
    const fields = new Fields(chunk);
    const usage = fields.object("usageMetadata");
    const blocked = readFeedback(fields.peek("promptFeedback"))?.blocked;
    this.#blockReason = blocked?.reason ?? this.#blockReason;
    const list = fields.peek("candidates");
    const isRead = isList(list) && list.length > 0 && list.every(isObject);
    if (isRead) fields.skip("candidates");
    const candidates = isRead ? list : [];
    const frames = candidates.map(frameOf);
    const round = compact(
      { candidates: isRead ? frames : undefined },
      fields.ext("gemini")?.gemini,
    );
    const patch = blocked === undefined ? {} : { blocked };
    this.#events.push({ t: "meta", patch, ext: { gemini: { [CHUNK]: round } } });
    for (const [place, candidate] of candidates.entries()) {
      const c = candidateIndex(candidate as Foreign, place);
      this.#events.push(...this.#candidateOf(c).read(candidate));
    }
    if (usage !== undefined) this.#events.push({ t: "usage", usage: readIrUsage(usage) });
  }

  #start(chunk: JsonObject): void {
    this.#isStarted = true;
    const { responseId, modelVersion } = chunk;
    this.#events.push({
      t: "start",
      id: typeof responseId === "string" ? responseId : undefined,
      model: typeof modelVersion === "string" ? modelVersion : undefined,
      createdAt: readTime(chunk["createTime"]),
    });
  }

  #candidateOf(c: number): CandidateReader {
    let candidate = this.#candidates.get(c);
    if (candidate === undefined) this.#candidates.set(c, (candidate = new CandidateReader(c)));
    return candidate;
  }
}

/** A candidate without the parts that become events. */
function frameOf(candidate: JsonObject): JsonObject {
  const content = candidate["content"];
  if (!isObject(content)) return candidate;
  const fields = new Fields(content);
  if (partsIn(candidate).length > 0) fields.skip("parts");
  const rest = fields.ext("gemini")?.gemini ?? compact({});
  return compact({ content: rest }, candidate);
}
