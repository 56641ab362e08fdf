import type { BudgetAlert } from "../core/alert.ts";
import type { Limits as KeyLimits, OnExhausted } from "../core/limits.ts";
import { type RateKind, Rejection, type Whose } from "../core/rejection.ts";
import type { Ms, Nano } from "../core/units.ts";
import type { Actor } from "../state/slab/actor.ts";
import { peekBudget } from "../state/slab/budget.ts";
import type { Limit } from "../state/slab/holds.ts";
import { Guard } from "../state/slab/guard.ts";
import { KIND, LEDGER } from "../state/slab/layout.ts";
import {
  countFacts,
  ledgerSince,
  type LedgerState,
  ledgerState,
} from "../state/slab/ledger-desk.ts";
import { type Admitted, type Ask, Limits, type Refused } from "../state/slab/limits.ts";
import { slabCounts, type SlabCounts } from "../state/slab/slab.ts";
import type { WallGuard } from "../state/slab/wall-guard.ts";
import { type AlertRule, alertsOf } from "./alerts.ts";
import { type Held, type HeldBudget, type Holder, holdOf, type Sharing } from "./held.ts";
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
  /**
   * Says whose request it is, for the fact of one whose process is killed; undefined when it has
   * none. A request that has one is noted, limited or not.
   */
  readonly tag?: Uint8Array | undefined;
}

/** What a request uses of its budgets. */
export interface Use {
  readonly tokens: number;
  readonly nano: Nano;
}

/** What it came to in the end. */
export interface Settled extends Use {
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

/** What a running request holds. */
export interface Taken {
  readonly admitted: Admitted;
  readonly asked: Asked;
  readonly held: Held;
  /** All that is reserved, with what was taken later. */
  reserved: Use;
  /** Reservations beyond the first: each of budgets alone. */
  more: Admitted[] | undefined;
}

/** What is reserved in addition, as a part of what was at first, so that few steps are enough. */
const MORE_PART = 4;

const MINUTE_NS = 60e9;
const PLAIN = { priceKey: 0, tag: new Uint8Array() } as const;
const UNUSED = { tokens: 0, nano: 0, estimated: false, fact: undefined } as const;

export interface LimitBookOptions extends Sharing {
  readonly shared?: boolean;
  readonly wall?: WallGuard | undefined;
}

/** When a running request asks for more, and by which rule. */
export interface Covering extends Instant {
  readonly otherwise: OnExhausted;
}

interface More extends Instant {
  readonly limits: readonly Limit[];
}

/** Every key's limits, exact over all processes that share the slab. */
export class LimitBook {
  readonly #actor: Actor;
  readonly #limits: Limits;
  readonly #held = new WeakMap<KeyLimits, Held>();
  readonly #guard: Guard;
  readonly #sharing: Sharing;

  /** Whether other processes see what is counted here: then facts can reach the ledger. */
  readonly shared: boolean;

  /** What periods are told by, where somebody guards the clock. */
  readonly wall: WallGuard | undefined;

  constructor(actor: Actor, { shared = false, slicePart, wall }: LimitBookOptions = {}) {
    this.#actor = actor;
    this.shared = shared;
    this.wall = wall;
    this.#sharing = { slicePart };
    this.#guard = new Guard(actor.slab, MINUTE_NS);
    this.#limits = new Limits(actor);
  }

  /** How full the table of limits is, and what came of that. */
  get counts(): SlabCounts & { readonly rowsMax: number } {
    const { slab } = this.#actor;
    return { ...slabCounts(slab), rowsMax: slab.layout.sizes.limitRows };
  }

  /** Whether an address may send one more this minute; in memory of one size, whoever comes. */
  allows(address: string, perMinute: number, nowNs: bigint): boolean {
    return this.#guard.allows(address, perMinute, nowNs);
  }

  /** Takes everything the request may need, or nothing. */
  admit(asked: Asked, instant: Instant): Taken | Rejection {
    const held = this.#heldBy(asked.key);
    const tag = asked.tag ?? PLAIN.tag;
    const ask: Ask = { ...asked, ...instant, ...PLAIN, tag, limits: held.limits };
    const answer = this.#limits.admit(ask);
    if (answer.kind === "refused") return this.#refusalOf(answer, held, ask);
    return { admitted: answer, asked, held, reserved: asked, more: undefined };
  }

