import type { AnyBackend, Backend } from "./backend.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Admits, Local, Placement, Privacy, Private, Shareable } from "./privacy.ts";

/** One backend serving one model: what a plan is made of. */
export interface Lane<out L extends Placement> {
  readonly backend: Backend<L>;
  /** The configured model's name; a metric label, bounded by the configuration. */
  readonly model: string;
  /** The name the backend knows the model by; undefined passes the caller's name on. */
  readonly upstreamModel: string | undefined;
  /** Lower is tried first. */
  readonly priority: number;
  /** The share of traffic among lanes of the same priority; at least 1. */
  readonly weight: number;
  /** Tokens the model accepts; undefined when nobody said. */
  readonly contextMax: number | undefined;
  /** What this model takes and refuses, where that is not what its host does. */
  readonly capabilities: Partial<Capabilities>;
}
/** A lane as configured, before any class has narrowed it. */
export type AnyLane = Lane<Placement> & { readonly backend: AnyBackend };

/** The lanes a request of class P may see. */
export class Pool<in out P extends Privacy> {
  readonly #admits: P;
  readonly name: string;
  readonly lanes: readonly Lane<Admits<P>>[];

  private constructor(admits: P, name: string, lanes: readonly Lane<Admits<P>>[]) {
    this.#admits = admits;
    this.name = name;
    this.lanes = Object.freeze(lanes);
  }
  static private(name: string, all: readonly AnyLane[]): Pool<Private> {
    return new Pool<Private>("private", name, all.flatMap(localOnly));
  }
  static shareable(name: string, all: readonly AnyLane[]): Pool<Shareable> {
    return new Pool<Shareable>("shareable", name, [...all]);
  }
  /** The same pool with no more than those of its lanes. */
  within(keep: (lane: Lane<Admits<P>>) => boolean): Pool<P> {
    return new Pool<P>(this.#admits, this.name, this.lanes.filter(keep));
  }
  get privacy(): P {
    return this.#admits;
  }
}

/** Built anew rather than filtered: this way the compiler checks that what remains is local. */
function localOnly(lane: AnyLane): Lane<Local>[] {
  const { backend } = lane;
  return backend.placement === "local" ? [{ ...lane, backend }] : [];
}
