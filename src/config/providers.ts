import type { AuthScheme, BackendFields } from "../core/backend.ts";
import type { DialectId } from "../core/ids.ts";
import type { Placement } from "../core/privacy.ts";
import type { HostKind } from "./address.ts";
import type { Secret } from "../core/secret.ts";
import { regionalUrl } from "./aws.ts";
import { readBaseUrl, readProxyUrl, trimVersion } from "./base-url.ts";
import { COMPATIBLE } from "./catalogue-row.ts";
import {
  CATALOGUE,
  CATALOGUE_NAMES,
  type CatalogueRow,
  catalogueRow,
  usualAuth,
} from "./catalogue.ts";
import { readCredential, signs } from "./credential.ts";
import type { Environment } from "./env.ts";
import { readErrorRules } from "./error-rules.ts";
import { type Findings, finding } from "./findings.ts";
import { nearest } from "./nearest.ts";
import { say } from "./path.ts";
import type { FileProvider } from "./schema.ts";
import { vendorErrors } from "./vendor-errors.ts";
import { deadlinesOf, providerTimeouts, type Timeouts } from "./timeouts.ts";

/** A backend not yet made: only resolve.ts makes them. */
export interface BackendPlan {
  readonly placement: Placement;
  readonly fields: BackendFields;
}

/** What the readers of providers share. */
export interface ProviderContext {
  readonly env: Environment;
  readonly timeouts: Timeouts;
  readonly findings: Findings;
  /** Providers whose callers may bring the key. */
  readonly byCallers: ReadonlySet<string>;
}

/** One entry of `providers:` on its way. */
interface Draft extends ProviderContext {
  readonly name: string;
  readonly entry: NonNullable<FileProvider>;
  readonly row: CatalogueRow | undefined;
  readonly unix: string | undefined;
}

interface Address {
  readonly url: URL;
  readonly host: HostKind;
}

/** Judges one provider that is on. Undefined when an error stands in the findings. */
export function planProvider(
  name: string,
  entry: NonNullable<FileProvider>,
  context: ProviderContext,
): BackendPlan | undefined {
  const { unix } = entry;
  const draft: Draft = { ...context, name, entry, row: catalogueRow(name), unix };
  const errorsBefore = context.findings.errors.length;
  const dialect = readDialect(draft);
  checkSocket(draft);
  checkTimeouts(draft);
  const address = readAddress(draft, dialect);
  const placement = address && readPlacement(draft, address);
  const proxy = readProxy(draft, placement);
  const errorRules = [...readErrorRules(name, entry, context.findings), ...vendorErrors(name)];
  const credential = readCredential(draft);
  const isKeyed = credential !== undefined || context.byCallers.has(name);
  const auth = isKeyed ? readAuth(draft, dialect, credential) : "none";
  if (!isKeyed && placement === "external") needKey(draft);
  if (dialect === undefined || address === undefined || placement === undefined) return undefined;
  if (context.findings.errors.length > errorsBefore) return undefined;
  noteOrigins(draft);
  const { url: baseUrl } = address;
  const deadlines = deadlinesOf(
    providerTimeouts(context.timeouts, entry.timeout, entry.timeout_seconds),
  );
  const operatorControlled = entry.operator_controlled ?? false;
  const { private_addresses: privateAddresses } = entry;
  const terminal = entry.terminal ?? draft.row?.terminal ?? "done";
  const { row } = draft;
  const fields: BackendFields = {
    ...{ name, dialect, baseUrl, credential, auth, unix, proxy },
    ...surfaceOf(draft),
    capabilities: row?.capabilities ?? (dialect === "openai" ? COMPATIBLE : {}),
    ...{ operatorControlled, privateAddresses, deadlines, terminal, errorRules, zone: entry.zone },
  };
  return { placement, fields };
}

function surfaceOf(draft: Draft): Pick<BackendFields, "also" | "modelPath" | "query" | "headers"> {
  const { row, entry } = draft;
  const headers = row?.headers ?? {};
  if (!deployed(draft)) {
    const also = (row?.also ?? []).filter((dialect) => dialect !== entry.protocol);
    return { also, modelPath: row?.modelPath, query: row?.query, headers };
  }
  const query = `api-version=${encodeURIComponent(entry.api_version ?? "")}`;
  return { also: [], modelPath: "/deployments/{model}", query, headers };
}

