import type { Bytes, Chunk } from "../../core/units.ts";
import { JsonArrayScanner } from "../../wire/json-array.ts";
import { SseScanner } from "../../wire/sse.ts";

/** One chunk of an answer as bytes: read it before the callback returns, or copy it. */
export interface GeminiFrame {
  readonly bytes: Uint8Array;
  readonly start: Bytes;
  readonly end: Bytes;
  /** Larger than the cap: nothing of it was kept. */
  readonly oversize: boolean;
  /** False for a last event whose blank line never came. */
  readonly terminated: boolean;
}

/** A generated picture comes whole, in base64. */
const FRAME_BYTES_MAX: Bytes = 32 << 20;
const BYTE_ORDER_MARK = new Set([0xef, 0xbb, 0xbf]);
const BRACE = 0x7b;
const BRACKET = 0x5b;
const OBJECT_LINE = Buffer.from("\n{");
const LIST_LINE = Buffer.from("\n[");
const search = Buffer.prototype.indexOf;

/**
 * Finds the chunks of an answer in either of the wire's framings, told apart by the first byte:
 * events, or without `alt=sse` one JSON array. An error may follow good events as bare JSON, in no
 * frame at all: protocols.md finding 9.
 */
export class GeminiFrames {
  readonly #onFrame: (frame: GeminiFrame) => void;
  readonly #sse: SseScanner;
  #json: JsonArrayScanner | undefined;
  #isBegun = false;

  constructor(onFrame: (frame: GeminiFrame) => void) {
    this.#onFrame = onFrame;
    this.#sse = new SseScanner({ onFrame, eventBytesMax: FRAME_BYTES_MAX });
  }

  /** Between two events. Inside an array no bytes of ours may stand. */
  get atBoundary(): boolean {
    return this.#json === undefined && this.#sse.atBoundary;
  }
  /** Nothing is owed to the framing itself: an array is closed by its bracket. */
  get isWhole(): boolean {
    return this.#json === undefined || this.#json.isClosed;
  }

  feed(chunk: Chunk): void {
    if (this.#json !== undefined) {
      this.#json.feed(chunk);
    } else if (this.#isBegun) {
      this.#feedEvents(chunk);
    } else {
      this.#begin(chunk);
    }
  }

  end(): void {
    if (this.#json === undefined) this.#sse.end();
    else this.#json.end();
  }

  #begin(chunk: Chunk): void {
    const first = chunk.find((byte) => byte > 0x20 && !BYTE_ORDER_MARK.has(byte));
    this.#isBegun = first !== undefined;
    if (opensJson(first)) this.#feedJson(chunk);
    else this.#feedEvents(chunk);
  }

  #feedEvents(chunk: Chunk): void {
    if (this.#sse.atBoundary && opensJson(chunk[0])) {
      this.#feedJson(chunk);
      return;
    }
    let from = 0;
    let object = lineEndBefore(OBJECT_LINE, chunk, 0);
    let list = lineEndBefore(LIST_LINE, chunk, 0);
    while (object < chunk.length || list < chunk.length) {
      const lineEnd = Math.min(object, list) + 1;
      this.#sse.feed(chunk.subarray(from, lineEnd));
      from = lineEnd;
      if (this.#sse.atBoundary) {
        this.#feedJson(chunk.subarray(from));
        return;
      }
      if (object < from) object = lineEndBefore(OBJECT_LINE, chunk, from);
      if (list < from) list = lineEndBefore(LIST_LINE, chunk, from);
    }
    this.#sse.feed(from === 0 ? chunk : chunk.subarray(from));
  }

  #feedJson(chunk: Chunk): void {
    this.#json ??= new JsonArrayScanner({
      onElement: ({ bytes, start, end, oversize }) =>
        this.#onFrame({ bytes, start, end, oversize, terminated: true }),
      elementBytesMax: FRAME_BYTES_MAX,
    });
    this.#json.feed(chunk);
  }
}

/** Where the line before the next one that begins as JSON ends; the chunk's end without one. */
function lineEndBefore(line: Uint8Array, chunk: Chunk, from: Bytes): Bytes {
  const at = search.call(chunk, line, from);
  return at < 0 ? chunk.length : at;
}

function opensJson(byte: number | undefined): boolean {
  return byte === BRACE || byte === BRACKET;
}
