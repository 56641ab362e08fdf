import { hash } from "bun";
import { HEADER, type Layout, RECORD_WORDS, ROW_WORDS, STATION_WORDS } from "./layout.ts";

/** Memory that every process of the machine sees: the same bytes by four kinds of view. */
export interface Slab {
  readonly layout: Layout;
  readonly i32: Int32Array;
  readonly b64: BigInt64Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  /** Drawn at creation, so that nobody outside can find names whose digests are alike. */
  readonly seed: bigint;
  /** Where it came from: made now, found, or made now with what an earlier boot left. */
  readonly origin: "created" | "found" | "carried";
  /** Files beside it that this program could not or must not go on with. */
  readonly aside: readonly string[];
}

export type SlabOrigin = Pick<Slab, "origin" | "aside">;

/** Looks at `bytes`, which hold a slab, in every way. */
export function viewSlab(bytes: Uint8Array, layout: Layout, { origin, aside }: SlabOrigin): Slab {
  const { buffer, byteOffset } = bytes;
  const { byteLength } = layout;
  const i32 = new Int32Array(buffer, byteOffset, byteLength / 4);
  const b64 = new BigInt64Array(buffer, byteOffset, byteLength / 8);
  const f64 = new Float64Array(buffer, byteOffset, byteLength / 8);
  const u8 = new Uint8Array(buffer, byteOffset, byteLength);
  const seed = BigInt.asUintN(64, b64[HEADER.seed / 2] ?? 0n);
  return { layout, i32, b64, f64, u8, seed, origin, aside };
}

/** What the slab could not do as it should. Each stays 0 where the sizes are enough. */
export interface SlabCounts {
  readonly rowsUsed: number;
  readonly rowsShared: number;
  readonly recordsFull: number;
  readonly metricsApart: number;
}

/** For the metrics: how full the slab is and what did not fit. */
export function slabCounts({ i32 }: Slab): SlabCounts {
  return {
    rowsUsed: Atomics.load(i32, HEADER.rowsUsed),
    rowsShared: Atomics.load(i32, HEADER.rowsShared),
    recordsFull: Atomics.load(i32, HEADER.recordsFull),
    metricsApart: Atomics.load(i32, HEADER.metricsApart),
  };
}

/** A digest of a name, as the slab's tables find it; neither half of it is ever 0. */
export function digestOf(slab: Slab, name: string): bigint {
  const digest = hash.wyhash(name, slab.seed);
  const low = (digest & 0xffff_ffffn) === 0n ? 1n : 0n;
  const high = digest >> 32n === 0n ? 1n << 32n : 0n;
  return digest | low | high;
}

export function stationWord({ layout }: Slab, station: number): number {
  return layout.stations + station * STATION_WORDS;
}

export function rowWord({ layout }: Slab, row: number): number {
  return layout.rows + row * ROW_WORDS;
}

export function stateWord({ layout }: Slab, record: number): number {
  return layout.states + record;
}

export function recordWord({ layout }: Slab, record: number): number {
  return layout.records + record * RECORD_WORDS;
}
