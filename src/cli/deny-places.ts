import { join } from "node:path";
import type { Config, DenyConfig, StateConfig } from "../config/config.ts";

/** The log of one source that is asked by one process and obeyed by all of a gateway. */
export interface DenyPlace {
  readonly name: "nats" | "postgres" | "admin";
  readonly local: boolean;
  readonly path: string;
}

export interface DenyRoot {
  readonly directory: string | undefined;
  /** The data port: gateways that share a state directory write beside each other. */
  readonly port: number;
  /** The database that nodes share: denials made by hand are in it then. */
  readonly state: Pick<StateConfig, "databaseUrl" | "isNamed">;
}

/** Where the sources of `deny` are remembered. Another server or bucket is another log. */
export function denyPlaces(
  deny: DenyConfig,
  { directory, port, state }: DenyRoot,
): readonly DenyPlace[] {
  const own = directory && join(directory, "denied", String(port));
  const folder = deny.snapshot === undefined ? own : join(deny.snapshot, String(port));
  const places: DenyPlace[] = [];
  const add = (name: DenyPlace["name"], what: string, local = false): void => {
    const digest = new Bun.CryptoHasher("sha256").update(what).digest("hex").slice(0, 8);
    if (folder !== undefined)
      places.push({ name, local, path: join(folder, `${name}-${digest}.log`) });
  };
  if (deny.nats !== undefined) add("nats", `${hostOf(deny.nats.url.expose())} ${deny.nats.bucket}`);
  if (deny.postgres !== undefined) add("postgres", hostOf(deny.postgres.url.expose()));
  const { databaseUrl, isNamed } = state;
  // A variable may mean another program's: that it cannot be used must not shut anybody out.
  if (databaseUrl !== undefined) add("admin", hostOf(databaseUrl.expose()), !isNamed);
  else if (own !== undefined) {
    places.push({ name: "admin", local: true, path: join(own, "admin.log") });
  }
  return places;
}

/** A sentence when there is nowhere to remember what a server said. */
export function denyProblem({ signedKeys }: Config, directory: string | undefined) {
  const { nats, postgres, snapshot } = signedKeys?.deny ?? {};
  if ((nats ?? postgres) === undefined || (snapshot ?? directory) !== undefined) return undefined;
  return "signed_keys.deny: there is no state directory: set INTERLOCK_STATE_DIR, or snapshot";
}

/** A new password is no other server. */
function hostOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
