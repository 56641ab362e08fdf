/**
 * Where metric values live: numbers by index. The series' full name goes with a claim so that a
 * store shared by several processes can give the same series the same place in each.
 */
export interface CellStore {
  /** The first of `width` neighbouring cells, all zero when new. */
  claim(series: string, width: number): number;
  add(cell: number, amount: number): void;
  set(cell: number, value: number): void;
  read(cell: number): number;
}

const CELLS_FIRST = 1024;

/** Cells in this process's own memory. */
export class HeapCells implements CellStore {
  #values = new Float64Array(CELLS_FIRST);
  #used = 0;

  claim(_series: string, width: number): number {
    const first = this.#used;
    this.#used += width;
    if (this.#used > this.#values.length) this.#grow();
    return first;
  }
  add(cell: number, amount: number): void {
    this.#values[cell]! += amount;
  }
  set(cell: number, value: number): void {
    this.#values[cell] = value;
  }
  read(cell: number): number {
    return this.#values[cell] ?? 0;
  }

  #grow(): void {
    const larger = new Float64Array(Math.max(this.#used, this.#values.length * 2));
    larger.set(this.#values);
    this.#values = larger;
  }
}
