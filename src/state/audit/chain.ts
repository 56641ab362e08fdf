import type { Ms } from "../../core/units.ts";

/** What somebody did, as the audit log keeps it. */
export interface NewAudit {
  /** Wall clock. */
  readonly at: Ms;
  /** Who: an operator's name or `node`. */
  readonly actor: string;
  /** What: `key.create`. */
  readonly action: string;
  /** To what. */
  readonly subject: string;
  /** JSON text, without secrets. */
  readonly detail: string;
}
export interface AuditRecord extends NewAudit {
  /** 1 for the first, and one more for each. */
  readonly seq: number;
  /** The hash of the record before; `GENESIS` for the first. */
  readonly prev: string;
  readonly hash: string;
}
/** The end of a chain. Kept elsewhere as well, it shows when the end was cut off. */
export type AuditHead = Pick<AuditRecord, "seq" | "hash">;

export const GENESIS = "0".repeat(64);
export const EMPTY_HEAD: AuditHead = { seq: 0, hash: GENESIS };

/** With a key nobody can make a chain anew who can only write the database. */
export type ChainKey = Uint8Array | undefined;

/** The record that `entry` becomes after `head`. */
export function link(entry: NewAudit, head: AuditHead, key: ChainKey): AuditRecord {
  const unsigned = { ...entry, seq: head.seq + 1, prev: head.hash };
  return { ...unsigned, hash: hashOf(unsigned, key) };
}

/** How a chain is broken, at the first record that shows it. */
export interface Broken {
  readonly seq: number;
  readonly why: "missing" | "changed" | "out_of_order" | "cut_off" | "beyond_head";
}

/** Checks a chain page by page as it is read. */
export class ChainCheck {
  readonly #key: ChainKey;
  #head: AuditHead = EMPTY_HEAD;

  constructor(key: ChainKey) {
    this.#key = key;
  }

  /** The first break in the next records, if there is one. */
  feed(records: Iterable<AuditRecord>): Broken | undefined {
    for (const record of records) {
      const { seq } = this.#head;
      if (record.seq > seq + 1) return { seq: seq + 1, why: "missing" };
      if (record.seq < seq + 1) return { seq: record.seq, why: "out_of_order" };
      if (record.prev !== this.#head.hash) return { seq: record.seq, why: "changed" };
      if (hashOf(record, this.#key) !== record.hash) return { seq: record.seq, why: "changed" };
      this.#head = { seq: record.seq, hash: record.hash };
    }
    return undefined;
  }

  /** Whether it ends where it should: at the head that was kept. */
  end(expected: AuditHead): Broken | undefined {
    const { seq, hash } = this.#head;
    if (seq < expected.seq) return { seq: seq + 1, why: "cut_off" };
    if (seq > expected.seq) return { seq: expected.seq + 1, why: "beyond_head" };
    return hash === expected.hash ? undefined : { seq, why: "changed" };
  }

  get head(): AuditHead {
    return this.#head;
  }
}

/** Each part with its length before it, so that no two records spell the same text. */
function hashOf(record: Omit<AuditRecord, "hash">, key: ChainKey): string {
  const parts = [
    ...[record.prev, String(record.seq), String(record.at)],
    ...[record.actor, record.action, record.subject, record.detail],
  ];
  const hasher =
    key === undefined ? new Bun.CryptoHasher("sha256") : new Bun.CryptoHasher("sha256", key);
  for (const part of parts) hasher.update(`${Buffer.byteLength(part)}:${part},`);
  return hasher.digest("hex");
}
