import type { Ms } from "../../core/units.ts";
import type { Random } from "../../runtime/runtime.ts";
import type { NewAudit } from "../audit/chain.ts";
import type { JsonObject, NewEvent } from "../store/event.ts";
import type { Store } from "../store/store.ts";
import { type Actor, createDetail, keyAudit, type KeyChange, rotateDetail } from "./key-audit.ts";
import type { KeyBook, RotatedKey, RotateTimes } from "./key-book.ts";
import { KEY_VIEW, keyBody, type KeyRecord, type KeySecret, readKey } from "./key-event.ts";
import type { KeyRefusal, ListedKey, NewKey, ShownKey } from "./key-store.ts";
import { keyDigest, makeKeyId, makeKeyText } from "./stored-key.ts";

export interface KeyLogOptions {
  readonly random: Random;
  /** Where it is appended, as the log names it. */
  readonly node: string;
  /** Who changes them. */
  readonly by: Actor;
}

/** Another node changed something between our look and our word: so often that is begun anew. */
const TRIES_MAX = 8;

/**
 * The keys that several nodes share: each change is an event of their log, from which every node
 * keeps its own copy (key-replica.ts).
 */
export class KeyLog implements KeyBook {
  readonly #store: Store;
  readonly #options: KeyLogOptions;

  constructor(store: Store, options: KeyLogOptions) {
    this.#store = store;
    this.#options = options;
  }

  async create({ name, tenant, expires, limits = {} }: NewKey, now: Ms): Promise<ShownKey> {
    const { random } = this.#options;
    const id = makeKeyId(random);
    const text = makeKeyText(id, random);
    const created = Math.floor(now);
    const secrets = [{ digest: keyDigest(text), created, expires: undefined }];
    const key = { id, name, tenant, created, expires, revoked: undefined, limits };
    const body = keyBody({ ...key, limitsText: JSON.stringify(limits), secrets });
    const detail = createDetail({ name, tenant, expires, limits });
    const audit = this.#audit({ action: "key.create", id, at: created, detail });
    await this.#store.append([this.#event("created", { id, body, at: created })], { audit });
    return { key, text };
  }

  async list(now: Ms): Promise<readonly ListedKey[]> {
    const rows = [...(await this.#store.view(KEY_VIEW)).values()];
    const keys = rows.flatMap(({ id, body }) => readKey(id, body) ?? []);
    keys.sort((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1));
    return keys.map((key) => ({ ...bare(key), limits: key.limits, secrets: liveOf(key, now) }));
  }

  async revoke(named: string, now: Ms): Promise<{ readonly id: string } | KeyRefusal> {
    const found = await this.#find(named);
    if ("refused" in found) return found;
    const { id } = found;
    if (found.revoked !== undefined) return { refused: "revoked", id };
    const at = Math.floor(now);
    const audit = this.#audit({ action: "key.revoke", id, at, detail: {} });
    await this.#store.append([this.#event("revoked", { id, body: { revoked: at }, at })], {
      audit,
    });
    return { id };
  }

  async rotate(named: string, { now, overlap }: RotateTimes): Promise<RotatedKey | KeyRefusal> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const expected = await this.#store.revision();
      const found = await this.#find(named);
      if ("refused" in found) return found;
      const { id, limits } = found;
      const at = Math.floor(now);
      if (found.revoked !== undefined) return { refused: "revoked", id };
      if (found.expires !== undefined && found.expires <= at) return { refused: "expired", id };
      if (typeof limits === "string") return { refused: "unreadable", id, why: limits };
      const text = makeKeyText(id, this.#options.random);
      const overlapEnds = at + Math.floor(overlap);
      const body = { secrets: rotated(found.secrets, { text, at, overlapEnds }) };
      // The texts are written whole: what somebody added meanwhile would be lost.
      const event = this.#event("rotated", { id, body, at });
      const detail = rotateDetail(overlapEnds);
      const audit = this.#audit({ action: "key.rotate", id, at, detail });
      const appended = await this.#store.append([event], { expected, audit });
      if (appended.ok) return { key: { ...bare(found), limits }, text, overlapEnds };
    }
    throw new Error("other nodes kept changing the log: ask again");
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #find(named: string): Promise<KeyRecord | KeyRefusal> {
    const row = await this.#store.viewRow(KEY_VIEW, named);
    const byId = row === undefined ? undefined : readKey(row.id, row.body);
    if (byId !== undefined) return byId;
    const all = [...(await this.#store.view(KEY_VIEW)).values()];
    const byName = all
      .filter(({ body }) => body["name"] === named)
      .flatMap(({ id, body }) => readKey(id, body) ?? []);
    const live = byName.filter(({ revoked }) => revoked === undefined);
    if (live.length > 1) return { refused: "ambiguous", ids: live.map(({ id }) => id).sort() };
    return live[0] ?? byName[0] ?? { refused: "unknown" };
  }

  #audit(change: KeyChange): NewAudit {
    return keyAudit(change, this.#options.by);
  }

  #event(
    what: "created" | "rotated" | "revoked",
    { id, body, at }: { readonly id: string; readonly body: JsonObject; readonly at: Ms },
  ): NewEvent {
    const { random, node } = this.#options;
    return { id: random.hex(16), kind: `${KEY_VIEW}.${what}`, subject: id, body, at, node };
  }
}

interface Rotation {
  readonly text: string;
  readonly at: Ms;
  readonly overlapEnds: Ms;
}

/** The texts that still open the key end with the overlap; those that do not are forgotten. */
function rotated(secrets: readonly KeySecret[], { text, at, overlapEnds }: Rotation): JsonObject {
  const kept = secrets
    .filter(({ expires }) => expires === undefined || expires > at)
    .map(({ digest, created, expires = overlapEnds }) => {
      return [digest, [created, Math.min(expires, overlapEnds)]] as const;
    });
  return Object.fromEntries([...kept, [keyDigest(text), [at, null]]]);
}

function bare({ id, name, tenant, created, expires, revoked }: KeyRecord) {
  return { id, name, tenant, created, expires, revoked };
}

function liveOf({ secrets }: KeyRecord, now: Ms): number {
  return secrets.filter(({ expires }) => expires === undefined || expires > now).length;
}
