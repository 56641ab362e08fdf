import type {
  DenyEvent,
  DenyReason,
  DenySource,
  OnDenyEvent,
  Revision,
} from "../../../src/state/keys/deny-source.ts";

/**
 * Denials made by hand, in this process. They are in force when the call returns; `SavedDenials`
 * around this keeps them over a restart.
 */
export class HandDenials implements DenySource {
  readonly name = "admin";
  readonly local = true;
  readonly #denied = new Map<bigint, DenyReason>();
  #revision: Revision = 0n;
  #onEvent: OnDenyEvent | undefined;

  start(onEvent: OnDenyEvent, after?: Revision): void {
    this.#onEvent = onEvent;
    if (after === undefined) {
      const denied = new Map(this.#denied);
      onEvent({ kind: "reset", denied, revision: this.#revision, ageMs: 0 });
    } else if (after > this.#revision) {
      this.#revision = after;
    }
    onEvent({ kind: "fresh", revision: this.#revision, ageMs: 0 });
  }

  async stop(): Promise<void> {
    this.#onEvent = undefined;
  }

  deny(tenant: bigint, reason: DenyReason): void {
    this.#tell({ kind: "deny", tenant, reason, revision: this.#revision + 1n });
    this.#denied.set(tenant, reason);
  }

  restore(tenant: bigint): void {
    this.#tell({ kind: "restore", tenant, revision: this.#revision + 1n });
    this.#denied.delete(tenant);
  }

  /** A denial nobody hears would be one that is not in force. */
  #tell(event: DenyEvent & { readonly revision: Revision }): void {
    if (this.#onEvent === undefined) throw new Error("the admin denials were not started");
    this.#revision = event.revision;
    this.#onEvent(event);
    this.#onEvent({ kind: "fresh", revision: event.revision, ageMs: 0 });
  }
}
