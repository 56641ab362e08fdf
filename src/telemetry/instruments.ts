import type { CellStore } from "./cells.ts";

/** Tells the exposition one sample: the name's suffix, the labels as text, the value. */
export type Emit = (suffix: string, labels: string, value: number) => void;

/** What every kind of series can do: say its samples. */
export interface Instrument {
  emit(labels: string, emit: Emit): void;
}

/** A number that only goes up. */
export class Counter implements Instrument {
  readonly #cells: CellStore;
  readonly #cell: number;

  constructor(cells: CellStore, series: string) {
    this.#cells = cells;
    this.#cell = cells.claim(series, 1);
  }
  /** Only a positive finite amount counts: one NaN would spoil the sum for good. */
  add(amount: number): void {
    if (amount > 0 && amount < Infinity) this.#cells.add(this.#cell, amount);
  }
  value(): number {
    return this.#cells.read(this.#cell);
  }
  emit(labels: string, emit: Emit): void {
    emit("", labels, this.value());
  }
}

/** A number that goes both ways. */
export class Gauge implements Instrument {
  readonly #cells: CellStore;
  readonly #cell: number;

  constructor(cells: CellStore, series: string) {
    this.#cells = cells;
    this.#cell = cells.claim(series, 1);
  }
  add(amount: number): void {
    if (Number.isFinite(amount)) this.#cells.add(this.#cell, amount);
  }
  set(value: number): void {
    if (Number.isFinite(value)) this.#cells.set(this.#cell, value);
  }
  value(): number {
    return this.#cells.read(this.#cell);
  }
  emit(labels: string, emit: Emit): void {
    emit("", labels, this.value());
  }
}

/** Observations sorted into buckets by their upper bounds. */
export class Histogram implements Instrument {
  readonly #cells: CellStore;
  readonly #bounds: readonly number[];
  /** One cell for each bound, one for what exceeds them all, one for the sum. */
  readonly #first: number;

  constructor(cells: CellStore, series: string, bounds: readonly number[]) {
    this.#cells = cells;
    this.#bounds = bounds;
    this.#first = cells.claim(series, bounds.length + 2);
  }
  observe(value: number): void {
    if (!(value >= 0 && value < Infinity)) return;
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && value > bounds[at]!) at++;
    this.#cells.add(this.#first + at, 1);
    this.#cells.add(this.#first + bounds.length + 1, value);
  }
  emit(labels: string, emit: Emit): void {
    const before = labels === "" ? "" : `${labels},`;
    let count = 0;
    for (const [at, bound] of this.#bounds.entries()) {
      count += this.#cells.read(this.#first + at);
      emit("_bucket", `${before}le="${bound}"`, count);
    }
    count += this.#cells.read(this.#first + this.#bounds.length);
    emit("_bucket", `${before}le="+Inf"`, count);
    emit("_sum", labels, this.#cells.read(this.#first + this.#bounds.length + 1));
    emit("_count", labels, count);
  }
}
