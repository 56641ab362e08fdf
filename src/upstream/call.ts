import type { Deadlines } from "../core/backend.ts";
import type { Fault } from "../core/fault.ts";
import type { Ms } from "../core/units.ts";
import type { Clock, Timer } from "../runtime/runtime.ts";
import type { Dialled, Egress } from "./egress.ts";

export interface CallOptions {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Aborts when the client leaves. */
  readonly client: AbortSignal;
  readonly egress: Egress;
  readonly dialled: Dialled;
}

/** A backend heard from this recently is not asked whether it can be reached. */
const HEARD_RECENTLY_MS: Ms = 5000;

/**
 * One upstream call: what may end it before it commits, and which deadline did. A stream keeps it
 * for as long as it runs, so `settle` lets go of everything but the means to abort.
 */
export class Call {
  readonly #controller = new AbortController();
  /** Undefined once it has committed or failed. */
  #options: CallOptions | undefined;
  readonly #startedAt: Ms;
  #waitingSince: Ms;
  #expired: Fault | undefined;
  #timer: Timer | undefined;

  /** Arms the deadlines: one timer, whatever happens. */
  constructor(options: CallOptions) {
    const { clock, client, deadlines } = options;
    this.#options = options;
    this.#startedAt = this.#waitingSince = clock.now();
    const first = Math.min(deadlines.connectMs / 2, deadlines.firstEventMs);
    this.#timer = clock.after(first, () => this.#checkReach());
    if (client.aborted) this.abort();
    else client.onabort = () => this.abort(); // Half a listener's price, and nobody else listens.
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  /** The deadline that ended it; undefined when none did. */
  get expired(): Fault | undefined {
    return this.#expired;
  }
  abort(): void {
    this.#controller.abort();
  }
  /** Bytes came: the wait starts anew. */
  heard(): void {
    if (this.#options !== undefined) this.#waitingSince = this.#options.clock.now();
  }
  /** It committed or failed: its deadlines are over, and the relay sees to a client's leave. */
  settle(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#options !== undefined) this.#options.client.onabort = null;
    this.#options = undefined;
  }

  #expire(phase: "connect" | "first_event"): void {
    this.#expired = { kind: "timeout", phase };
    this.abort();
  }
  #checkSilence(): void {
    if (this.#options === undefined) return;
    const { clock, deadlines } = this.#options;
    const left = deadlines.firstEventMs - (clock.now() - this.#waitingSince);
    if (left <= 0) this.#expire("first_event");
    else this.#timer = clock.after(left, () => this.#checkSilence());
  }
  /** fetch does not tell when it connects, so a second connection is tried beside a silent one. */
  #checkReach(): void {
    this.#checkSilence();
    if (this.#options === undefined || this.#expired !== undefined) return;
    const { clock, egress, dialled, deadlines } = this.#options;
    if (clock.now() - egress.heardAt < HEARD_RECENTLY_MS) return;
    void egress.reach(dialled, deadlines.connectMs / 2).then((reached) => {
      const silent = egress.heardAt < this.#startedAt && !this.signal.aborted;
      if (!reached && silent && this.#options !== undefined) this.#expire("connect");
    });
  }
}
