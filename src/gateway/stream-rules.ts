import type { Stopped } from "../core/outcome.ts";
import type { Ms } from "../core/units.ts";
import { endsAnswers } from "../governor/governor.ts";
import type { Use } from "../governor/limit-book.ts";
import type { Key } from "../ingress/authenticate.ts";
import type { StreamTap } from "../protocol/dialect.ts";
import type { Leave } from "../relay/relay.ts";
import type { Clock, Timer } from "../runtime/runtime.ts";
import { BYTES_PER_TOKEN } from "./cost.ts";
import type { Visit } from "./visit.ts";

/** With what the stores of keys take to tell of a change, well under a second. */
const LOOK_MS: Ms = 250;

interface Watched {
  readonly key: Key;
  readonly relaying: Leave;
}

/** Ends answers whose key is revoked, denied or expires while they stream: one timer for all. */
export class KeyWatch {
  readonly #clock: Clock;
  readonly #wall: () => Ms;
  readonly #watched = new Set<Watched>();
  #timer: Timer | undefined;

  constructor(clock: Clock, wall: () => Ms = () => clock.wall()) {
    this.#clock = clock;
    this.#wall = wall;
  }

  /** Watches a stream until the answer is called; undefined where its key cannot end. */
  watch(key: Key, relaying: Leave): (() => void) | undefined {
    if (key.isValid === undefined && key.limits.expiresAt === undefined) return undefined;
    const watched = { key, relaying };
    this.#watched.add(watched);
    this.#timer ??= this.#clock.after(LOOK_MS, () => this.#look());
    return () => void this.#drop(watched);
  }

  #drop(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    const wall = this.#wall();
    for (const { key, relaying } of this.#watched) {
      if (!isOver(key, wall)) continue;
      relaying.stop("key_revoked"); // Which ends the watching of it, too, now or next time.
    }
    this.#timer =
      this.#watched.size > 0 ? this.#clock.after(LOOK_MS, () => this.#look()) : undefined;
  }
}

function isOver({ isValid, limits }: Key, wall: Ms): boolean {
  return isValid?.() === false || (limits.expiresAt !== undefined && wall > limits.expiresAt);
}

/** What a request was reserved by, as far as a stream's use is counted with it. */
export interface Priced {
  readonly inputTokens: number;
  readonly inputNano: number;
  readonly outputNanoPerMillion: number;
}

/** What an answer has used of its budgets. */
export interface Bound extends Use {
  readonly outputTokens: number;
}

/** Asked before each chunk of a stream; undefined where nothing may end it, as is usual. */
export function budgetRule(
  visit: Visit,
  tap: StreamTap | undefined,
): (() => Stopped | undefined) | undefined {
  const { key, permit, gateway, asked } = visit;
  if (key === undefined || permit === undefined || tap === undefined) return undefined;
  const otherwise = gateway.config.budgets.onExhausted;
  if (asked === undefined || !endsAnswers(key, otherwise)) return undefined;
  const { clock } = gateway.runtime;
  const { inputTokens, inputNano } = asked;
  let used: Bound = { outputTokens: 0, tokens: inputTokens, nano: inputNano };
  return () => {
    const next = usedOf(tap, asked);
    if (!permit.covers(next, { nowNs: clock.machine(), wall: gateway.wall(), otherwise })) {
      visit.bound = used; // What the tap saw last does not reach the client.
      return "budget_exceeded";
    }
    used = next;
    return undefined;
  };
}

/** What was streamed so far: the provider's count where it is told on the way, else an estimate. */
function usedOf(tap: StreamTap, { inputTokens, inputNano, outputNanoPerMillion }: Priced): Bound {
  const told = tap.usage;
  const output = Math.max(told?.outputTokens ?? 0, Math.ceil(tap.textBytes / BYTES_PER_TOKEN));
  return {
    outputTokens: output,
    tokens: Math.max(told?.inputTokens ?? 0, inputTokens) + output,
    nano: inputNano + Math.ceil((output * outputNanoPerMillion) / 1e6),
  };
}
