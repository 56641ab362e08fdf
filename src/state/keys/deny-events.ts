import type { Ms } from "../../core/units.ts";
import type { Clock } from "../../runtime/runtime.ts";
import type { NewAudit } from "../audit/chain.ts";
import type { NewEvent, StoredEvent } from "../store/event.ts";
import type { Store } from "../store/store.ts";
import { type DenySession, RemoteDenials } from "./deny-remote.ts";
import {
  type DenyEvent,
  type DenyReason,
  type DenySource,
  readReason,
  readTenant,
  type Revision,
} from "./deny-source.ts";

/** The view of tenants that are denied by hand. */
export const DENIAL_VIEW = "denial";
const SET = `${DENIAL_VIEW}.set`;
const REMOVED = `${DENIAL_VIEW}.removed`;

/** How often the log is asked for what another process wrote, and a server that tells by itself. */
const POLL_MS: Ms = 250;
const POLL_SERVER_MS: Ms = 2_000;
const PAGE = 500;

export interface EventDenialsOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Whether it never counts as behind. */
  readonly local: boolean;
  readonly pollMs?: Ms | undefined;
}

/** Denials made by hand, from the event log: those of the admin API, of any process. */
export function eventDenials(options: EventDenialsOptions): DenySource {
  const { local, clock } = options;
  return new RemoteDenials({
    ...{ name: "admin", clock, local },
    follow: (session) => follow(session, options),
  });
}

async function follow(
  session: DenySession,
  { store, pollMs = store.engine === "postgres" ? POLL_SERVER_MS : POLL_MS }: EventDenialsOptions,
): Promise<void> {
  const { tell } = session;
  const head = BigInt(await store.revision()); // First: what the view knows besides comes again.
  let revision = session.after;
  if (revision === undefined || revision > head) {
    tell({ kind: "reset", denied: await deniedByHand(store), revision: head, ageMs: 0 });
    revision = head;
  }
  let changed = Promise.withResolvers<void>();
  const deafen = await store.onChange(() => changed.resolve());
  try {
    while (!session.hasEnded()) {
      changed = Promise.withResolvers();
      const page = await store.events(Number(revision), PAGE);
      for (const event of page) {
        const denial = denialOf(event);
        if (denial !== undefined) tell(denial);
        revision = BigInt(event.revision);
      }
      tell({ kind: "fresh", revision, ageMs: 0 });
      if (page.length < PAGE) await session.sleep(pollMs, changed.promise);
    }
  } finally {
    deafen();
  }
}

function denialOf({ kind, subject, body, revision: at }: StoredEvent): DenyEvent | undefined {
  const tenant = readTenant(subject);
  const revision: Revision = BigInt(at);
  if (tenant === undefined) return undefined;
  if (kind === SET) return { kind: "deny", tenant, reason: readReason(body["reason"]), revision };
  return kind === REMOVED ? { kind: "restore", tenant, revision } : undefined;
}

/** Every tenant that is denied by hand. */
export async function deniedByHand(
  store: Pick<Store, "view">,
): Promise<ReadonlyMap<bigint, DenyReason>> {
  const denied = new Map<bigint, DenyReason>();
  for (const [id, { body }] of await store.view(DENIAL_VIEW)) {
    const tenant = readTenant(id);
    if (tenant !== undefined) denied.set(tenant, readReason(body["reason"]));
  }
  return denied;
}

/** What to write for a denial, or for its end where there is no reason. */
export interface HandDenial {
  readonly tenant: bigint;
  readonly reason: DenyReason | undefined;
}

/** Denies or restores a tenant; the audit record comes in the same transaction. */
export async function denyByHand(
  store: Pick<Store, "append">,
  { tenant, reason }: HandDenial,
  { id, node, audit }: Pick<NewEvent, "id" | "node"> & { readonly audit: NewAudit },
): Promise<void> {
  const kind = reason === undefined ? REMOVED : SET;
  const body = reason === undefined ? {} : { reason };
  const event = { id, node, kind, subject: String(tenant), body, at: audit.at };
  await store.append([event], { audit });
}
