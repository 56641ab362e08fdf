import { Secret } from "../core/secret.ts";
import { readBaseUrl } from "./base-url.ts";
import type { PeersConfig, StateConfig } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import { type Environment, variable } from "./env.ts";
import { type Findings, finding } from "./findings.ts";
import { type Path, say } from "./path.ts";
import type { FileConfig } from "./schema.ts";

/** The variable that names the database where no file does. */
export const DATABASE_VARIABLE = "DATABASE_URL";

/** Where state is kept that several nodes share. */
export function readState(file: FileConfig, env: Environment, findings: Findings): StateConfig {
  const { state, database } = file;
  const url = oneOf(["state.database_url", state?.database_url], ["database.url", database?.url]);
  const count = oneOf(
    ["state.max_connections", state?.max_connections],
    ["database.max_connections", database?.max_connections],
  );
  for (const { clash } of [url, count]) {
    if (clash === undefined) continue;
    findings.errors.push(finding(clash, "says something else than state", "keep one of them"));
  }
  if (count.value === undefined) findings.origins.set(count.path, "default");
  const isNamed = url.value !== undefined;
  const peers = readPeers(file, findings);
  if (isNamed && peers !== undefined) {
    const fix = "remove it: what the database holds is on every node already";
    findings.errors.push(finding("state.peers", "stands beside a database", fix));
  }
  const percent = state?.budget_slice_percent;
  if (percent === undefined) findings.origins.set("state.budget_slice_percent", "default");
  return {
    databaseUrl: isNamed ? fromFile(url, findings) : fromEnvironment(env, findings, peers),
    isNamed,
    slicePart: isNamed ? (percent ?? DEFAULTS.budgetSlicePercent) / 100 : undefined,
    peers,
    connectionsMax: count.value ?? DEFAULTS.databaseConnectionsMax,
  };
}

function readPeers({ state }: FileConfig, findings: Findings): PeersConfig | undefined {
  const { peers, peer_secret: secret } = state ?? {};
  if (peers === undefined && secret === undefined) return undefined;
  if (secret === undefined || secret.length < SECRET_MIN) {
    const reason =
      secret === undefined ? "is missing: peers prove by it who they are" : "is too short";
    const fix = `give all nodes one of at least ${SECRET_MIN} characters: openssl rand -hex 32`;
    findings.errors.push(finding("state.peer_secret", reason, fix));
    return undefined;
  }
  const listed = (peers ?? []).filter((each) => each !== undefined);
  const urls = listed.flatMap((text, at) => readPeer(text, ["state", "peers", at], findings) ?? []);
  return { urls, secret: new Secret(secret) };
}

/** As long as what HMAC-SHA256 gives. */
const SECRET_MIN = 32;

function readPeer(text: string, path: Path, findings: Findings): URL | undefined {
  const read = readBaseUrl(text);
  if (!read.ok) {
    findings.errors.push(finding(path, read.reason, read.fix));
    return undefined;
  }
  if (read.url.protocol === "https:" || read.host !== "public") return read.url;
  const reason = "plain http would carry names of keys in the clear";
  findings.errors.push(finding(path, reason, "use https, or a private address"));
  return undefined;
}

interface Found<T> {
  readonly path: string;
  readonly value: T | undefined;
  /** The second name's path, where both say something and not the same. */
  readonly clash: string | undefined;
}

type Place<T> = readonly [path: string, value: T | undefined];

function oneOf<T>([path, value]: Place<T>, [alias, other]: Place<T>): Found<T> {
  const clash = value !== undefined && other !== undefined && value !== other ? alias : undefined;
  if (value === undefined && other !== undefined) return { path: alias, value: other, clash };
  return { path, value, clash };
}

function fromFile({ path, value = "" }: Found<string>, findings: Findings): Secret | undefined {
  if (isPostgres(value)) return new Secret(value);
  const fix = "write it as postgres://USER:PASSWORD@HOST:5432/NAME";
  findings.errors.push(finding(path, "is not the URL of a PostgreSQL database", fix));
  return undefined;
}

/** A variable of so common a name may be meant for another program: no error then. */
function fromEnvironment(
  env: Environment,
  findings: Findings,
  peers: PeersConfig | undefined,
): Secret | undefined {
  const value = variable(env, DATABASE_VARIABLE);
  if (value === undefined || peers !== undefined) return undefined;
  if (!isPostgres(value)) {
    const fix = "unset it, or set it to postgres://USER:PASSWORD@HOST:5432/NAME";
    findings.warnings.push(finding(DATABASE_VARIABLE, "is no PostgreSQL URL: not used", fix));
    return undefined;
  }
  findings.origins.set(say(["state", "database_url"]), DATABASE_VARIABLE);
  return new Secret(value);
}

/** Whether a text is a URL as PostgreSQL's own tools take it (libpq, "Connection URIs"). */
export function isPostgres(text: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(text) && URL.canParse(text);
}
