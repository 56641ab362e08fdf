import { Secret } from "../core/secret.ts";
import type { TenantId } from "../core/ids.ts";
import type { AdminToken, TenantConfig } from "./config.ts";
import { namedVariable, unsendable } from "./credential.ts";
import { type Environment, variable } from "./env.ts";
import { type Findings, finding } from "./findings.ts";
import { type Path, say } from "./path.ts";
import type { FileConfig } from "./schema.ts";
import { followTenant } from "./tenants.ts";

/** The variable that holds one more admin token, for a start without a file. */
export const ADMIN_VARIABLE = "INTERLOCK_ADMIN_TOKEN";
/** Shorter ones can be guessed. 16 characters of a random alphabet hold about 80 bits. */
export const TOKEN_LENGTH_MIN = 16;

/** What reading them needs to know of the rest of the file. */
export interface AdminContext {
  readonly env: Environment;
  readonly findings: Findings;
  readonly tenants: ReadonlyMap<TenantId, TenantConfig>;
  /** For each value that came from the environment: what the file says there. */
  readonly written: ReadonlyMap<string, string>;
}

/** Who may use the admin API, no two by the same token. */
export function readAdmin(
  file: Pick<FileConfig, "admin">,
  { env, findings, tenants, written }: AdminContext,
): readonly AdminToken[] {
  const tokens: AdminToken[] = [];
  const owners = new Map<string, string>();
  for (const [name, entry] of Object.entries(file.admin?.tokens ?? {})) {
    const { token, token_env: named, role = "admin" } = entry;
    const path = ["admin", "tokens", name, "token"];
    const at = ["admin", "tokens", name, "tenant"];
    const shown = !written.has(say(at));
    const tenant = followTenant(entry.tenant, tenants, { path: at, shown, findings })?.id;
    if (entry.tenant !== undefined && tenant === undefined) continue; // Or it would be for all.
    const secret = readToken(path, { token, named }, { env, findings });
    const owner = secret && owners.get(secret.expose());
    if (owner !== undefined) {
      const fix = "give each its own: the audit log names who made a change by it";
      findings.errors.push(finding(path, `is the same token as that of ${owner}`, fix));
    } else if (secret !== undefined) {
      owners.set(secret.expose(), name);
      tokens.push({ name, secret, role, tenant });
    }
  }
  const extra = variable(env, ADMIN_VARIABLE);
  const own = extra === undefined ? undefined : checked(ADMIN_VARIABLE, extra, findings);
  if (own === undefined || owners.has(own.expose())) return tokens;
  findings.origins.set(say(["admin", "tokens", ADMIN_VARIABLE, "token"]), ADMIN_VARIABLE);
  return [...tokens, { name: ADMIN_VARIABLE, secret: own, role: "admin" }];
}

interface Ways {
  readonly token: string | undefined;
  readonly named: string | undefined;
}
interface TokenContext {
  readonly env: Environment;
  readonly findings: Findings;
}

function readToken(path: Path, ways: Ways, context: TokenContext): Secret | undefined {
  const { token, named } = ways;
  const { env, findings } = context;
  if ((token === undefined) === (named === undefined)) {
    const reason = token === undefined ? "no token is given" : "it is given in two ways";
    findings.errors.push(finding(path, reason, "give one of token and token_env"));
    return undefined;
  }
  if (named === undefined) return checked(path, token ?? "", findings);
  const value = namedVariable(named, env);
  if ("reason" in value) {
    const at = [...path.slice(0, -1), "token_env"];
    findings.errors.push(finding(at, value.reason, value.fix));
    return undefined;
  }
  findings.origins.set(say(path), named);
  return checked(path, value.text, findings);
}

function checked(path: Path | string, text: string, findings: Findings): Secret | undefined {
  const problem = unsendable(text);
  if (problem !== undefined) {
    findings.errors.push(finding(path, problem.reason, problem.fix));
    return undefined;
  }
  if (text.length >= TOKEN_LENGTH_MIN && !/\s/.test(text)) return new Secret(text);
  const reason =
    text.length < TOKEN_LENGTH_MIN
      ? `the token is shorter than ${TOKEN_LENGTH_MIN} characters`
      : "the token has a space in it";
  findings.errors.push(finding(path, reason, "make one with: openssl rand -hex 32"));
  return undefined;
}
