import { Secret } from "../core/secret.ts";
import type { Ms } from "../core/units.ts";
import type { DenyConfig } from "./config.ts";
import { type Findings, finding } from "./findings.ts";
import type { Path } from "./path.ts";
import type { FileConfig } from "./schema.ts";

/** How long a source may be behind: reliability.md §3.5. */
const STALENESS_MAX_MS: Ms = 15 * 60_000;
/** Where denials are kept in NATS unless it is said otherwise: features.md d-R5. */
export const DENY_BUCKET = "ai-gateway";

const AT: Path = ["signed_keys", "deny"];

/** The sources of denials that `signed_keys:` names. */
export function readDeny(entry: SignedEntry, findings: Findings): DenyConfig {
  const deny = entry.deny ?? {};
  if (deny.file !== undefined && entry.deny_file !== undefined && deny.file !== entry.deny_file) {
    const reason = "says something else than signed_keys.deny.file";
    findings.errors.push(finding(["signed_keys", "deny_file"], reason, "keep one of them"));
  }
  const { max_staleness_seconds: seconds, on_stale: onStale, snapshot, nats, postgres } = deny;
  if (onStale === "serve" && seconds !== undefined) {
    const path = [...AT, "max_staleness_seconds"];
    const reason = "means nothing where on_stale is serve: that goes on for as long as it takes";
    findings.errors.push(finding(path, reason, "keep one of them"));
  }
  const allowed = seconds === undefined ? STALENESS_MAX_MS : seconds * 1000;
  const natsUrl = readUrl(nats, { path: "nats", kinds: NATS_URLS, findings });
  const postgresUrl = readUrl(postgres, { path: "postgres", kinds: POSTGRES_URLS, findings });
  return {
    file: deny.file ?? entry.deny_file,
    nats: natsUrl && { url: natsUrl, bucket: nats?.bucket ?? DENY_BUCKET },
    postgres: postgresUrl && { url: postgresUrl },
    snapshot,
    stalenessMaxMs: onStale === "serve" ? Number.POSITIVE_INFINITY : allowed,
  };
}

type SignedEntry = NonNullable<FileConfig["signed_keys"]>;

const NATS_URLS = ["nats:", "tls:"];
const POSTGRES_URLS = ["postgres:", "postgresql:"];

interface UrlContext {
  readonly path: "nats" | "postgres";
  readonly kinds: readonly string[];
  readonly findings: Findings;
}

function readUrl(
  entry: { readonly url?: string | undefined } | null | undefined,
  { path, kinds, findings }: UrlContext,
): Secret | undefined {
  if (entry === undefined || entry === null) return undefined;
  const { url = "" } = entry;
  const read = URL.parse(url);
  if (read !== null && read.hostname !== "" && kinds.includes(read.protocol)) {
    return new Secret(url);
  }
  const fix = path === "nats" ? "nats://host:4222" : "postgres://user@host/database";
  findings.errors.push(
    finding([...AT, path, "url"], "is no address of such a server", `give one as ${fix}`),
  );
  return undefined;
}
