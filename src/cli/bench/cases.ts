import type { Pace } from "./payload.ts";
import type { AskKind } from "./verdict.ts";

/** One row of load that every contender is put under. */
export interface Case {
  readonly kind: AskKind;
  readonly concurrency: number;
  readonly pace: Pace | undefined;
}

const STREAM_CONCURRENCIES = [1, 16];
const BARE_CONCURRENCY = 16;
/** 3,200 events a second over 16 streams: enough to count, too few to queue. */
const PACED = { concurrency: 16, pace: { events: 64, gapMs: 5 } };

/** Everything a normal run measures, in order. */
export function allCases(concurrencies: readonly number[]): readonly Case[] {
  return [
    ...concurrencies.map((concurrency) => newCase("buffered", concurrency)),
    ...STREAM_CONCURRENCIES.map((concurrency) => newCase("streamed", concurrency)),
    newCase("bare", BARE_CONCURRENCY),
    { kind: "paced", ...PACED },
  ];
}

function newCase(kind: AskKind, concurrency: number): Case {
  return { kind, concurrency, pace: undefined };
}
