import {
  type AuditHead,
  type AuditRecord,
  type ChainKey,
  EMPTY_HEAD,
  link,
  type NewAudit,
} from "../audit/chain.ts";
import type { Entry } from "../ledger/facts.ts";
import { bare, type NewEvent, type Revision, type StoredEvent } from "./event.ts";
import { type Changes, type RegisterEntry, Registers } from "./registers.ts";
import type { Appended, AppendOptions, Store } from "./store.ts";
import { effectOf, type ViewRow } from "./views.ts";

/** Everything in this process's memory: for tests, and for a gateway that keeps nothing. */
export function memoryStore({ key }: { readonly key?: ChainKey } = {}): Store {
  return new MemoryStore(key);
}

class MemoryStore implements Store {
  readonly engine = "memory";
  readonly #key: ChainKey;
  readonly #log: StoredEvent[] = [];
  readonly #ids = new Set<string>();
  #views = new Map<string, Map<string, ViewRow>>();
  readonly #audit: AuditRecord[] = [];
  readonly #registers = new Registers();
  readonly #facts = new Set<string>();
  readonly #wakes = new Set<() => void>();

  constructor(key: ChainKey) {
    this.#key = key;
  }

  async append(events: readonly NewEvent[], options: AppendOptions = {}): Promise<Appended> {
    const revision = this.#log.length;
    if (options.expected !== undefined && options.expected !== revision) {
      return { ok: false, revision };
    }
    for (const event of events) {
      if (this.#ids.has(event.id)) continue;
      this.#ids.add(event.id);
      const stored = { ...event, body: bare(event.body), revision: this.#log.length + 1 };
      this.#log.push(stored);
      this.#project(stored);
    }
    if (options.audit !== undefined) this.#link(options.audit);
    const fresh = this.#log.length - revision;
    if (fresh > 0) for (const wake of this.#wakes) wake();
    return { ok: true, revision: this.#log.length, fresh };
  }

  async events(after: Revision, limit: number): Promise<readonly StoredEvent[]> {
    return this.#log.slice(after, after + limit);
  }
  async revision(): Promise<Revision> {
    return this.#log.length;
  }
  async view(name: string): Promise<ReadonlyMap<string, ViewRow>> {
    return new Map(this.#views.get(name));
  }
  async viewRow(name: string, id: string): Promise<ViewRow | undefined> {
    return this.#views.get(name)?.get(id);
  }
  async viewAfter(name: string, after: Revision, limit: number): Promise<readonly ViewRow[]> {
    const rows = [...(this.#views.get(name)?.values() ?? [])];
    const later = rows.filter(({ revision }) => revision > after);
    return later.sort((a, b) => a.revision - b.revision).slice(0, limit);
  }
  async rebuild(): Promise<void> {
    this.#views = new Map();
    for (const event of this.#log) this.#project(event);
  }

  async audit(entry: NewAudit): Promise<AuditRecord> {
    return this.#link(entry);
  }
  async auditRecords(after: number, limit: number): Promise<readonly AuditRecord[]> {
    return this.#audit.slice(after, after + limit);
  }
  async auditHead(): Promise<AuditHead> {
    const last = this.#audit.at(-1);
    return last === undefined ? EMPTY_HEAD : { seq: last.seq, hash: last.hash };
  }

  async mergeRegisters(entries: readonly RegisterEntry[]): Promise<readonly RegisterEntry[]> {
    return this.#registers.merge(entries);
  }
  async registersAfter(cursor: number, limit: number): Promise<Changes> {
    return this.#registers.since(cursor, limit);
  }
  async pruneRegisters(before: string): Promise<number> {
    return this.#registers.prune(before);
  }

  async appendFacts(entries: readonly Entry[]): Promise<number> {
    const before = this.#facts.size;
    for (const { fact } of entries) this.#facts.add(fact.id);
    return this.#facts.size - before;
  }

  async onChange(wake: () => void): Promise<() => void> {
    this.#wakes.add(wake);
    return () => void this.#wakes.delete(wake);
  }
  async close(): Promise<void> {
    this.#wakes.clear();
  }

  #project(event: StoredEvent): void {
    const effect = effectOf(event);
    if (effect === undefined) return;
    const rows = this.#views.get(effect.view) ?? new Map<string, ViewRow>();
    this.#views.set(effect.view, rows);
    const body = effect.apply(rows.get(event.subject)?.body);
    if (body === undefined) rows.delete(event.subject);
    else rows.set(event.subject, { id: event.subject, revision: event.revision, body });
  }

  #link(entry: NewAudit): AuditRecord {
    const record = link(entry, this.#audit.at(-1) ?? EMPTY_HEAD, this.#key);
    this.#audit.push(record);
    return record;
  }
}
