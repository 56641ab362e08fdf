import type { Chunking } from "./script.ts";

const NEWLINE = 10;
const RETURN = 13;

/** A seeded generator in [0, 1): the same seed gives the same bytes on every machine. Mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Offsets just behind each blank line: where one event is whole and the next has not begun. */
export function eventEnds(body: Uint8Array): number[] {
  const ends: number[] = [];
  for (let at = body.indexOf(NEWLINE); at >= 0; at = body.indexOf(NEWLINE, at + 1)) {
    const lineStart = body[at - 1] === RETURN ? at - 1 : at;
    if (body[lineStart - 1] === NEWLINE) ends.push(at + 1);
  }
  return ends;
}

/** Where each piece of `body` ends, for a chunking; the last one is the body's length. */
export function pieceEnds(body: Uint8Array, chunking: Chunking): number[] {
  const size = body.length;
  if (size === 0) return [];
  if (chunking === "whole") return [size];
  if (chunking === "byte") return Array.from({ length: size }, (_, at) => at + 1);
  const ends = chunking === "event" ? eventEnds(body) : randomEnds(size, chunking);
  if (ends.at(-1) !== size) ends.push(size);
  return ends;
}

function randomEnds(size: number, { seed, max }: { seed: number; max: number }): number[] {
  const next = seeded(seed);
  const ends: number[] = [];
  for (let at = 0; at < size;) {
    at = Math.min(size, at + 1 + Math.floor(next() * max));
    ends.push(at);
  }
  return ends;
}

/** Bytes that are no chunk size, no status line and no event; the same for the same seed. */
export function garbage(seed: number, length: number): Uint8Array {
  const next = seeded(seed);
  return Uint8Array.from({ length }, () => 0x80 + Math.floor(next() * 0x80));
}
