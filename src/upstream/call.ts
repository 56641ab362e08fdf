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
/** A model may think for minutes; that its machine is still there is asked this often. */
const REACH_AGAIN_MS: Ms = 60_000;

/**
 * One upstream call: what may end it before it commits, and which deadline did. A stream keeps it
 * for as long as it runs, so `settle` lets go of everything but the means to abort.
 */
export class Call {
  readonly #controller = new AbortController();
  /** Undefined once it has committed or failed. */
  #options: CallOptions | undefined;
  #waitingSince: Ms;
  #expired: Fault | undefined;
  #timer: Timer | undefined;

  /** Arms the deadlines: one timer, whatever happens. */
  constructor(options: CallOptions) {
    const { clock, client, deadlines } = options;
    this.#options = options;
    this.#waitingSince = clock.now();
    const first = Math.min(deadlines.connectMs / 2, deadlines.firstEventMs);
    this.#timer = clock.after(first, () => this.#check());
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
  #check(): void {
    if (this.#options === undefined) return;
    const { clock, egress, deadlines } = this.#options;
    const left = deadlines.firstEventMs - (clock.now() - this.#waitingSince);
    if (left <= 0) return this.#expire("first_event");
    const heardAgo = clock.now() - egress.heardAt;
    const again = heardAgo < HEARD_RECENTLY_MS ? HEARD_RECENTLY_MS - heardAgo : REACH_AGAIN_MS;
    this.#timer = clock.after(Math.min(left, again), () => this.#check());
    if (heardAgo >= HEARD_RECENTLY_MS) this.#tryToReach(this.#options);
  }
  /** fetch does not tell when it connects, so a second connection is tried beside a silent one. */
  #tryToReach({ egress, dialled, deadlines }: CallOptions): void {
    const heardAt = egress.heardAt;
    void egress.reach(dialled, deadlines.connectMs / 2).then((reached) => {
      const silent = egress.heardAt === heardAt && !this.signal.aborted;
      if (!reached && silent && this.#options !== undefined) this.#expire("connect");
    });
  }
}
