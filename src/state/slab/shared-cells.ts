import { type CellStore, HeapCells } from "../../telemetry/cells.ts";
import { HEADER, SERIES, SERIES_WORDS } from "./layout.ts";
import { digestOf, type Slab } from "./slab.ts";
import type { Actor } from "./actor.ts";

/**
 * Metric values of the whole machine: every process adds in a column of its own, so adding is as
 * cheap as in a process's own memory, and reading sums the columns. A series has the same cells in
 * each, found by the digest of its name. Counters outlive their process; gauges end with it.
 */
export class SharedCells implements CellStore {
  readonly #slab: Slab;
  readonly #column: number;
  /** Series that found no room: counted, and seen by this process's readers alone. */
  readonly #apart = new HeapCells();

  constructor({ slab, station }: Actor) {
    this.#slab = slab;
    this.#column = columnOf(slab, station);
  }

  claim(series: string, width: number): number {
    const first = claimSeries(this.#slab, series, width);
    if (first !== undefined) return first;
    Atomics.add(this.#slab.i32, HEADER.metricsApart, 1);
    return this.#slab.layout.sizes.metricCells + this.#apart.claim(series, width);
  }
  add(cell: number, amount: number): void {
    const { metricCells } = this.#slab.layout.sizes;
    if (cell >= metricCells) return this.#apart.add(cell - metricCells, amount);
    this.#slab.f64[this.#column + cell]! += amount;
    if (amount < 0) this.#markGauge(cell);
  }
  /** This process's part; what is read is the sum of all processes'. */
  set(cell: number, value: number): void {
    const { metricCells } = this.#slab.layout.sizes;
    if (cell >= metricCells) return this.#apart.set(cell - metricCells, value);
    this.#slab.f64[this.#column + cell] = value;
    this.#markGauge(cell);
  }
  read(cell: number): number {
    const { metricCells, stations } = this.#slab.layout.sizes;
    if (cell >= metricCells) return this.#apart.read(cell - metricCells);
    let sum = 0;
    for (let station = 0; station < stations; station++) {
      sum += this.#slab.f64[columnOf(this.#slab, station) + cell]!;
    }
    return sum;
  }

  #markGauge(cell: number): void {
    const { i32, layout } = this.#slab;
    if (i32[layout.gauges + cell] === 0) Atomics.store(i32, layout.gauges + cell, 1);
  }
}

/** A process is gone, and with it what its gauges told. */
export function clearGauges(slab: Slab, station: number): void {
  const { i32, f64, layout } = slab;
  const column = columnOf(slab, station);
  const used = Math.min(Atomics.load(i32, HEADER.metricsUsed), layout.sizes.metricCells);
  for (let cell = 0; cell < used; cell++) {
    if (i32[layout.gauges + cell] !== 0) f64[column + cell] = 0;
  }
}

function columnOf({ layout }: Slab, station: number): number {
  return layout.metricsCell + station * layout.sizes.metricCells;
}

/** The cells of a series, the same in every process; undefined when there are none left. */
function claimSeries(slab: Slab, series: string, width: number): number | undefined {
  const { i32, layout } = slab;
  const word = findSeries(slab, digestOf(slab, `${width} ${series}`));
  if (word === undefined) return undefined;
  const known = Atomics.load(i32, word + SERIES.first);
  if (known !== 0) return known - 1;
  const { metricCells } = layout.sizes;
  if (Atomics.load(i32, HEADER.metricsUsed) + width > metricCells) return undefined;
  const first = Atomics.add(i32, HEADER.metricsUsed, width);
  if (first + width > metricCells) return undefined;
  // Of two that claim at once one wastes its cells, and a kill here wastes them too.
  const before = Atomics.compareExchange(i32, word + SERIES.first, 0, first + 1);
  return before === 0 ? first : before - 1;
}

function findSeries({ b64, layout }: Slab, digest: bigint): number | undefined {
  const { series, seriesRows } = layout;
  const mine = BigInt.asIntN(64, digest);
  const start = Number(digest & 0xffff_ffffn);
  for (let probe = 0; probe < seriesRows; probe++) {
    const word = series + ((start + probe) & (seriesRows - 1)) * SERIES_WORDS;
    const owner = Atomics.compareExchange(b64, (word + SERIES.digest) / 2, 0n, mine);
    if (owner === 0n || owner === mine) return word;
  }
  return undefined;
}