/**
 * Whether the file means a machine of the operator's own by this entry, be it switched off: a
 * provider that is taken out for an hour must not loosen where unmarked requests may go.
 */
export function namesLocal(name: string, entry: NonNullable<FileProvider>): boolean {
  if (entry.placement !== undefined) return entry.placement === "local";
  if (entry.unix !== undefined) return true;
  const text = entry.base_url ?? entry.endpoint ?? catalogueRow(name)?.baseUrl;
  const read = text === undefined ? undefined : readBaseUrl(text);
  return read?.ok === true && read.host === "loopback";
}

function readDialect({ name, entry, row, findings }: Draft): DialectId | undefined {
  const dialect = entry.protocol ?? row?.dialect;
  if (dialect !== undefined) return dialect;
  const near = nearest(name, CATALOGUE_NAMES);
  const known = near === undefined ? "" : `; or did you mean ${near}?`;
  const path = ["providers", name, "protocol"];
  const fix = `say which it speaks, as protocol: openai${known}`;
  findings.errors.push(finding(path, "this name is not in the catalogue", fix));
  return undefined;
}

function checkSocket({ name, unix, findings }: Draft): void {
  // 107 bytes is what sockaddr_un holds on Linux, unix(7).
  if (unix === undefined || (unix.startsWith("/") && Buffer.byteLength(unix) <= 107)) return;
  const reason = "is not an absolute path of at most 107 bytes";
  findings.errors.push(
    finding(["providers", name, "unix"], reason, "write it as /run/engine.sock"),
  );
}

function checkTimeouts({ name, entry, findings }: Draft): void {
  if (entry.timeout_seconds === undefined || entry.timeout?.request_seconds === undefined) return;
  const reason = "both timeout_seconds and timeout.request_seconds are given";
  const path = ["providers", name, "timeout_seconds"];
  findings.errors.push(finding(path, reason, "keep one of them"));
}

function readAddress(draft: Draft, dialect: DialectId | undefined): Address | undefined {
  const { name, entry, row, unix, findings } = draft;
  const key =
    entry.base_url === undefined && entry.endpoint !== undefined ? "endpoint" : "base_url";
  const path = ["providers", name, key];
  if (entry.base_url !== undefined && entry.endpoint !== undefined) {
    findings.errors.push(finding(path, "both base_url and endpoint are given", "keep one of them"));
    return undefined;
  }
  const text =
    entry[key] ?? row?.baseUrl ?? (unix === undefined ? urlOfRegion(draft) : "http://localhost/v1");
  if (text === undefined) {
    const fix =
      row?.regionUrl === undefined
        ? "add base_url: https://host/path, up to and with the version"
        : `add region: eu-central-1, or set ${row.regionVariables?.join(" or ")}`;
    findings.errors.push(finding(path, "no base URL is given, and none is known", fix));
    return undefined;
  }
  const read = readBaseUrl(text);
  if (!read.ok) {
    findings.errors.push(finding(path, read.reason, read.fix));
    return undefined;
  }
  if (read.url.pathname === "/" && row?.mount !== undefined) read.url.pathname = row.mount;
  trimVersion(read.url, dialect);
  if (deployed(draft)) read.url.pathname = "/openai";
  return read;
}

function urlOfRegion({ entry, row, env }: Draft): string | undefined {
  if (row?.regionUrl === undefined) return undefined;
  return regionalUrl(row.regionUrl, entry.region, { env, variables: row.regionVariables ?? [] });
}

/** Azure before its v1 surface: a deployment in the path, a version in the query, as written. */
function deployed({ entry, row }: Draft): boolean {
  return row?.name === "azure_openai" && entry.api_version !== undefined;
}

