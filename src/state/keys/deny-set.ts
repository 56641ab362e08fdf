import type { Ms } from "../../core/units.ts";
import type { Clock } from "../../runtime/runtime.ts";
import type { DenyEvent, DenyReason, DenySource } from "./deny-source.ts";

/** One source as metrics and health show it. */
export interface DenySourceStatus {
  readonly name: string;
  readonly size: number;
  readonly stalenessMs: Ms;
  /** Why it cannot be read or reached now. */
  readonly broken: string | undefined;
  /** What is wrong with it otherwise. */
  readonly flaw: string | undefined;
}

/** Hears of each problem as it comes, and `undefined` when a source has none any more. */
export type OnDenyProblem = (source: string, problem: string | undefined) => void;

interface Followed {
  readonly source: DenySource;
  denied: Map<bigint, DenyReason>;
  freshAt: Ms;
  broken: string | undefined;
  flaw: string | undefined;
}

/** The graver reason is given where sources differ: a suspension is not lifted by paying. */
const GRAVITY: Readonly<Record<DenyReason, number>> = { spend: 0, other: 1, fraud: 2 };

/**
 * Denied tenants, in memory. A tenant is denied while any source denies it: one that restores it
 * speaks for itself alone. A source that falls silent goes on denying what it last denied.
 */
export class DenySet {
  readonly #clock: Clock;
  readonly #onProblem: OnDenyProblem;
  readonly #followed: Followed[] = [];

  constructor(clock: Clock, onProblem: OnDenyProblem = () => {}) {
    this.#clock = clock;
    this.#onProblem = onProblem;
  }

  /** Takes a source in and starts it. */
  follow(source: DenySource): void {
    const followed: Followed = {
      source,
      denied: new Map(),
      freshAt: this.#clock.now(),
      broken: undefined,
      flaw: undefined,
    };
    this.#followed.push(followed);
    source.start((event) => this.#take(followed, event));
  }

  /** Why this tenant is denied; undefined when it is not. */
  find(tenant: bigint): DenyReason | undefined {
    let gravest: DenyReason | undefined;
    for (const { denied } of this.#followed) {
      const reason = denied.get(tenant);
      if (reason === undefined) continue;
      if (gravest === undefined || GRAVITY[reason] > GRAVITY[gravest]) gravest = reason;
    }
    return gravest;
  }

  /** How long ago the stalest source was surely whole; 0 without a source that can be behind. */
  get stalenessMs(): Ms {
    let stalest = 0;
    const now = this.#clock.now();
    for (const { source, freshAt } of this.#followed) {
      if (!source.local) stalest = Math.max(stalest, now - freshAt);
    }
    return stalest;
  }

  /** Denials held, a tenant once for each source that denies it. */
  get size(): number {
    return this.#followed.reduce((sum, { denied }) => sum + denied.size, 0);
  }

  statuses(): readonly DenySourceStatus[] {
    const now = this.#clock.now();
    return this.#followed.map(({ source, denied, freshAt, broken, flaw }) => ({
      name: source.name,
      size: denied.size,
      stalenessMs: source.local ? 0 : now - freshAt,
      broken,
      flaw,
    }));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#followed.map(({ source }) => source.stop()));
  }

  #take(followed: Followed, event: DenyEvent): void {
    switch (event.kind) {
      case "reset":
        followed.denied = new Map(event.denied);
        this.#freshen(followed, event.ageMs);
        return;
      case "deny":
        followed.denied.set(event.tenant, event.reason);
        return;
      case "restore":
        followed.denied.delete(event.tenant);
        return;
      case "fresh":
        this.#freshen(followed, event.ageMs);
        this.#note(followed, { broken: undefined, flaw: followed.flaw });
        return;
      case "broken":
        this.#note(followed, { broken: event.detail, flaw: followed.flaw });
        return;
      case "flaw":
        this.#note(followed, { broken: followed.broken, flaw: event.detail });
        return;
    }
  }

  #note(followed: Followed, { broken, flaw }: Pick<Followed, "broken" | "flaw">): void {
    if (followed.broken === broken && followed.flaw === flaw) return;
    followed.broken = broken;
    followed.flaw = flaw;
    this.#onProblem(followed.source.name, broken ?? flaw);
  }

  /** An age comes from wall clocks, and those are set back at times: nothing is from the future. */
  #freshen(followed: Followed, ageMs: Ms): void {
    followed.freshAt = this.#clock.now() - Math.max(0, ageMs);
  }
}
