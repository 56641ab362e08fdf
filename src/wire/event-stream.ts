import type { Bytes, Chunk } from "../core/units.ts";
import {
  CHECKSUM_BYTES,
  crc32,
  type EventStreamFrame,
  PRELUDE_BYTES,
} from "./event-stream-frame.ts";

export interface EventStreamOptions {
  readonly onFrame: (frame: EventStreamFrame) => void;
  /** Counts every byte of a message. */
  readonly frameBytesMax?: Bytes;
}

/** Why nothing behind a place in a stream can be read: where a message ends is not known there. */
export type EventStreamFault =
  /** The checksum of the two lengths is wrong. */
  | "prelude"
  /** A message too long to be held, or headers longer than their message. */
  | "length"
  /** The checksum of a whole message is wrong. */
  | "checksum";

/** The largest message AWS sends: Amazon Transcribe's guide to event stream encoding. */
const FRAME_BYTES_MAX: Bytes = 1 << 24;
const FRAME_BYTES_MIN: Bytes = PRELUDE_BYTES + CHECKSUM_BYTES;
const HELD_BYTES_MIN: Bytes = 1024;
/** A buffer that had to grow past this goes with the message that made it grow. */
const HELD_BYTES_KEPT: Bytes = 1 << 16;
const NOTHING = new Uint8Array(0);

/**
 * Finds the messages of an `application/vnd.amazon.eventstream`, however it was cut into chunks,
 * and proves both checksums of each. A fault is final: what follows it is never looked at.
 */
export class EventStreamScanner {
  readonly #onFrame: (frame: EventStreamFrame) => void;
  readonly #frameBytesMax: Bytes;
  /** What came of the current message in earlier chunks. */
  #held: Chunk = NOTHING;
  #heldBytes: Bytes = 0;
  /** The current message's length; 0 while its prelude is not whole. */
  #size: Bytes = 0;
  #fault: EventStreamFault | undefined;

  constructor(options: EventStreamOptions) {
    this.#onFrame = options.onFrame;
    this.#frameBytesMax = options.frameBytesMax ?? FRAME_BYTES_MAX;
  }

  /** Between two messages: bytes of another origin may stand here. */
  get atBoundary(): boolean {
    return this.#heldBytes === 0 && this.#fault === undefined;
  }
  get fault(): EventStreamFault | undefined {
    return this.#fault;
  }

  feed(chunk: Chunk): void {
    let at = 0;
    while (at < chunk.length && this.#fault === undefined) {
      at = this.#heldBytes === 0 ? this.#begin(chunk, at) : this.#continue(chunk, at);
    }
    if (this.#fault !== undefined) this.#held = NOTHING;
  }

  /** A message begins at `at`; one that lies whole in the chunk is not copied. */
  #begin(chunk: Chunk, at: Bytes): Bytes {
    this.#size = chunk.length - at < PRELUDE_BYTES ? 0 : this.#sizeAt(chunk, at);
    const end = at + this.#size;
    if (this.#fault !== undefined) return chunk.length;
    if (this.#size === 0 || end > chunk.length) return this.#hold(chunk, at, chunk.length);
    this.#report(chunk, at, end);
    return end;
  }

  #continue(chunk: Chunk, from: Bytes): Bytes {
    let at = from;
    if (this.#size === 0) {
      const end = Math.min(chunk.length, at + PRELUDE_BYTES - this.#heldBytes);
      at = this.#hold(chunk, at, end);
      if (this.#heldBytes < PRELUDE_BYTES) return at;
      this.#size = this.#sizeAt(this.#held, 0);
      if (this.#fault !== undefined) return chunk.length;
    }
    at = this.#hold(chunk, at, Math.min(chunk.length, at + this.#size - this.#heldBytes));
    if (this.#heldBytes === this.#size) {
      this.#report(this.#held, 0, this.#size);
      if (this.#held.length > HELD_BYTES_KEPT) this.#held = NOTHING;
      this.#heldBytes = 0;
    }
    return at;
  }

  /** The length of the message whose prelude stands at `at`, or a fault. */
  #sizeAt(bytes: Uint8Array, at: Bytes): Bytes {
    const size = uint32(bytes, at);
    const headersBytes = uint32(bytes, at + 4);
    if (crc32(bytes, at, at + 8) !== uint32(bytes, at + 8)) this.#fault = "prelude";
    else if (size < FRAME_BYTES_MIN || size > this.#frameBytesMax) this.#fault = "length";
    else if (headersBytes > size - FRAME_BYTES_MIN) this.#fault = "length";
    return size;
  }

  #hold(chunk: Chunk, start: Bytes, end: Bytes): Bytes {
    const needed = this.#heldBytes + end - start;
    if (needed > this.#held.length) {
      const grown = new Uint8Array(Math.max(needed, this.#held.length * 2, HELD_BYTES_MIN));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(chunk.subarray(start, end), this.#heldBytes);
    this.#heldBytes = needed;
    return end;
  }

  #report(bytes: Uint8Array, start: Bytes, end: Bytes): void {
    const checked = end - CHECKSUM_BYTES;
    if (crc32(bytes, start, checked) !== uint32(bytes, checked)) {
      this.#fault = "checksum";
      return;
    }
    const headers = start + PRELUDE_BYTES;
    const payload = headers + uint32(bytes, start + 4);
    this.#onFrame({ bytes, start: headers, payload, end: checked });
  }
}

function uint32(bytes: Uint8Array, at: Bytes): number {
  const [a, b, c, d] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}
