import type { KeyId } from "../../core/ids.ts";
import type { Ms } from "../../core/units.ts";
import type { NanoAmount } from "../rate-card/prices.ts";
import type { SinkFailure } from "./sink.ts";

/** What the gateway does while facts cannot be written. reliability.md §3.5. */
export type FailureMode =
  /** No managed key starts a request. */
  | { readonly mode: "strict" }
  /** For so long, each key may still spend so much; then as `strict`. */
  | { readonly mode: "grace"; readonly graceMs: Ms; readonly capNano: NanoAmount };

/** Whether facts reach the disk. Anything but `healthy` makes the gateway not ready. */
export type Health =
  | { readonly state: "healthy" }
  | { readonly state: "grace"; readonly why: Trouble; readonly since: Ms; readonly until: Ms }
  | { readonly state: "strict"; readonly why: Trouble; readonly since: Ms };
/** `overflow`: the queue in memory is full as well. */
export type Trouble = SinkFailure | "overflow";

const HEALTHY: Health = { state: "healthy" };

/** Decides, from failures and successes of writing, who may still start. */
export class Standing {
  readonly #failure: FailureMode;
  #health: Health = HEALTHY;
  readonly #spent = new Map<KeyId, NanoAmount>();

  constructor(failure: FailureMode) {
    this.#failure = failure;
  }

  failed(why: Trouble, now: Ms): void {
    const health = this.at(now);
    const since = health.state === "healthy" ? now : health.since;
    if (why === "overflow" || this.#failure.mode === "strict") {
      this.#health = { state: "strict", why, since };
    } else if (health.state === "healthy") {
      this.#health = { state: "grace", why, since, until: now + this.#failure.graceMs };
    }
  }

  succeeded(): void {
    if (this.#health.state === "healthy") return;
    this.#health = HEALTHY;
    this.#spent.clear();
  }

  /** How it stands now: a grace that has run out is over. */
  at(now: Ms): Health {
    const health = this.#health;
    if (health.state === "grace" && now >= health.until) {
      this.#health = { state: "strict", why: health.why, since: health.since };
    }
    return this.#health;
  }

  /** Whether this key may start a request that reserves `nano`; counts it where there is a cap. */
  admits(key: KeyId, nano: NanoAmount, now: Ms): boolean {
    switch (this.at(now).state) {
      case "healthy":
        return true;
      case "strict":
        return false;
      case "grace": {
        if (this.#failure.mode === "strict") return false;
        const spent = (this.#spent.get(key) ?? 0n) + nano;
        if (spent > this.#failure.capNano) return false;
        this.#spent.set(key, spent);
        return true;
      }
    }
  }
}
