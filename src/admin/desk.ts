import type { TenantId } from "../core/ids.ts";
import type { Clock } from "../runtime/runtime.ts";
import type { Actor } from "../state/keys/key-audit.ts";
import type { KeyBook } from "../state/keys/key-book.ts";
import type { DenySourceStatus } from "../state/keys/deny-set.ts";
import type { Store } from "../state/store/store.ts";

/** What the admin API works on; whoever assembles the gateway provides it. */
export interface AdminDesk {
  readonly clock: Clock;
  /** Where a change is made, as the event log names it. */
  readonly node: string;
  /** An id for a new event. */
  newId(): string;
  /** The stored keys, for one call of `by`; a sentence where there can be none. */
  keys(by: Actor): Promise<KeyBook | string>;
  /** The event log and the audit log; a sentence where they cannot be used now. */
  store(): Promise<Store | string>;
  /** The places where it is said who is shut out; undefined where signed keys are not taken. */
  denials(): readonly DenySourceStatus[] | undefined;
}

/** One call of the API, its caller known and allowed to make it. */
export interface Call {
  readonly request: Request;
  readonly desk: AdminDesk;
  readonly by: Actor;
  /** Whose keys alone it may see and change; undefined for everybody's. */
  readonly tenant: TenantId | undefined;
  /** What the path's pattern caught. */
  readonly caught: readonly string[];
  readonly query: URLSearchParams;
}

/** The state is out of reach: nothing was changed. */
export class DeskClosed extends Error {
  override readonly name = "DeskClosed";
}

export async function storeOf({ desk }: Call): Promise<Store> {
  const store = await desk.store();
  if (typeof store === "string") throw new DeskClosed(store);
  return store;
}
