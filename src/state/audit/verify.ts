import type { Store } from "../store/store.ts";
import { type AuditHead, type Broken, ChainCheck, type ChainKey } from "./chain.ts";

const PAGE = 1000;

export interface Verdict {
  /** How many records are sound from the first on. */
  readonly sound: number;
  readonly broken: Broken | undefined;
  /** To be kept elsewhere, and given as `anchor` next time. */
  readonly head: AuditHead;
}

export interface VerifyOptions {
  readonly key: ChainKey;
  /** A head that was kept outside the database; the chain must still hold it. */
  readonly anchor?: AuditHead | undefined;
}

/** Reads the whole audit log and says where it was tampered with, if it was. */
export async function verifyAudit(
  store: Pick<Store, "auditRecords" | "auditHead">,
  { key, anchor }: VerifyOptions,
): Promise<Verdict> {
  const check = new ChainCheck(key);
  const end = await store.auditHead(); // First: what is appended meanwhile lies beyond it.
  for (;;) {
    const after = check.head.seq;
    const page = await store.auditRecords(after, Math.min(PAGE, end.seq - after));
    const broken = check.feed(page) ?? anchorBroken(page, anchor);
    if (broken !== undefined) return { sound: check.head.seq, broken, head: check.head };
    if (page.length === 0 || check.head.seq >= end.seq) break;
  }
  const missing = anchor !== undefined && check.head.seq < anchor.seq;
  const broken = missing ? check.end(anchor) : check.end(end);
  return { sound: check.head.seq, broken, head: check.head };
}

function anchorBroken(
  page: readonly { readonly seq: number; readonly hash: string }[],
  anchor: AuditHead | undefined,
): Broken | undefined {
  const held = page.find(({ seq }) => seq === anchor?.seq);
  if (held === undefined || held.hash === anchor?.hash) return undefined;
  return { seq: held.seq, why: "changed" };
}
