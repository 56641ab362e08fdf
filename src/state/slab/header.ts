import { hash } from "bun";
import {
  HEADER,
  HEADER_WORDS,
  LAYOUT_VERSION,
  MAGIC,
  SIZE_NAMES,
  sizesHash,
  type SlabSizes,
} from "./layout.ts";

/** What a new slab is told. */
export interface Blank {
  readonly sizes: SlabSizes;
  readonly bootId: string;
  /** Sixty-four random bits. */
  readonly seed: bigint;
}

/** Writes the header of a slab whose other bytes are zero. */
export function writeHeader(bytes: Uint8Array, blank: Blank): void {
  const { i32, b64 } = headerOf(bytes);
  i32[HEADER.version] = LAYOUT_VERSION;
  i32[HEADER.sizesHash] = sizesHash(blank.sizes) | 0;
  for (const [at, name] of SIZE_NAMES.entries()) i32[HEADER.sizes + at] = blank.sizes[name];
  i32[HEADER.generation] = 1;
  b64[HEADER.seed / 2] = BigInt.asIntN(64, blank.seed);
  b64[HEADER.boot / 2] = bootDigest(blank.bootId);
  b64[HEADER.magic / 2] = MAGIC;
}

/** Whether bytes begin as a slab of this layout and these sizes does. */
export function isSlab(bytes: Uint8Array, sizes: SlabSizes): boolean {
  if (bytes.length < HEADER_WORDS * 4) return false;
  const { i32, b64 } = headerOf(bytes);
  return (
    b64[HEADER.magic / 2] === MAGIC &&
    i32[HEADER.version] === LAYOUT_VERSION &&
    i32[HEADER.sizesHash] === (sizesHash(sizes) | 0) &&
    SIZE_NAMES.every((name, at) => i32[HEADER.sizes + at] === sizes[name])
  );
}

/** How many slabs in a row handed their books on to this one. */
export function generationOf(bytes: Uint8Array): number {
  return headerOf(bytes).i32[HEADER.generation]!;
}

/** Hands a header on to another boot: names keep the digests they have. */
export function renewHeader(bytes: Uint8Array, bootId: string): void {
  const { i32, b64 } = headerOf(bytes);
  i32[HEADER.generation]!++;
  b64[HEADER.boot / 2] = bootDigest(bootId);
}

function headerOf({ buffer, byteOffset }: Uint8Array): {
  readonly i32: Int32Array;
  readonly b64: BigInt64Array;
} {
  return {
    i32: new Int32Array(buffer, byteOffset, HEADER_WORDS),
    b64: new BigInt64Array(buffer, byteOffset, HEADER_WORDS / 2),
  };
}

function bootDigest(bootId: string): bigint {
  return BigInt.asIntN(64, hash.wyhash(bootId));
}
