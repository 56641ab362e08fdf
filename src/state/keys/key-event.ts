import type { Ms } from "../../core/units.ts";
import type { Json, JsonObject } from "../store/event.ts";
import { type KeyLimits, parseLimits } from "./key-limits.ts";

/** The view of the event log that holds the stored keys: its events are `key.created` and so on. */
export const KEY_VIEW = "key";

/** A text's digest, and when it was made and ends. */
export interface KeySecret {
  readonly digest: string;
  readonly created: Ms;
  readonly expires: Ms | undefined;
}

/** A stored key as its events leave it, with the digests of its texts. */
export interface KeyRecord {
  readonly id: string;
  readonly name: string;
  readonly tenant: string | undefined;
  readonly created: Ms;
  readonly expires: Ms | undefined;
  readonly revoked: Ms | undefined;
  /** A sentence where they cannot be read: such a key opens nothing. */
  readonly limits: KeyLimits | string;
  /** The limits as they stand in the log, for a copy that must not lose what it cannot read. */
  readonly limitsText: string;
  readonly secrets: readonly KeySecret[];
}

/** The body of `key.created`. */
export function keyBody(key: Omit<KeyRecord, "id" | "limits">): JsonObject {
  const { name, tenant, created, expires, revoked, limitsText, secrets } = key;
  return {
    ...{ name, tenant: tenant ?? null, created, expires: expires ?? null },
    ...{ revoked: revoked ?? null, limits: limitsText, secrets: secretsBody(secrets) },
  };
}

/** The member `secrets` of a body. */
export function secretsBody(secrets: readonly KeySecret[]): JsonObject {
  return Object.fromEntries(
    secrets.map(({ digest, created, expires }) => [digest, [created, expires ?? null]]),
  );
}

/** Reads a row of the view; undefined when it is none of a version that we know. */
export function readKey(id: string, body: JsonObject): KeyRecord | undefined {
  const { name, tenant, created, expires, revoked, limits, secrets } = body;
  const texts = readSecrets(secrets);
  if (typeof name !== "string" || typeof created !== "number" || texts === undefined) {
    return undefined;
  }
  const limitsText = typeof limits === "string" ? limits : "";
  return {
    ...{ id, name, created, limitsText, limits: parseLimits(limitsText), secrets: texts },
    tenant: typeof tenant === "string" ? tenant : undefined,
    expires: moment(expires),
    revoked: moment(revoked),
  };
}

function readSecrets(value: Json | undefined): readonly KeySecret[] | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const secrets: KeySecret[] = [];
  for (const [digest, times] of Object.entries(value)) {
    if (!/^[0-9a-f]{64}$/.test(digest) || !Array.isArray(times)) return undefined;
    secrets.push({ digest, created: moment(times[0]) ?? 0, expires: moment(times[1]) });
  }
  return secrets;
}

function moment(value: Json | undefined): Ms | undefined {
  return typeof value === "number" ? value : undefined;
}
