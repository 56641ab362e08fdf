import type { Bytes, Chunk } from "../core/units.ts";

const LF = 0x0a;
const CR = 0x0d;
const NOTHING = new Uint8Array(0);

/** Cuts a stream into whole events with their blank lines, so that one may be left out. */
export class SseBlocks {
  readonly #blockBytesMax: Bytes;
  #held: Chunk = NOTHING;
  /** Where in `#held` the search goes on, and where the line it is in began. */
  #at: Bytes = 0;
  #lineStart: Bytes = 0;

  /** A block larger than `blockBytesMax` comes out in pieces: it is passed on, not judged. */
  constructor(blockBytesMax: Bytes) {
    this.#blockBytesMax = blockBytesMax;
  }

  /** The blocks that `chunk` completes. */
  feed(chunk: Chunk): readonly Chunk[] {
    const held = this.#held.length === 0 ? chunk : joined(this.#held, chunk);
    const blocks: Chunk[] = [];
    let from = 0;
    let at = this.#at;
    let lineStart = this.#lineStart;
    for (; at < held.length; at++) {
      const byte = held[at];
      if (byte !== LF && byte !== CR) continue;
      if (byte === CR && at + 1 === held.length) break; // Its line feed may be in the next chunk.
      const isEmpty = at === lineStart;
      if (byte === CR && held[at + 1] === LF) at++;
      lineStart = at + 1;
      if (!isEmpty) continue;
      blocks.push(held.subarray(from, lineStart));
      from = lineStart;
    }
    if (held.length - from > this.#blockBytesMax) {
      blocks.push(held.subarray(from));
      from = at = lineStart = held.length;
    }
    this.#held = held.slice(from);
    this.#at = at - from;
    this.#lineStart = lineStart - from;
    return blocks;
  }

  /** What stands behind the last blank line. */
  end(): Chunk {
    const rest = this.#held;
    this.#held = NOTHING;
    return rest;
  }
}

function joined(first: Chunk, second: Chunk): Chunk {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
