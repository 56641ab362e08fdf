import { catalogueRow } from "./catalogue.ts";
import type { Diagnostic } from "./config.ts";
import { finding } from "./findings.ts";
import { type Path, say } from "./path.ts";
import type { FileConfig } from "./schema.ts";

/** A place that holds a secret, and the variable that could hold it instead. */
interface SecretPlace {
  readonly path: Path;
  readonly text: string | undefined;
  readonly variable: string;
}

/** A user name and password in a URL. */
const CREDENTIALS = /:\/\/[^/?#]*:[^/?#]*@/;

/** Secrets that stand in the file itself, where backups and repositories copy them. */
export function warnOfLiterals(
  file: FileConfig,
  written: ReadonlyMap<string, string>,
): readonly Diagnostic[] {
  const bare = secretsOf(file).filter(({ path, text }) => text && !written.has(say(path)));
  return bare.map(({ path, variable }) =>
    finding(path, "a secret stands in the file itself", `write "\${${variable}}"`),
  );
}

function secretsOf({
  providers,
  keys,
  tenants,
  security,
  state,
  database,
  budgets,
  ...file
}: FileConfig): readonly SecretPlace[] {
  const places: SecretPlace[] = [];
  const add = (path: Path, text: string | undefined, { variable }: { variable: string }) =>
    places.push({ path, text, variable });
  for (const [name, entry] of Object.entries(providers ?? {})) {
    const variable = catalogueRow(name)?.keyVariables[0] ?? "PROVIDER_KEY";
    add(["providers", name, "api_key"], entry?.api_key, { variable });
    add(["providers", name, "proxy"], inUrl(entry?.proxy), { variable: "PROXY_URL" });
  }
  for (const [id, entry] of Object.entries(keys ?? {})) {
    add(["keys", id, "key"], entry.key, { variable: "VIRTUAL_KEY" });
  }
  for (const [tenant, own] of Object.entries(tenants ?? {})) {
    for (const [name, entry] of Object.entries(own.keys ?? {})) {
      add(["tenants", tenant, "keys", name, "key"], entry.key, { variable: "VIRTUAL_KEY" });
    }
  }
  const variable = "SECRETS_ENCRYPTION_KEY";
  add(["security", "secrets", "encryption_key"], security?.secrets?.encryption_key, { variable });
  const { webhook_url, webhook_secret } = budgets?.alerts ?? {};
  const place = ["budgets", "alerts"];
  add([...place, "webhook_url"], inUrl(webhook_url), { variable: "BUDGET_WEBHOOK_URL" });
  add([...place, "webhook_secret"], webhook_secret, { variable: "BUDGET_WEBHOOK_SECRET" });
  add(["state", "peer_secret"], state?.peer_secret, { variable: "PEER_SECRET" });
  add(["state", "database_url"], inUrl(state?.database_url), { variable: "DATABASE_URL" });
  for (const [name, { token }] of Object.entries(file.admin?.tokens ?? {})) {
    add(["admin", "tokens", name, "token"], token, { variable: "ADMIN_TOKEN" });
  }
  const { nats, postgres } = file.signed_keys?.deny ?? {};
  const denied: Path = ["signed_keys", "deny"];
  add([...denied, "nats", "url"], inUrl(nats?.url), { variable: "NATS_URL" });
  add([...denied, "postgres", "url"], inUrl(postgres?.url), { variable: "DENY_DATABASE_URL" });
  add(["database", "url"], inUrl(database?.url), { variable: "DATABASE_URL" });
  return places;
}

function inUrl(text: string | undefined): string | undefined {
  return text !== undefined && CREDENTIALS.test(text) ? text : undefined;
}
