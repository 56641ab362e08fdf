import type { Limits as KeyLimits } from "../core/limits.ts";
import { type RateKind, Rejection, type Whose } from "../core/rejection.ts";
import type { Ms, Nano } from "../core/units.ts";
import type { Actor } from "../state/slab/actor.ts";
import { peekBudget } from "../state/slab/budget.ts";
import { Guard } from "../state/slab/guard.ts";
import { KIND } from "../state/slab/layout.ts";
import { type Admitted, type Ask, Limits, type Refused } from "../state/slab/limits.ts";
import { type Held, type HeldBudget, type Holder, holdOf } from "./held.ts";
import { type Instant, type Levels, levelsOf } from "./levels.ts";
import { periodEnd } from "./periods.ts";

/** Who asks, and the most that its request can come to. */
export interface Asked {
  readonly key: Holder;
  readonly inputTokens: number;
  /** Input by estimate and all the output it may have. */
  readonly tokens: number;
  readonly inputNano: Nano;
  readonly nano: Nano;
  readonly outputNanoPerMillion: Nano;
  /** Says whose request it is, for the fact of one whose process is killed; empty for none. */
  readonly tag?: Uint8Array | undefined;
}

/** What it came to in the end. */
export interface Settled {
  readonly tokens: number;
  readonly nano: Nano;
  readonly estimated: boolean;
  /** Part of the tokens. */
  readonly outputTokens?: number | undefined;
}

/** The end of a request. */
export interface Settling {
  readonly settled: Settled;
  readonly nowNs: bigint;
  /** For the ledger; undefined when nobody is to hear of it. */
  readonly fact: Uint8Array | undefined;
}

const MINUTE_NS = 60e9;
const NO_TAG = new Uint8Array();

/** Every key's limits, exact over all processes that share the slab. */
export class LimitBook {
  readonly #actor: Actor;
  readonly #limits: Limits;
  readonly #held = new WeakMap<KeyLimits, Held>();
  readonly #guard: Guard;

  /** Whether other processes see what is counted here: then facts can reach the ledger. */
  readonly shared: boolean;

  constructor(actor: Actor, { shared = false }: { readonly shared?: boolean } = {}) {
    this.#actor = actor;
    this.shared = shared;
    this.#guard = new Guard(actor.slab, MINUTE_NS);
    this.#limits = new Limits(actor);
  }

  /** Whether an address may send one more this minute; in memory of one size, whoever comes. */
  allows(address: string, perMinute: number, nowNs: bigint): boolean {
    return this.#guard.allows(address, perMinute, nowNs);
  }

  /** Takes everything the request may need, or nothing. */
  admit(asked: Asked, instant: Instant): Admitted | Rejection {
    const held = this.#heldBy(asked.key);
    const ask: Ask = {
      ...asked,
      ...instant,
      limits: held.limits,
      priceKey: 0,
      tag: asked.tag ?? NO_TAG,
    };
    const answer = this.#limits.admit(ask);
    return answer.kind === "admitted" ? answer : this.#refusalOf(answer, held, ask);
  }

  settle(admitted: Admitted, { settled, nowNs, fact }: Settling): void {
    const { tokens, nano, estimated, outputTokens } = settled;
    // Should a kill come between this and the fact, it still says how the tokens split.
    if (outputTokens !== undefined) this.#limits.delivered(admitted, outputTokens);
    this.#limits.settle(admitted, { tokens, nano, estimated, nowNs, fact });
  }

  delivered(admitted: Admitted, outputTokens: number): void {
    this.#limits.delivered(admitted, outputTokens);
  }

  annotate(admitted: Admitted, more: Uint8Array): void {
    this.#limits.annotate(admitted, more);
  }

  /** Gives waiting facts their room in the ring; answers how many still wait. */
  flush(): number {
    return this.#limits.flush();
  }

  levels(key: Holder, instant: Instant): Levels {
    return levelsOf(this.#actor.slab, this.#heldBy(key), instant);
  }

  #heldBy(key: Holder): Held {
    const { id, limits, tenant } = key;
    const known = this.#held.get(limits);
    if (known?.key === id && known.tenant?.id === tenant?.id) return known;
    const held = holdOf(this.#actor.slab, key);
    this.#held.set(limits, held);
    return held;
  }

  #refusalOf({ by, retryAfterNs }: Refused, held: Held, ask: Ask): Rejection {
    const retryAfterMs = retryAfterNs === undefined ? undefined : Math.ceil(retryAfterNs / 1e6);
    if (by === "in_flight") {
      return new Rejection({ kind: "overloaded", retryAfterMs: retryAfterMs ?? SATURATED_MS });
    }
    const { own, tenant } = held;
    const whose: Whose = tenant?.limits.includes(by) === true ? "tenant" : "key";
    switch (by.kind) {
      case KIND.requests:
        return limited("rpm", { retryAfterMs, whose });
      case KIND.tokens:
        return limited("tpm", { retryAfterMs, whose });
      case KIND.slots:
        return limited("concurrency", { retryAfterMs, whose });
      case KIND.nanoBudget:
      case KIND.tokenBudget: {
        const { budgets } = whose === "tenant" && tenant !== undefined ? tenant : own;
        const spent = budgets.find(({ limit }) => limit === by);
        const wait = retryAfterMs ?? (spent && this.#renewedIn(spent, ask));
        return new Rejection({ kind: "budget_exhausted", retryAfterMs: wait, status: 429, whose });
      }
    }
  }

  /** How soon what was refused may fit; undefined when it is more than the whole budget. */
  #renewedIn({ budget, limit }: HeldBudget, { tokens, nano, wall }: Ask): Ms | undefined {
    const asked = budget.unit === "usd" ? nano : tokens;
    if (asked > limit.max) return undefined;
    const end = periodEnd(budget.period, wall);
    const toEnd = end === undefined ? undefined : end - wall;
    // Where reservations alone are in the way, they end sooner than the period.
    const { spent } = peekBudget(this.#actor.slab, limit);
    return spent + asked <= limit.max ? Math.min(SATURATED_MS, toEnd ?? Infinity) : toEnd;
  }
}

const SATURATED_MS: Ms = 2000;
const MINUTE_MS: Ms = 60_000;

interface Over {
  readonly retryAfterMs: Ms | undefined;
  readonly whose: Whose;
}

function limited(limit: RateKind, { retryAfterMs = MINUTE_MS, whose }: Over): Rejection {
  return new Rejection({ kind: "rate_limited", limit, retryAfterMs, whose });
}
