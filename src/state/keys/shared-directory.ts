import { join } from "node:path";

/**
 * Where a node keeps its copy of what a database shares: a folder for each database, so that a copy
 * of one is never served for another.
 */
export function sharedDirectory(stateDirectory: string, databaseUrl: string): string {
  const { hostname, port, pathname, searchParams } = new URL(databaseUrl);
  const schema = searchParams.get("search_path") ?? "";
  const name = [hostname.toLowerCase(), port || "5432", pathname, schema].join(" ");
  const digest = new Bun.CryptoHasher("sha256").update(name).digest("hex");
  return join(stateDirectory, "shared", digest.slice(0, 16));
}
