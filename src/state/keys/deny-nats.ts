import type { Secret } from "../../core/secret.ts";
import type { Ms } from "../../core/units.ts";
import type { Clock } from "../../runtime/runtime.ts";
import { type DenySession, RemoteDenials, within } from "./deny-remote.ts";
import {
  type DenyReason,
  type DenySource,
  readReason,
  readTenant,
  type Revision,
} from "./deny-source.ts";

/** One entry of a bucket, as `@nats-io/kv` gives it. */
export interface KvEntry {
  readonly key: string;
  readonly revision: number;
  readonly operation: "PUT" | "DEL" | "PURGE";
  string(): string;
}

/** The part of a bucket of `@nats-io/kv` that is used here. */
export interface KvBucket {
  status(): Promise<{
    readonly ttl: Ms;
    readonly streamInfo: {
      readonly state: { readonly first_seq: number; readonly last_seq: number };
    };
  }>;
  /** Ends by itself behind the last entry there is. */
  history(options: { readonly key: string }): Promise<AsyncIterable<KvEntry>>;
  watch(options: {
    readonly key: string;
    readonly resumeFromRevision: number;
  }): Promise<AsyncIterable<KvEntry> & { stop(): void }>;
}

/** An open connection to a NATS server. */
export interface KvConnection {
  readonly bucket: KvBucket;
  /** Resolves when the server has answered. */
  ping(): Promise<unknown>;
  close(): Promise<void>;
}

/** The parts of `@nats-io/transport-node` and `@nats-io/kv` that are used here. */
export interface NatsModules {
  readonly transport: {
    connect(options: NatsOptions): Promise<NatsClient>;
  };
  readonly kv: {
    readonly Kvm: new (client: NatsClient) => { open(name: string): Promise<KvBucket> };
  };
}
export interface NatsOptions {
  readonly servers: string;
  readonly reconnect: boolean;
  readonly timeout: Ms;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  readonly tls?: object;
}
export interface NatsClient {
  flush(): Promise<void>;
  close(): Promise<void>;
}

const KEY_PREFIX = "blackhole.";

export interface NatsDenialsOptions {
  readonly clock: Clock;
  readonly connect: () => Promise<KvConnection>;
  readonly deadlineMs?: Ms | undefined;
  /** How often the server must answer. */
  readonly pingMs?: Ms | undefined;
  /** How often everything is read again; the default depends on whether entries expire. */
  readonly rescanMs?: Ms | undefined;
}

const DEADLINE_MS: Ms = 5_000;
const PING_MS: Ms = 5_000;
/** Reading a bucket of a million denials takes longer than an answer may. */
const SCAN_MS: Ms = 60_000;
/** An entry that expires in silence, or whose deletion was purged, is noticed by reading again. */
const RESCAN_MS: Ms = 3_600_000;
const RESCAN_EXPIRING_MS: Ms = 60_000;

/** Connects with the packages. Reconnecting is ours: a new session knows where to go on. */
export function natsConnector(
  modules: () => Promise<NatsModules>,
  { url, bucket }: { readonly url: Secret; readonly bucket: string },
): () => Promise<KvConnection> {
  return async () => {
    const { transport, kv } = await modules();
    const client = await transport.connect({
      ...addressOf(url.expose()),
      ...{ reconnect: false, timeout: DEADLINE_MS },
    });
    try {
      const open = await new kv.Kvm(client).open(bucket);
      return { bucket: open, ping: () => client.flush(), close: () => client.close() };
    } catch (error) {
      await client.close();
      throw error;
    }
  };
}

/** The packages take no credentials from an address: a user with a password, or a token alone. */
function addressOf(url: string): Omit<NatsOptions, "reconnect" | "timeout"> {
  const { protocol, username, password, host } = new URL(url);
  const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)];
  return {
    servers: host,
    ...(user !== "" && (pass === "" ? { token: user } : { user, pass })),
    ...(protocol === "tls:" && { tls: {} }),
  };
}