  /**
   * Whether a running request may use so much: it is reserved already, or is now, of the budgets
   * that end an answer. `otherwise` is the rule of those that say nothing of it.
   */
  covers(taken: Taken, use: Use, { otherwise, ...instant }: Covering): boolean {
    const { reserved, asked } = taken;
    const short = {
      tokens: Math.max(0, use.tokens - reserved.tokens),
      nano: Math.max(0, use.nano - reserved.nano),
    };
    if (short.tokens === 0 && short.nano === 0) return true;
    const ahead = {
      tokens: short.tokens + Math.ceil(asked.tokens / MORE_PART),
      nano: short.nano + Math.ceil(asked.nano / MORE_PART),
    };
    const limits = hardBudgets(taken.held, otherwise);
    const ask = { ...instant, limits };
    return this.#takeMore(taken, ahead, ask) || this.#takeMore(taken, short, ask);
  }

  #takeMore(taken: Taken, { tokens, nano }: Use, ask: More): boolean {
    const { asked, reserved } = taken;
    const cost = { inputTokens: 0, inputNano: 0, outputNanoPerMillion: 0, tokens, nano };
    const answer = this.#limits.admit({ ...asked, ...cost, ...PLAIN, ...ask, isExtra: true });
    if (answer.kind === "refused") return false;
    (taken.more ??= []).push(answer);
    taken.reserved = { tokens: reserved.tokens + tokens, nano: reserved.nano + nano };
    return true;
  }

  settle({ admitted, more }: Taken, { settled, nowNs, fact }: Settling): void {
    const { tokens, nano, estimated, outputTokens } = settled;
    // Should a kill come between this and the fact, it still says how the tokens split.
    if (outputTokens !== undefined) this.#limits.delivered(admitted, outputTokens);
    this.#limits.settle(admitted, { tokens, nano, estimated, nowNs, fact });
    if (more === undefined) return;
    // Given back after the truth is charged: in between a budget is only stricter.
    for (const each of more) this.#limits.settle(each, { ...UNUSED, nowNs });
  }

  delivered({ admitted }: Taken, outputTokens: number): void {
    this.#limits.delivered(admitted, outputTokens);
  }

  annotate({ admitted }: Taken, more: Uint8Array): void {
    this.#limits.annotate(admitted, more);
  }

  /** Gives waiting facts their room in the ring; answers how many still wait. */
  flush(): number {
    return this.#limits.flush();
  }

  /** What is to be told of the budgets of a request's key, by this process alone. */
  alerts(key: Holder, rule: AlertRule): readonly BudgetAlert[] {
    return alertsOf(this.#actor, this.#heldBy(key), rule);
  }

  /** Whether requests are not settled yet, or facts wait for room in a ledger that takes them. */
  get isOwing(): boolean {
    const waits = this.#limits.flush() > 0 && ledgerState(this.#actor.slab) === LEDGER.healthy;
    return waits || this.#limits.inFlight > 0;
  }

  /** Whether the ledger takes facts. */
  get ledger(): LedgerState {
    return ledgerState(this.#actor.slab);
  }
  /** Since when it takes none, on the machine's clock. */
  get ledgerSince(): bigint {
    return ledgerSince(this.#actor.slab);
  }
  /** Whether another fact finds room on its way to the ledger. */
  get hasFactRoom(): boolean {
    return this.#limits.flush() === 0;
  }
  /** Counts a request that is served without a fact. */
  skipFact(): void {
    countFacts(this.#actor.slab, "Skipped", 1);
  }

  levels(key: Holder, instant: Instant): Levels {
    return levelsOf(this.#actor.slab, this.#heldBy(key), instant);
  }

  #heldBy(key: Holder): Held {
    const { id, limits, tenant } = key;
    const known = this.#held.get(limits);
    if (known?.key === id && known.tenant?.id === tenant?.id) return known;
    const held = holdOf(this.#actor.slab, key, this.#sharing);
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

/** The budgets that end an answer, of the key and of its tenant: each by its own rule. */
function hardBudgets({ own, tenant }: Held, otherwise: OnExhausted): readonly Limit[] {
  const parts = tenant === undefined ? [own] : [own, tenant];
  return parts
    .filter(({ configured }) => (configured.onExhausted ?? otherwise) === "hard_stop")
    .flatMap(({ budgets }) => budgets.map(({ limit }) => limit));
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
