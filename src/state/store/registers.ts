import type { HybridClock, Stamp } from "./hlc.ts";

/**
 * What an operator set, or took away, at one moment. Only whole settings are registers; spend and
 * quotas never are, since the loser of a merge is forgotten.
 */
export interface RegisterEntry {
  readonly key: string;
  /** JSON text; undefined is a tombstone. */
  readonly value: string | undefined;
  readonly stamp: Stamp;
}

/**
 * Whether `a` goes before `b`: the later stamp, then the tombstone, then the greater value. A total
 * order over all entries of a key, so that every node picks the same (features.md e-R6, e-W1).
 */
export function wins(a: RegisterEntry, b: RegisterEntry): boolean {
  if (a.stamp !== b.stamp) return a.stamp > b.stamp;
  if ((a.value === undefined) !== (b.value === undefined)) return a.value === undefined;
  return (a.value ?? "") > (b.value ?? "");
}

export type RegisterState = ReadonlyMap<string, RegisterEntry>;

/** The join of two states: of each key whichever entry wins, tombstones among them. */
export function merge(mine: RegisterState, theirs: RegisterState): RegisterState {
  const joined = new Map(mine);
  for (const [key, entry] of theirs) {
    const held = joined.get(key);
    if (held === undefined || wins(entry, held)) joined.set(key, entry);
  }
  return joined;
}

export interface Changes {
  readonly entries: readonly RegisterEntry[];
  /** Where to go on. */
  readonly cursor: number;
}

/** One node's registers, and in which order they came to it. */
export class Registers {
  readonly #entries = new Map<string, RegisterEntry>();
  /** By key, when it last changed here: what a peer asks for goes by this, not by stamps. */
  readonly #changed = new Map<string, number>();
  #cursor = 0;

  get(key: string): string | undefined {
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: string, clock: HybridClock): RegisterEntry {
    return this.#put({ key, value, stamp: clock.next() });
  }

  /** Leaves a tombstone, also for what is not here: a peer may have it. */
  remove(key: string, clock: HybridClock): RegisterEntry {
    return this.#put({ key, value: undefined, stamp: clock.next() });
  }

  /** Takes what wins; answers what was news, for whoever passes it on. */
  merge(entries: Iterable<RegisterEntry>): readonly RegisterEntry[] {
    const news: RegisterEntry[] = [];
    for (const entry of entries) {
      const held = this.#entries.get(entry.key);
      if (held === undefined || wins(entry, held)) news.push(this.#put(entry));
    }
    return news;
  }

  /**
   * What changed here after `cursor`. A peer keeps the cursor it was given: by stamps it would miss
   * an old entry that reached us late from a third node.
   */
  since(cursor: number, limit = Number.POSITIVE_INFINITY): Changes {
    const later = [...this.#changed].filter(([, at]) => at > cursor);
    const page = later.sort((a, b) => a[1] - b[1]).slice(0, limit);
    const entries = page.flatMap(([key]) => this.#entries.get(key) ?? []);
    return { entries, cursor: page.at(-1)?.[1] ?? cursor };
  }

  /**
   * Forgets tombstones stamped before `before`. Only once every peer has them: a peer that has not
   * would bring the value back, so one away for longer takes our whole state instead of merging.
   */
  prune(before: Stamp): number {
    const old = [...this.#entries.values()].filter(
      (e) => e.value === undefined && e.stamp < before,
    );
    for (const { key } of old) {
      this.#entries.delete(key);
      this.#changed.delete(key);
    }
    return old.length;
  }

  get state(): RegisterState {
    return this.#entries;
  }

  #put(entry: RegisterEntry): RegisterEntry {
    this.#entries.set(entry.key, entry);
    this.#changed.set(entry.key, ++this.#cursor);
    return entry;
  }
}
