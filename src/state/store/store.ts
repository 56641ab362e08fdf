import type { AuditHead, AuditRecord, NewAudit } from "../audit/chain.ts";
import type { Entry } from "../ledger/facts.ts";
import type { NewEvent, Revision, StoredEvent } from "./event.ts";
import type { Changes, RegisterEntry } from "./registers.ts";
import type { ViewRow } from "./views.ts";

/**
 * All that outlives a process, one contract for memory, SQLite and Postgres. Every call ends within
 * the engine's deadline; a write that missed it may be asked again, since all carry their identity.
 *
 * @throws StoreError from every method when the engine cannot do it now.
 */
export interface Store {
  readonly engine: "memory" | "sqlite" | "postgres";

  /**
   * Appends all of `events` or none, with the views they change and the audit record in the same
   * transaction. Events whose id is there already are left as they were.
   */
  append(events: readonly NewEvent[], options?: AppendOptions): Promise<Appended>;
  /** Events after a revision, in order, without gaps. */
  events(after: Revision, limit: number): Promise<readonly StoredEvent[]>;
  revision(): Promise<Revision>;
  view(name: string): Promise<ReadonlyMap<string, ViewRow>>;
  viewRow(name: string, id: string): Promise<ViewRow | undefined>;
  /** Rows of a view that events after a revision left, in the order of those events. */
  viewAfter(name: string, after: Revision, limit: number): Promise<readonly ViewRow[]>;
  /** Makes every view anew from the log. */
  rebuild(): Promise<void>;

  audit(entry: NewAudit): Promise<AuditRecord>;
  auditRecords(after: number, limit: number): Promise<readonly AuditRecord[]>;
  auditHead(): Promise<AuditHead>;

  /** Keeps, of each register, whichever entry wins; answers those that were news. */
  mergeRegisters(entries: readonly RegisterEntry[]): Promise<readonly RegisterEntry[]>;
  /** Registers changed here after `cursor`, in the order in which they were. */
  registersAfter(cursor: number, limit: number): Promise<Changes>;
  /** Forgets tombstones stamped before; only once every node has them. */
  pruneRegisters(before: string): Promise<number>;

  /** Facts of any node, each once, with its key's balance. Answers how many were new. */
  appendFacts(entries: readonly Entry[]): Promise<number>;

  /** Calls `wake` when there may be new events; returns how to stop. */
  onChange(wake: () => void): Promise<() => void>;
  close(): Promise<void>;
}

export interface AppendOptions {
  /** Appends only if the log still ends here. */
  readonly expected?: Revision | undefined;
  readonly audit?: NewAudit | undefined;
}
export type Appended =
  | { readonly ok: true; readonly revision: Revision; readonly fresh: number }
  /** Somebody else appended first. */
  | { readonly ok: false; readonly revision: Revision };
