import type { Ms } from "../../core/units.ts";
import type { Random } from "../../runtime/runtime.ts";
import { STORED_PREFIX } from "./credential-kind.ts";
import type { KeyLimits } from "./key-limits.ts";

/** A key made by `interlock key create`, as far as it is kept: everything but the key itself. */
export interface StoredKey {
  readonly id: string;
  readonly name: string;
  /** The namespace it belongs to. */
  readonly tenant: string | undefined;
  /** Times are wall clock, milliseconds since the epoch. */
  readonly created: Ms;
  readonly expires: Ms | undefined;
  readonly revoked: Ms | undefined;
  readonly limits: KeyLimits;
}

/** One text that opens a key. A key has several while an old one overlaps its successor. */
export interface StoredSecret {
  readonly key: StoredKey;
  /** When this text ends, be the key valid for longer or not. */
  readonly expires: Ms | undefined;
}

const ID_BYTES = 8;
const SECRET_BYTES = 32;

/** An identifier for a new key: part of its text, and no secret. */
export function makeKeyId(random: Random): string {
  return random.hex(ID_BYTES);
}

/** A new text for the key of this id. Shown once: from here on only its digest is known. */
export function makeKeyText(id: string, random: Random): string {
  return `${STORED_PREFIX}${id}_${random.hex(SECRET_BYTES)}`;
}

/** What a stored key is kept and found by: SHA-256, lower-case hex. */
export function keyDigest(text: string): string {
  return Bun.SHA256.hash(text, "hex");
}
