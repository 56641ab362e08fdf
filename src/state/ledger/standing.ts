import type { LedgerFailure } from "../../config/config.ts";
import type { KeyId } from "../../core/ids.ts";
import type { Nano } from "../../core/units.ts";

/** A request that wants to start while the ledger takes no facts. */
export interface Doubtful {
  readonly key: KeyId;
  /** The most it can come to; undefined when nobody knows its price. */
  readonly nano: () => Nano | undefined;
}
/** How the ledger stands, on the machine's clock. */
export interface Trouble {
  readonly sinceNs: bigint;
  readonly nowNs: bigint;
  /** Whether facts still find room on their way. */
  readonly hasRoom: boolean;
}

/** Who may start while usage cannot be written down: reliability.md §3.5. */
export class Standing {
  readonly #failure: LedgerFailure;
  #sinceNs = 0n;
  readonly #spent = new Map<KeyId, Nano>();

  constructor(failure: LedgerFailure) {
    this.#failure = failure;
  }

  /** Whether it may, and counts it towards what its key may spend in the meantime. */
  admits(doubtful: Doubtful, { sinceNs, nowNs, hasRoom }: Trouble): boolean {
    const failure = this.#failure;
    if (failure.mode === "strict" || !hasRoom) return false;
    if (nowNs - sinceNs >= BigInt(Math.ceil(failure.graceMs)) * 1_000_000n) return false;
    if (sinceNs !== this.#sinceNs) this.#spent.clear();
    this.#sinceNs = sinceNs;
    const { key } = doubtful;
    const nano = doubtful.nano();
    if (nano === undefined) return false;
    const spent = (this.#spent.get(key) ?? 0) + nano;
    if (spent > failure.capNano) return false;
    this.#spent.set(key, spent);
    return true;
  }
}