function readPlacement(draft: Draft, { url, host }: Address): Placement | undefined {
  const { name, entry, unix, findings } = draft;
  const near = host === "loopback" || unix !== undefined;
  const vouched = entry.operator_controlled === true;
  const placement = entry.placement ?? (near ? "local" : "external");
  const path = ["providers", name];
  if (placement === "local" && unix === undefined && !vouched && isElsewhere(url, host)) {
    const reason = "says placement: local, but its address is not loopback or of a private network";
    const fix = "say placement: external; or, if the machine is yours, operator_controlled: true";
    findings.errors.push(finding([...path, "placement"], reason, fix));
    return undefined;
  }
  if (placement === "external" && vouched) {
    const reason = "means nothing for an external backend";
    const fix = "add placement: local if private prompts may go there, or remove the line";
    findings.warnings.push(finding([...path, "operator_controlled"], reason, fix));
  }
  if (placement === "local" && entry.private_addresses !== undefined) {
    const reason = "means nothing for a local backend, which may have no other";
    findings.warnings.push(finding([...path, "private_addresses"], reason, "remove the line"));
  }
  const ours = near || host === "private" || vouched || placement === "local";
  if (url.protocol === "http:" && !ours) {
    const fix = "use https; or say placement: local, if the machine is on your own network";
    const reason = "plain http would carry prompts and the key in the clear";
    findings.errors.push(finding([...path, entry.endpoint ? "endpoint" : "base_url"], reason, fix));
    return undefined;
  }
  return placement;
}

/** A public address; or a name that belongs to a vendor, whatever it should resolve to here. */
function isElsewhere(url: URL, host: HostKind): boolean {
  if (host !== "name") return host === "public";
  return CATALOGUE.some((row) => {
    const known = row.baseUrl === undefined ? null : URL.parse(row.baseUrl);
    return known?.hostname === url.hostname;
  });
}

function readProxy(draft: Draft, placement: Placement | undefined): URL | undefined {
  const { name, entry, findings } = draft;
  if (entry.proxy === undefined) return undefined;
  const path = ["providers", name, "proxy"];
  const read = readProxyUrl(entry.proxy);
  if (!read.ok) {
    findings.errors.push(finding(path, read.reason, read.fix));
    return undefined;
  }
  if (placement === "local") {
    const reason = "a local backend cannot have a proxy: it would see private prompts";
    findings.errors.push(finding(path, reason, "remove it, or say placement: external"));
    return undefined;
  }
  return read.url;
}

function readAuth(
  draft: Draft,
  dialect: DialectId | undefined,
  credential: Secret | undefined,
): AuthScheme {
  const { name, entry, row, findings } = draft;
  if (signs(credential)) return "sigv4";
  const auth = entry.auth ?? row?.auth ?? (dialect === undefined ? "none" : usualAuth(dialect));
  if (entry.auth === "none" && (entry.api_key ?? entry.api_key_env) !== undefined) {
    const reason = "auth: none sends no key, but one is given";
    findings.errors.push(finding(["providers", name, "auth"], reason, "remove one of them"));
  }
  return auth;
}

/** A vendor's own address answers nobody without a key. */
function needKey({ name, entry, row, findings }: Draft): void {
  if (row === undefined || entry.auth === "none") return;
  if (row.engine === true || (entry.api_key ?? entry.api_key_env) !== undefined) return;
  const names = row.keyVariables.join(" or ");
  const fix = `set ${names} in the environment, or add api_key`;
  findings.errors.push(finding(["providers", name, "api_key"], "no key is given", fix));
}

function noteOrigins({ name, entry, row, findings, timeouts }: Draft): void {
  const at = (key: string) => say(["providers", name, ...key.split(".")]);
  const note = (key: string, given: unknown, from: string | undefined) => {
    if (given === undefined && from !== undefined) findings.origins.set(at(key), from);
  };
  note("protocol", entry.protocol, row && "catalogue");
  note("base_url", entry.base_url ?? entry.endpoint, row?.baseUrl ? "catalogue" : "default");
  note("placement", entry.placement, "by its address");
  note("auth", entry.auth, row ? "catalogue" : "usual for its protocol");
  note("terminal", entry.terminal, row?.terminal ? "catalogue" : "default");
  const own = providerTimeouts(timeouts, entry.timeout, entry.timeout_seconds);
  note("timeout.connect_seconds", undefined, own.connect.from);
  note("timeout.request_seconds", undefined, own.request.from);
  note("timeout.stall_seconds", undefined, own.stall.from);
  note("timeout.streaming_seconds", undefined, own.streaming.from);
}
