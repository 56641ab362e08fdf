import { SQL } from "bun";

/** Set by whoever has a server to spare; each suite makes a database of its own in it. */
export const POSTGRES_URL = process.env["INTERLOCK_POSTGRES_URL"];

/** Why a suite of a database does not run here; undefined when it does. */
export const missing = POSTGRES_URL === undefined ? "skipped: needs postgres" : undefined;

/** A test's name with the reason it is left out, where there is one. */
export function named(name: string): string {
  return missing === undefined ? name : `${name} (${missing})`;
}

export interface OwnDatabase extends AsyncDisposable {
  readonly url: string;
  /** The same database over another port, as through a link that can fail. */
  through(port: number): string;
  readonly server: { readonly hostname: string; readonly port: number };
}

/** An empty database, dropped in the end. */
export async function ownDatabase(): Promise<OwnDatabase> {
  const server = new SQL(POSTGRES_URL ?? "", { max: 1 });
  const name = `interlock_binary_${crypto.randomUUID().replaceAll("-", "")}`;
  await server.unsafe(`CREATE DATABASE ${name}`);
  const at = new URL(POSTGRES_URL ?? "");
  at.pathname = `/${name}`;
  return {
    url: at.href,
    through(port) {
      const other = new URL(at);
      other.hostname = "127.0.0.1";
      other.port = String(port);
      return other.href;
    },
    server: { hostname: at.hostname, port: Number(at.port || 5432) },
    async [Symbol.asyncDispose]() {
      await server.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      await server.close({ timeout: 0 });
    },
  };
}
