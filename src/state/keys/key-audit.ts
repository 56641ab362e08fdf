import type { Ms } from "../../core/units.ts";
import type { NewAudit } from "../audit/chain.ts";
import type { NewKey } from "./key-store.ts";
import { limitsJson, momentText } from "./key-json.ts";

/** Who changes keys, as the audit log names them: `cli:root@host`, `api:ops@127.0.0.1`. */
export type Actor = string;

/** A change of a key as the audit log keeps it. Nothing here opens one. */
export interface KeyChange {
  readonly action: "key.create" | "key.revoke" | "key.rotate";
  readonly id: string;
  readonly at: Ms;
  readonly detail: Readonly<Record<string, unknown>>;
}

export function keyAudit({ action, id, at, detail }: KeyChange, by: Actor): NewAudit {
  return { action, subject: id, at: Math.floor(at), actor: by, detail: JSON.stringify(detail) };
}

export function createDetail({ name, tenant, expires, limits }: NewKey): KeyChange["detail"] {
  return {
    name,
    tenant,
    expires: expires === undefined ? undefined : momentText(expires),
    limits: limitsJson(limits ?? {}),
  };
}

export function rotateDetail(overlapEnds: Ms): KeyChange["detail"] {
  return { overlap_ends: momentText(overlapEnds) };
}
