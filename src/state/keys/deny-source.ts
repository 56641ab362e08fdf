import type { Ms } from "../../core/units.ts";

/** Why a tenant is denied. Whatever a source calls otherwise is `other`. */
export type DenyReason = "spend" | "fraud" | "other";

/** How far a source's own record has been told. Sources count up; 0 is before the first change. */
export type Revision = bigint;

/** What a source tells, in its own order. */
export type DenyEvent =
  /** All it denies, in place of all it said before. True `ageMs` ago: a saved state has an age. */
  | {
      readonly kind: "reset";
      readonly denied: ReadonlyMap<bigint, DenyReason>;
      readonly revision: Revision;
      readonly ageMs: Ms;
    }
  | {
      readonly kind: "deny";
      readonly tenant: bigint;
      readonly reason: DenyReason;
      readonly revision: Revision;
    }
  | { readonly kind: "restore"; readonly tenant: bigint; readonly revision: Revision }
  /** Nothing up to `revision` is left untold, as of `ageMs` ago. */
  | { readonly kind: "fresh"; readonly revision: Revision; readonly ageMs: Ms }
  /** It cannot be read or reached for now; what it said stands. `fresh` ends this. */
  | { readonly kind: "broken"; readonly detail: string }
  /** It is read, and not all is well with it: a line that says nothing, a disk that is full. */
  | { readonly kind: "flaw"; readonly detail: string | undefined };

export type OnDenyEvent = (event: DenyEvent) => void;

/** Somewhere denials come from. It keeps trying by itself until it is stopped. */
export interface DenySource {
  /** For log lines and metric labels. */
  readonly name: string;
  /** A source in this process is never behind itself: its silence is no staleness. */
  readonly local: boolean;
  /**
   * Begins to tell. With `after`, changes up to it are known: the source goes on behind it when its
   * record still reaches back so far, and otherwise begins with a `reset`. Nothing is skipped.
   */
  start(onEvent: OnDenyEvent, after?: Revision): void;
  stop(): Promise<void>;
}

/** Tenants are unsigned 64-bit numbers: features.md d-R1. */
const TENANT_MAX = 2n ** 64n - 1n;

/** The tenant a text names in decimal; undefined when it names none. */
export function readTenant(text: string): bigint | undefined {
  if (!/^(?:0|[1-9]\d{0,19})$/.test(text)) return undefined;
  const tenant = BigInt(text);
  return tenant > TENANT_MAX ? undefined : tenant;
}

/** The reason a word gives. A word nobody knows still denies. */
export function readReason(word: unknown): DenyReason {
  return word === "spend" || word === "fraud" ? word : "other";
}
