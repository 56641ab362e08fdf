import type { CellStore } from "./cells.ts";
import { Counter, type Emit, Gauge, Histogram, type Instrument } from "./instruments.ts";
import { type Labels, labelText } from "./labels.ts";

/** Series one family may hold: more would be a leak at our end and a bill at the scraper's. */
export const SERIES_MAX = 2000;
/** What the labels of everything beyond the cap, and of everything not configured, say. */
export const OTHER = "other";

/** A metric before it has series: its name, what it means, and what tells its series apart. */
export interface FamilySpec<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly L[];
}
export interface HistogramSpec<L extends string> extends FamilySpec<L> {
  /** Upper bounds, rising; the one at infinity is understood. */
  readonly bounds: readonly number[];
}
/** A metric somebody else keeps: asked for its samples at each scrape. */
export interface SampledSpec<L extends string> extends FamilySpec<L> {
  readonly kind: "counter" | "gauge";
  read(): Iterable<readonly [labels: Labels<L>, value: number]>;
}

/** What the exposition needs of a metric. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge" | "histogram";
  emit(emit: Emit): void;
}

/** The series of one family, never more than the cap and one that takes the rest. */
export class SeriesSet<L extends string, S extends Instrument> {
  readonly #labels: readonly L[];
  readonly #make: (labels: string) => S;
  readonly #series = new Map<string, S>();

  constructor(labels: readonly L[], make: (labels: string) => S) {
    this.#labels = labels;
    this.#make = make;
  }
  /** The handle to count on. Keep it: finding it again builds a string. */
  series(labels: Labels<L>): S {
    const text = labelText(this.#labels, labels);
    const known = this.#series.get(text);
    if (known) return known;
    return this.#series.size < SERIES_MAX ? this.#add(text) : this.#overflow();
  }
  emit(emit: Emit): void {
    for (const [text, series] of this.#series) series.emit(text, emit);
  }

  #add(text: string): S {
    const series = this.#make(text);
    this.#series.set(text, series);
    return series;
  }
  #overflow(): S {
    const rest = this.#labels.map((name) => [name, OTHER] as const);
    const text = labelText(this.#labels, Object.fromEntries(rest) as Labels<L>);
    return this.#series.get(text) ?? this.#add(text);
  }
}

/** Every metric of a process, each name once. */
export class Registry {
  readonly #cells: CellStore;
  readonly #families = new Map<string, Family>();

  constructor(cells: CellStore) {
    this.#cells = cells;
  }
  counter<L extends string>(spec: FamilySpec<L>): SeriesSet<L, Counter> {
    const make = (text: string): Counter => new Counter(this.#cells, seriesName(spec.name, text));
    return this.#register(spec, "counter", make);
  }
  gauge<L extends string>(spec: FamilySpec<L>): SeriesSet<L, Gauge> {
    const make = (text: string): Gauge => new Gauge(this.#cells, seriesName(spec.name, text));
    return this.#register(spec, "gauge", make);
  }
  histogram<L extends string>(spec: HistogramSpec<L>): SeriesSet<L, Histogram> {
    const make = (text: string): Histogram =>
      new Histogram(this.#cells, seriesName(spec.name, text), spec.bounds);
    return this.#register(spec, "histogram", make);
  }
  sampled<L extends string>(spec: SampledSpec<L>): void {
    this.#add({
      ...spec,
      emit(emit) {
        for (const [labels, value] of spec.read()) emit("", labelText(spec.labels, labels), value);
      },
    });
  }
  families(): Iterable<Family> {
    return this.#families.values();
  }

  #register<L extends string, S extends Instrument>(
    spec: FamilySpec<L>,
    kind: Family["kind"],
    make: (text: string) => S,
  ): SeriesSet<L, S> {
    const set = new SeriesSet(spec.labels, make);
    this.#add({ name: spec.name, help: spec.help, kind, emit: (emit) => set.emit(emit) });
    return set;
  }
  #add(family: Family): void {
    if (this.#families.has(family.name)) throw new Error(`metric ${family.name} registered twice`);
    this.#families.set(family.name, family);
  }
}

function seriesName(family: string, labels: string): string {
  return labels === "" ? family : `${family}{${labels}}`;
}
