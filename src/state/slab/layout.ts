import { hash } from "bun";
import type { Bytes } from "../../core/units.ts";

// The whole layout of the slab. Places are counted in 32-bit words from the start of the file,
// unless a name says bytes or cells (eight bytes). Little-endian, as every machine Bun runs on.
// Regions in order: header, stations, rows, states, records, rings, guard, series, metrics.

/** How much room a slab has. Every process that maps one agrees on all of it. */
export interface SlabSizes {
  /** Limits with a cell of their own; a key with four limits takes four. */
  readonly limitRows: number;
  /** Requests in flight on the whole machine. */
  readonly records: number;
  /** Processes at once: twice the workers and two, for the overlap of a restart; at most 128. */
  readonly stations: number;
  /** Usage facts of one process on their way to the ledger; a power of two. */
  readonly ringBytes: Bytes;
  /** The longest fact. */
  readonly factBytes: Bytes;
  /** Metric values of one process. */
  readonly metricCells: number;
  /** Counters in one row of the guard before verification; a power of two. */
  readonly guardWidth: number;
}

/** Room for 16,384 keys of four limits, and for 65,536 requests in flight on seven workers. */
export const DEFAULT_SIZES: SlabSizes = {
  limitRows: 65_536,
  records: 65_536,
  stations: 16,
  ringBytes: 512 << 10,
  factBytes: 512,
  metricCells: 16_384,
  guardWidth: 16_384,
};

/** Changes with every change of this file that an older program would misread. */
export const LAYOUT_VERSION = 3;
/** `ILKSLAB` and a full stop, as the file begins. */
export const MAGIC = 0x2e42_414c_534b_4c49n;

/** Words of the header, which is one page. */
export const HEADER = {
  magic: 0, // two words
  version: 2,
  sizesHash: 3,
  sizes: 4, // seven words, in the order of SIZE_NAMES
  generation: 12,
  seed: 14, // two words
  boot: 16, // two words: a digest of the machine's boot id
  /** The station that sweeps, plus one. */
  sweeper: 18,
  /** The epoch whose counters the guard adds to. */
  guardEpoch: 19,
  rowsUsed: 20,
  /** Limits that were given a shared row because the table was full. */
  rowsShared: 21,
  /** Admissions refused because every record was taken. */
  recordsFull: 22,
  metricsUsed: 23,
  /** Series kept by one process alone because the metric cells were used up. */
  metricsApart: 24,
  /** Who brings facts to the ledger: its station plus one; and who will when that one ends. */
  ledger: 32,
  ledgerNext: 33,
  /** Whether the ledger takes facts: a LEDGER. */
  ledgerState: 34,
  /** Two words: since when it takes none, in nanoseconds of the machine's clock. */
  ledgerSince: 36,
  /** Two words each: how many facts are in the ledger, were there already, cannot be written. */
  ledgerWritten: 38,
  ledgerTwice: 40,
  ledgerLost: 42,
  /** Two words: how often a group of facts could not be written. */
  ledgerFailures: 44,
  /** Two words: requests that were served without a fact, as there was no room for it. */
  ledgerSkipped: 46,
  /** Two words: by how many ms the wall clock is ahead of the time since this boot. */
  wallAhead: 48,
} as const;
export const HEADER_WORDS = 1024;

/** What the ledger's writer says of the disk. */
export const LEDGER = { healthy: 0, full: 1, busy: 2, io: 3 } as const;

/** The order in which the header names the sizes. */
export const SIZE_NAMES = [
  "limitRows",
  "records",
  "stations",
  "ringBytes",
  "factBytes",
  "metricCells",
  "guardWidth",
] as const satisfies readonly (keyof SlabSizes)[];

/** Words of a station: one process's place. What it writes, others write and readers apart. */
export const STATION = {
  /** Process id; 0 is free, DEAD is left behind. One cell of two words with `born`. */
  owner: 0,
  /** What tells the owner from a later process of the same id. */
  born: 1,
  /** The step in hand: its number, times four, and an INTENT. */
  intent: 2,
  word: 3,
  record: 4,
  after: 5,
  newLow: 6,
  newHigh: 7,
  ringHead: 16,
  ringTail: 32,
  /** Facts whose checksum was wrong. */
  corrupt: 33,
} as const;
export const STATION_WORDS = 64;
/** The name of a step has seven bits for its station. */
export const STATIONS_MAX = 128;
/** The owner of a station whose process left, or is of an earlier boot. */
export const DEAD = -1;

/** How far the step in hand is: over, perhaps done, done. */
export const INTENT = { idle: 0, pending: 1, applied: 2 } as const;

/**
 * Words of a row: one limit. After the digest three cells of two words, each a value or the name of
 * a step (see actor.ts). `calendar` packs kind, period and period rolled to (see calendar.ts). Rows
 * of kind `lane` are for routing: a breaker in `value`, an average in `spent`.
 */
export const ROW = { digest: 0, value: 2, spent: 4, calendar: 6 } as const;
export const ROW_WORDS = 8;
/** Rows before the table, each shared by the limits of its kind that found the table full. */
export const SHARED_ROWS = 32;

/** What a row is for, in four bits; and what a hold of a record is on, which has three for it. */
export const KIND = {
  none: 0,
  requests: 1,
  tokens: 2,
  slots: 3,
  nanoBudget: 4,
  tokenBudget: 5,
  bucket: 6,
  lane: 7,
  /** No limit: what was told of a budget. */
  told: 8,
  /** No limits: a node's part of a budget that several nodes spend from (see share.ts). */
  share: 9,
  shareUse: 10,
  shareOf: 11,
} as const;