/** Denials from a NATS key-value bucket, one key `blackhole.{tenant}` for each. */
export function natsDenials(options: NatsDenialsOptions): DenySource {
  return new RemoteDenials({
    name: "nats",
    clock: options.clock,
    follow: async (session) => {
      const connecting = options.connect();
      try {
        await follow(await ask(options, connecting), session, options);
      } finally {
        // Not waited for: it may never have opened, and what is frozen does not answer a farewell.
        void connecting.then((open) => open.close()).catch(() => {}); // Then nothing is open.
      }
    },
  });
}

async function follow(
  { bucket, ping }: KvConnection,
  session: DenySession,
  options: NatsDenialsOptions,
): Promise<void> {
  const { clock, pingMs = PING_MS } = options;
  const begun = clock.now();
  const { ttl, streamInfo } = await ask(options, bucket.status());
  const { rescanMs = ttl > 0 ? Math.min(ttl, RESCAN_EXPIRING_MS) : RESCAN_MS } = options;
  const { first_seq: first, last_seq: last } = streamInfo.state;
  let revision = session.after ?? 0n;
  // Revision 0 is no place to go on from; one before the first may have lost deletions since; one
  // behind the last is of a bucket that is no more.
  if (revision === 0n || revision + 1n < BigInt(first) || revision > BigInt(last)) {
    revision = BigInt(last);
    const denied = await ask({ ...options, deadlineMs: SCAN_MS }, scan(bucket));
    session.tell({ kind: "reset", denied, revision, ageMs: 0 });
  }
  const from = { key: `${KEY_PREFIX}*`, resumeFromRevision: Math.max(1, Number(revision)) };
  const watch = await ask(options, bucket.watch(from));
  const reached = { revision };
  const broken = tellEach(watch, session, reached);
  broken.catch(() => {}); // Its error is raced for below; behind the end of the session it is none.
  try {
    while (!session.hasEnded() && clock.now() - begun < rescanMs) {
      await Promise.race([ask(options, ping()), broken]);
      session.tell({ kind: "fresh", revision: reached.revision, ageMs: 0 });
      await Promise.race([session.sleep(Math.min(pingMs, rescanMs)), broken]);
    }
  } finally {
    watch.stop();
  }
}

/** Tells every change there is; never resolves while the session lasts, rejects when it breaks. */
async function tellEach(
  watch: AsyncIterable<KvEntry>,
  { tell, hasEnded }: DenySession,
  reached: { revision: Revision },
): Promise<void> {
  for await (const entry of watch) {
    const revision = BigInt(entry.revision);
    const tenant = tenantOf(entry.key);
    reached.revision = revision;
    if (tenant === undefined) continue;
    if (entry.operation !== "PUT") tell({ kind: "restore", tenant, revision });
    else tell({ kind: "deny", tenant, reason: reasonOf(entry), revision });
  }
  if (!hasEnded()) throw new Error("nats: the watch came to an end");
}

/** The last word on each key. Entries come in the order they were written. */
async function scan(bucket: KvBucket): Promise<ReadonlyMap<bigint, DenyReason>> {
  const denied = new Map<bigint, DenyReason>();
  for await (const entry of await bucket.history({ key: `${KEY_PREFIX}*` })) {
    const tenant = tenantOf(entry.key);
    if (tenant === undefined) continue;
    if (entry.operation !== "PUT") denied.delete(tenant);
    else denied.set(tenant, reasonOf(entry));
  }
  return denied;
}

/** Other keys of the bucket are other programs'. */
function tenantOf(key: string): bigint | undefined {
  return key.startsWith(KEY_PREFIX) ? readTenant(key.slice(KEY_PREFIX.length)) : undefined;
}

/** The value is the reason's word, bare or as JSON `{"reason": …}`: features.md d-R5. */
function reasonOf(entry: KvEntry): DenyReason {
  try {
    const text = entry.string().trim();
    if (!text.startsWith("{")) return readReason(text);
    const { reason }: { readonly reason?: unknown } = JSON.parse(text);
    return readReason(reason);
  } catch {
    return "other"; // It denies, whatever it was to say.
  }
}

function ask<T>(
  { clock, deadlineMs = DEADLINE_MS }: NatsDenialsOptions,
  answer: PromiseLike<T>,
): Promise<T> {
  return within(answer, { clock, deadlineMs, asked: "nats" });
}
