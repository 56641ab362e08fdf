import type { Bytes, Chunk } from "../core/units.ts";
import { frameText, readBlock, type SseFrame } from "./sse-block.ts";

export interface SseOptions {
  readonly onFrame: (frame: SseFrame) => void;
  /** Counts every byte of an event, field names included. */
  readonly eventBytesMax?: Bytes;
}

/** One event, decoded. */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

/** 1 MiB of data, and room for the field names around it. */
const EVENT_BYTES_MAX: Bytes = (1 << 20) + 1024;
const HELD_BYTES_MIN: Bytes = 1024;
/** A buffer that had to grow past this goes with the event that made it grow. */
const HELD_BYTES_KEPT: Bytes = 1 << 16;
const NOTHING = new Uint8Array(0);
const LF = 0x0a;
const CR = 0x0d;

/**
 * Finds the events of a byte stream, however it was cut into chunks: WHATWG HTML §9.2.6.
 *
 * A byte is passed by two native searches and, only where its event spans chunks, copied once.
 */
export class SseScanner {
  readonly #onFrame: (frame: SseFrame) => void;
  readonly #eventBytesMax: Bytes;
  /** What came of the current event in earlier chunks. */
  #held: Chunk = NOTHING;
  #heldBytes: Bytes = 0;
  /** Lines of the current event that have ended. */
  #lineCount = 0;
  #lineIsEmpty = true;
  #hasCr = false;
  #oversize = false;
  /** The last byte was a CR, and a line feed would belong to it. */
  #endedInCr = false;
  #usesCrLf = false;
  #isFirst = true;

  constructor(options: SseOptions) {
    this.#onFrame = options.onFrame;
    this.#eventBytesMax = options.eventBytesMax ?? EVENT_BYTES_MAX;
  }

  /** Between two events: bytes of another origin may stand here. */
  get atBoundary(): boolean {
    const isHalfLineEnd = this.#endedInCr && this.#usesCrLf;
    return this.#lineCount === 0 && this.#lineIsEmpty && !isHalfLineEnd;
  }

  feed(chunk: Chunk): void {
    const { length } = chunk;
    let at = this.#skipLineFeed(chunk);
    // Between events, the line feed of a CRLF belongs to an event that was reported already.
    let from = this.atBoundary ? at : 0;
    // A search stands until it is passed, so that a chunk without CR is searched for it once.
    let lf = -1;
    let cr = -1;
    while (at < length) {
      const first = chunk[at];
      let end = at;
      if (first !== LF && first !== CR) {
        this.#lineIsEmpty = false;
        if (lf < at) lf = found(chunk.indexOf(LF, at), length);
        if (cr < at) cr = found(chunk.indexOf(CR, at), length);
        end = lf < cr ? lf : cr;
        if (end === length) break;
      }
      at = end + 1;
      if (chunk[end] === CR) at = this.#endInCr(chunk, at);
      if (this.#lineIsEmpty) {
        this.#endEvent(chunk, from, end);
        from = at;
      } else {
        this.#lineCount++;
        this.#lineIsEmpty = true;
      }
    }
    if (from < length) this.#hold(chunk, from, length);
  }

  /** Reports what stands behind the last blank line. Call once, when the transport has ended. */
  end(): void {
    if (this.#lineCount === 0 && this.#lineIsEmpty) return;
    const held = this.#held.subarray(0, this.#heldBytes);
    this.#report({ bytes: held, start: 0, end: held.length, terminated: false });
  }

  #skipLineFeed(chunk: Chunk): Bytes {
    if (!this.#endedInCr || chunk.length === 0) return 0;
    this.#endedInCr = false;
    if (chunk[0] !== LF) return 0;
    this.#usesCrLf = true;
    return 1;
  }

  /** A CR stands before `at`; returns where the next line begins. */
  #endInCr(chunk: Chunk, at: Bytes): Bytes {
    this.#hasCr = true;
    if (at === chunk.length) this.#endedInCr = true;
    if (chunk[at] !== LF) return at;
    this.#usesCrLf = true;
    return at + 1;
  }

  #endEvent(chunk: Chunk, start: Bytes, end: Bytes): void {
    if (this.#lineCount === 0) {
      this.#isFirst = false;
      return;
    }
    if (this.#heldBytes === 0 && !this.#oversize) {
      this.#oversize = end - start > this.#eventBytesMax;
      this.#report({ bytes: chunk, start, end, terminated: true });
    } else {
      this.#hold(chunk, start, end);
      // A view of its own, so that a reader may tell two events apart by identity.
      const held = this.#held.subarray(0, this.#heldBytes);
      this.#report({ bytes: held, start: 0, end: held.length, terminated: true });
    }
    if (this.#held.length > HELD_BYTES_KEPT) this.#held = NOTHING;
    this.#heldBytes = 0;
    this.#lineCount = 0;
    this.#hasCr = false;
    this.#oversize = false;
  }

  #hold(chunk: Chunk, start: Bytes, end: Bytes): void {
    if (this.#oversize) return;
    const needed = this.#heldBytes + end - start;
    if (needed > this.#eventBytesMax) {
      this.#oversize = true;
      this.#held = NOTHING;
      this.#heldBytes = 0;
      return;
    }
    if (needed > this.#held.length) {
      const grown = new Uint8Array(Math.max(needed, this.#held.length * 2, HELD_BYTES_MIN));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(chunk.subarray(start, end), this.#heldBytes);
    this.#heldBytes = needed;
  }

  #report(block: Pick<SseFrame, "bytes" | "start" | "end" | "terminated">): void {
    const { bytes, terminated } = block;
    const start = this.#isFirst ? afterByteOrderMark(bytes, block.start) : block.start;
    this.#isFirst = false;
    if (this.#oversize) {
      this.#onFrame({ ...OVERSIZE, terminated });
      return;
    }
    const lineCount = this.#lineCount + (this.#lineIsEmpty ? 0 : 1);
    const frame = readBlock({ ...block, start, lineCount, hasCr: this.#hasCr });
    if (frame !== undefined) this.#onFrame(frame);
  }
}

const OVERSIZE = { bytes: NOTHING, start: 0, end: 0, event: "", id: undefined, oversize: true };

/** Every event of a whole body, as a browser would dispatch them. */
export function parseSse(body: Chunk): readonly SseEvent[] {
  const events: SseEvent[] = [];
  const scanner = new SseScanner({
    onFrame(frame) {
      if (!frame.oversize) {
        events.push({ event: frame.event, data: frameText(frame), id: frame.id });
      }
    },
  });
  scanner.feed(body);
  return events;
}

function afterByteOrderMark(bytes: Uint8Array, start: Bytes): Bytes {
  const isMark = bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf;
  return isMark ? start + 3 : start;
}

function found(at: number, otherwise: Bytes): Bytes {
  return at < 0 ? otherwise : at;
}
