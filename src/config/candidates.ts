import { Secret } from "../core/secret.ts";
import { regionalUrl } from "./aws.ts";
import { readBaseUrl } from "./base-url.ts";
import { CATALOGUE, type CatalogueRow } from "./catalogue.ts";
import { unsendable } from "./credential.ts";
import { type Environment, firstVariable } from "./env.ts";
import { type Findings, finding } from "./findings.ts";
import { DEMO_BACKEND_NAME } from "./names.ts";
import { say } from "./path.ts";
import type { BackendPlan } from "./providers.ts";
import { deadlinesOf, gatewayTimeouts } from "./timeouts.ts";
import { vendorErrors } from "./vendor-errors.ts";

/** A backend that may be there. */
export interface Candidate {
  readonly plan: BackendPlan;
  /** What gave it away, for the banner. */
  readonly by: string;
  /** Known by its usual port alone, so that it must answer to count. */
  readonly engine: boolean;
}

/** What a search for candidates must know and may say. */
export interface CandidateContext {
  /** Ports of this machine that are our own. */
  readonly taken: readonly number[];
  readonly notes: string[];
  readonly findings: Findings;
}

/** Providers of the catalogue whose key or address is in the environment. */
export function keyedCandidates(env: Environment, context: CandidateContext): readonly Candidate[] {
  const rows = CATALOGUE.filter((row) => row.engine !== true && row.quiet !== true);
  return rows.flatMap((row) => keyedCandidate(row, env, context) ?? []);
}

/** Engines at their usual ports, but for ports that are ours or named by the environment. */
export function engineCandidates(
  keyed: readonly Candidate[],
  taken: readonly number[],
): readonly Candidate[] {
  const named = keyed.filter(({ plan }) => plan.placement === "local");
  const busy = new Set([...taken, ...named.map(({ plan }) => portOf(plan.fields.baseUrl))]);
  return CATALOGUE.flatMap((row) => {
    const baseUrl = row.engine === true ? new URL(row.baseUrl ?? "") : undefined;
    if (baseUrl === undefined || busy.has(portOf(baseUrl))) return [];
    const plan = planOf(row, { baseUrl, credential: undefined, placement: "local" });
    return [{ plan, by: `answers on ${baseUrl.host}`, engine: true }];
  });
}

/** The embedded demo. Nothing dials its address: upstream/ knows it by its name. */
export function demoCandidate(): Candidate {
  const baseUrl = new URL(`http://${DEMO_BACKEND_NAME}.invalid/v1`);
  const row = { name: DEMO_BACKEND_NAME, dialect: "openai", auth: "none" } as const;
  const plan = planOf(row, { baseUrl, credential: undefined, placement: "local" });
  return { plan, by: "nothing else was found", engine: false };
}

function keyedCandidate(
  row: CatalogueRow,
  env: Environment,
  { taken, notes, findings }: CandidateContext,
): Candidate | undefined {
  const key = firstVariable(env, row.keyVariables);
  const address = firstVariable(env, row.urlVariables ?? []);
  if (key === undefined && address === undefined) return undefined;
  const text = address?.value ?? row.baseUrl ?? urlOfRegion(row, env);
  if (text === undefined) {
    notes.push(`${row.name} is left out: ${key?.by} is set, and it needs ${missing(row)} too`);
    return undefined;
  }
  const read = readBaseUrl(text);
  const problem = key && unsendable(key.value);
  if (!read.ok) findings.errors.push(finding(address?.by ?? row.name, read.reason, read.fix));
  if (problem !== undefined) {
    findings.errors.push(finding(key?.by ?? row.name, problem.reason, problem.fix));
  }
  if (!read.ok || problem !== undefined) return undefined;
  const placement = read.host === "loopback" ? "local" : "external";
  if (placement === "local" && taken.includes(portOf(read.url))) {
    notes.push(`${row.name} is left out: ${address?.by} points at this gateway itself`);
    return undefined;
  }
  if (placement === "external" && key === undefined) {
    const names = row.keyVariables.join(" or ");
    notes.push(`${row.name} is left out: ${address?.by} is set, and it needs ${names} too`);
    return undefined;
  }
  if (read.url.protocol === "http:" && (read.host === "public" || read.host === "name")) {
    const reason = "plain http would carry prompts and the key in the clear";
    findings.errors.push(finding(address?.by ?? row.name, reason, "use https"));
    return undefined;
  }
  if (read.url.pathname === "/" && row.mount !== undefined) read.url.pathname = row.mount;
  const credential = key && new Secret(key.value);
  if (key !== undefined) findings.origins.set(say(["providers", row.name, "api_key"]), key.by);
  findings.origins.set(say(["providers", row.name, "base_url"]), address?.by ?? "catalogue");
  const plan = planOf(row, { baseUrl: read.url, credential, placement });
  return { plan, by: key?.by ?? address?.by ?? row.name, engine: false };
}

function urlOfRegion({ regionUrl, regionVariables = [] }: CatalogueRow, env: Environment) {
  if (regionUrl === undefined) return undefined;
  return regionalUrl(regionUrl, undefined, { env, variables: regionVariables });
}

function missing({ urlVariables, regionVariables }: CatalogueRow): string {
  const variables = urlVariables ?? regionVariables;
  return variables?.join(" or ") ?? "a base_url in a configuration file";
}

function planOf(
  row: Pick<CatalogueRow, "name" | "dialect" | "auth"> & Partial<CatalogueRow>,
  rest: {
    readonly baseUrl: URL;
    readonly credential: Secret | undefined;
    readonly placement: BackendPlan["placement"];
  },
): BackendPlan {
  const { baseUrl, credential, placement } = rest;
  return {
    placement,
    fields: {
      ...{ name: row.name, dialect: row.dialect, baseUrl, credential },
      auth: credential === undefined ? "none" : row.auth,
      ...{ also: row.also ?? [], modelPath: row.modelPath, query: row.query },
      ...{ headers: row.headers ?? {}, capabilities: row.capabilities ?? {} },
      unix: undefined,
      proxy: undefined,
      operatorControlled: false,
      deadlines: deadlinesOf(gatewayTimeouts({})),
      terminal: row.terminal ?? "done",
      errorRules: vendorErrors(row.name),
    },
  };
}

/** The port a URL is dialled at. */
function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}
