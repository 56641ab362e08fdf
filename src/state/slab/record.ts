import type { Cost } from "./holds.ts";
import { FLAG, KEPT_FACT_BYTES, RECORD, RECORD_NUMBERS, TAG_BYTES } from "./layout.ts";
import { recordWord, type Slab } from "./slab.ts";

const NO_FACT = new Uint8Array(0);

/** What settles a record. */
export interface RecordTruth extends Cost {
  readonly estimated: boolean;
  readonly orphan?: boolean | undefined;
  readonly fact: Uint8Array | undefined;
}

/** Writes what a record is to be settled with. It counts from the state `settling` on. */
export function writeTruth(slab: Slab, record: number, truth: RecordTruth): void {
  const word = recordWord(slab, record);
  slab.f64[word / 2 + RECORD_NUMBERS.settledTokens] = truth.tokens;
  slab.f64[word / 2 + RECORD_NUMBERS.settledNano] = truth.nano;
  const { fact = NO_FACT } = truth;
  const isKept = fact.length <= KEPT_FACT_BYTES;
  if (isKept) slab.u8.set(fact, (word + RECORD.fact) * 4);
  slab.i32[word + RECORD.factLength] = isKept ? fact.length : 0;
  slab.i32[word + RECORD.flags] =
    (truth.estimated ? FLAG.estimated : 0) |
    (truth.orphan === true ? FLAG.orphan : 0) |
    (truth.fact === undefined ? FLAG.silent : 0);
}

/** A request whose process died, as far as the slab knows it: enough for an estimated fact. */
export interface Orphan extends Cost {
  /** False when the process had already said the truth, and only its fact was not written. */
  readonly estimated: boolean;
  readonly inputTokens: number;
  /** Undefined when nothing was delivered. */
  readonly outputTokens: number | undefined;
  readonly startedWall: number;
  readonly priceKey: number;
  /** A copy of what admission was given. */
  readonly tag: Uint8Array;
}

/** Writes what says whose request a record is. */
export function writeTag({ i32, u8 }: Slab, word: number, tag: Uint8Array): void {
  u8.set(tag, (word + RECORD.tag) * 4);
  i32[word + RECORD.tagLength] = tag.length;
}

/** Adds to it all or, without room, nothing: so does a kill in the middle. */
export function appendTag(slab: Slab, record: number, more: Uint8Array): void {
  const { i32, u8 } = slab;
  const word = recordWord(slab, record);
  const length = i32[word + RECORD.tagLength]!;
  if (length + more.length > TAG_BYTES) return;
  u8.set(more, (word + RECORD.tag) * 4 + length);
  Atomics.store(i32, word + RECORD.tagLength, length + more.length);
}

/** The fact that a record was settled with, as its process left it; undefined where none is. */
export function keptFact({ i32, u8 }: Slab, word: number): Uint8Array | undefined {
  const length = i32[word + RECORD.factLength]!;
  const at = (word + RECORD.fact) * 4;
  return length === 0 ? undefined : u8.subarray(at, at + length);
}

/** Reads a record that is settled, or about to be. */
export function readOrphan(slab: Slab, record: number): Orphan {
  const { i32, f64, u8 } = slab;
  const word = recordWord(slab, record);
  const numbers = word / 2;
  const watermark = Atomics.load(i32, word + RECORD.watermark);
  const tagByte = (word + RECORD.tag) * 4;
  return {
    tokens: f64[numbers + RECORD_NUMBERS.settledTokens]!,
    nano: f64[numbers + RECORD_NUMBERS.settledNano]!,
    estimated: (i32[word + RECORD.flags]! & FLAG.estimated) !== 0,
    inputTokens: i32[word + RECORD.inputTokens]!,
    outputTokens: watermark === 0 ? undefined : watermark - 1,
    startedWall: f64[numbers + RECORD_NUMBERS.startedMs]!,
    priceKey: f64[numbers + RECORD_NUMBERS.priceKey]!,
    tag: u8.slice(tagByte, tagByte + Atomics.load(i32, word + RECORD.tagLength)),
  };
}

/**
 * What a request comes to whose process died: nothing before anything was delivered, else its input
 * and the output up to the watermark (the client is not charged for bytes it was not sent).
 */
export function atWatermark(slab: Slab, record: number): Cost {
  const { i32, f64 } = slab;
  const word = recordWord(slab, record);
  const watermark = Atomics.load(i32, word + RECORD.watermark);
  if (watermark === 0) return { tokens: 0, nano: 0 };
  const output = watermark - 1;
  const perMillion = f64[word / 2 + RECORD_NUMBERS.outputNanoPerMillion]!;
  const inputNano = f64[word / 2 + RECORD_NUMBERS.inputNano]!;
  const outputNano = (BigInt(output) * BigInt(perMillion) + 999_999n) / 1_000_000n;
  return {
    tokens: i32[word + RECORD.inputTokens]! + output,
    nano: inputNano + Number(outputNano),
  };
}