/** Words of a journal record. Its numbers are doubles: places of eight bytes from the record on. */
export const RECORD = {
  tagLength: 0,
  cursor: 1,
  holdCount: 2,
  /** Tokens delivered plus one; 0 is nothing delivered. */
  watermark: 3,
  inputTokens: 4,
  /** Where in the ring its fact is put; -1 is nowhere yet. */
  factAt: 5,
  hasFactAt: 6,
  flags: 7,
  tag: 24, // sixty-four words
  holds: 88, // two words each: row and kind, then what the kind needs
  factLength: 112,
  fact: 113, // sixty-four words
} as const;
export const RECORD_NUMBERS = {
  takenTokens: 4,
  takenNano: 5,
  settledTokens: 6,
  settledNano: 7,
  inputNano: 8,
  outputNanoPerMillion: 9,
  startedMs: 10,
  priceKey: 11,
} as const;
export const RECORD_WORDS = 178;
export const HOLDS_MAX = 12;
/** Room for the names of a usual request; longer ones are cut. */
export const TAG_BYTES = 256;
/** Room for a usual fact from when its request is settled until it is in the ring. */
export const KEPT_FACT_BYTES = 256;

/**
 * The life of a record: a word of its own in the region of states, so that looking for one touches
 * few pages; above eight bits it names the station. What a kill leaves, and what the sweep does:
 * - `claimed`: fields are not valid. Freed.
 * - `admitting`: holds before `cursor` are taken. Given back from the last to the first, freed.
 * - `admitted`: all are taken. Settled at the watermark.
 * - `settling`: what to settle is written; `cursor` says how far that is. Settled to the end. Its
 *   fact is in the ring, or stands in the record; a long one is made anew of the rest of it.
 * - `rolling`: a budget's period is being changed. Finished when it was begun, freed.
 * The one step that may be half done is named by its station's intent (see actor.ts).
 */
export const STATE = {
  free: 0,
  claimed: 1,
  admitting: 2,
  admitted: 3,
  settling: 4,
  rolling: 5,
} as const;

/** A record's state is below so many bits, its station above. */
export const STATE_BITS = 8;
export const STATE_MASK = 0xff;

/** Bits of a record's flags. `extra`: it holds more for a request that has a record already. */
export const FLAG = { estimated: 1, orphan: 2, silent: 4, extra: 8 } as const;

/** Words of a series: the digest of its name, then its first cell plus one. */
export const SERIES = { digest: 0, first: 2 } as const;
export const SERIES_WORDS = 4;

/** The guard keeps three epochs: the one before, the one now, and a clean one for the next. */
export const GUARD_EPOCHS = 3;
export const GUARD_ROWS = 4;

/** Where everything is, for given sizes. */
export interface Layout {
  readonly sizes: SlabSizes;
  readonly byteLength: Bytes;
  readonly stations: number;
  readonly rows: number;
  /** Rows of the table, a power of two; the shared ones come before them. */
  readonly tableRows: number;
  readonly states: number;
  readonly records: number;
  readonly ringsByte: Bytes;
  readonly guard: number;
  readonly series: number;
  readonly seriesRows: number;
  /** One word for each metric cell: whether it was ever set or lowered, so is no counter. */
  readonly gauges: number;
  /** The first cell of the first station's column. */
  readonly metricsCell: number;
}

/** Lays out a slab of these sizes. @throws when a size cannot be. */
export function layoutOf(sizes: SlabSizes): Layout {
  check(sizes);
  const tableRows = powerOfTwo(Math.ceil((sizes.limitRows * 4) / 3));
  const seriesRows = powerOfTwo(Math.ceil((sizes.metricCells * 4) / 3));
  const stations = HEADER_WORDS;
  const rows = stations + sizes.stations * STATION_WORDS;
  const states = line(rows + (SHARED_ROWS + tableRows) * ROW_WORDS);
  const records = line(states + sizes.records);
  const rings = line(records + sizes.records * RECORD_WORDS);
  const guard = rings + (sizes.stations * sizes.ringBytes) / 4;
  const series = guard + GUARD_EPOCHS * GUARD_ROWS * sizes.guardWidth;
  const gauges = line(series + seriesRows * SERIES_WORDS);
  const metrics = line(gauges + sizes.metricCells);
  const words = line(metrics + sizes.stations * sizes.metricCells * 2);
  return {
    sizes,
    byteLength: words * 4,
    ...{ stations, rows, tableRows, states, records, ringsByte: rings * 4 },
    ...{ guard, series, seriesRows, gauges, metricsCell: metrics / 2 },
  };
}

/** Tells slabs of different sizes apart. */
export function sizesHash(sizes: SlabSizes): number {
  return hash.crc32(SIZE_NAMES.map((name) => sizes[name]).join());
}

function check(sizes: SlabSizes): void {
  for (const name of SIZE_NAMES) {
    const size = sizes[name];
    if (!Number.isSafeInteger(size) || size < 1 || size > 2 ** 30) {
      throw new Error(`slab size ${name} is ${size}`);
    }
  }
  if (sizes.stations > STATIONS_MAX) throw new Error(`a slab has at most ${STATIONS_MAX} stations`);
  for (const name of ["ringBytes", "guardWidth"] as const) {
    if (powerOfTwo(sizes[name]) !== sizes[name]) throw new Error(`${name} is no power of two`);
  }
  if (sizes.ringBytes < 2 * (sizes.factBytes + 16)) throw new Error("a ring holds no two facts");
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}

/** The next word at the start of a cache line. */
function line(word: number): number {
  return Math.ceil(word / 16) * 16;
}
