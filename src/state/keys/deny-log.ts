import type { Ms } from "../../core/units.ts";
import { type DenyReason, readReason, readTenant, type Revision } from "./deny-source.ts";

/**
 * The denials as text, one change a line, the later line counting. Written by hand or by
 * `SavedDenials`, which adds the revision and notes when the source was last in step:
 *
 *     deny 42 spend 17
 *     restore 42 18
 *     fresh 1795185000000 18
 */
export type DenyLine =
  | { readonly kind: "deny"; readonly tenant: bigint; readonly reason: DenyReason }
  | { readonly kind: "restore"; readonly tenant: bigint }
  | { readonly kind: "fresh"; readonly wall: Ms };

/** What the lines so far come to. */
export interface DenyState {
  readonly denied: Map<bigint, DenyReason>;
  revision: Revision;
  /** Wall clock of the last `fresh` line; undefined in a file that has none, one made by hand. */
  freshWall: Ms | undefined;
  /** Lines that say nothing readable, for whoever wrote them. */
  unreadable: number;
}

export function emptyDenyState(): DenyState {
  return { denied: new Map(), revision: 0n, freshWall: undefined, unreadable: 0 };
}

/** Takes whole lines into `state`, telling `onLine` of each that changes something. */
export function readDenyLines(
  text: string,
  state: DenyState,
  onLine?: (line: DenyLine) => void,
): void {
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end === -1 ? undefined : end).trim();
    at = end === -1 ? text.length : end + 1;
    if (line === "" || line.startsWith("#")) continue;
    const read = readDenyLine(line, state);
    if (read === undefined) state.unreadable++;
    else onLine?.(read);
  }
}

function readDenyLine(line: string, state: DenyState): DenyLine | undefined {
  const [kind, ...words] = line.split(/[ \t]+/);
  switch (kind) {
    case "deny": {
      const [number = "", word, revision] = words;
      const tenant = readTenant(number);
      if (tenant === undefined || !reach(state, revision)) return undefined;
      const reason = readReason(word);
      state.denied.set(tenant, reason);
      return { kind, tenant, reason };
    }
    case "restore": {
      const [number = "", revision] = words;
      const tenant = readTenant(number);
      if (tenant === undefined || !reach(state, revision)) return undefined;
      state.denied.delete(tenant);
      return { kind, tenant };
    }
    case "fresh": {
      const [number = "", revision] = words;
      if (!/^\d{1,15}$/.test(number) || !reach(state, revision)) return undefined;
      state.freshWall = Number(number);
      return { kind, wall: state.freshWall };
    }
    default:
      return undefined;
  }
}

/** Lines by hand have no revision. */
function reach(state: DenyState, text: string | undefined): boolean {
  if (text === undefined) return true;
  if (!/^\d{1,20}$/.test(text)) return false;
  const revision = BigInt(text);
  if (revision > state.revision) state.revision = revision;
  return true;
}

export function denyLine(tenant: bigint, reason: DenyReason, revision: Revision): string {
  return `deny ${tenant} ${reason} ${revision}\n`;
}
export function restoreLine(tenant: bigint, revision: Revision): string {
  return `restore ${tenant} ${revision}\n`;
}
export function freshLine(wall: Ms, revision: Revision): string {
  return `fresh ${Math.floor(wall)} ${revision}\n`;
}

/** The shortest text that comes to `state`. */
export function denyText({ denied, revision, freshWall }: DenyState): string {
  const lines = ["# Denied tenants, one change a line. Interlock writes this file.\n"];
  for (const [tenant, reason] of denied) lines.push(denyLine(tenant, reason, revision));
  if (freshWall !== undefined) lines.push(freshLine(freshWall, revision));
  return lines.join("");
}
