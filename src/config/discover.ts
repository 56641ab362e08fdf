import { readAdmin } from "./admin.ts";
import type { AnyBackend } from "../core/backend.ts";
import type { AnyLane } from "../core/pool.ts";
import { CATALOGUE } from "./catalogue.ts";
import type { Config, Diagnostic, RoutingRule } from "./config.ts";
import { type Candidate, demoCandidate, engineCandidates, keyedCandidates } from "./candidates.ts";
import { type Environment, type Flags, readOverrides, variablesNotActive } from "./env.ts";
import { noFindings } from "./findings.ts";
import { readKeys } from "./keys.ts";
import { readModelIds } from "./model-list.ts";
import { laneOf } from "./models.ts";
import { DEMO_BACKEND_NAME } from "./names.ts";
import { makeBackend } from "./resolve.ts";
import { openModeServer, readSettings, type Settings } from "./settings.ts";
import { readState } from "./state.ts";

/** Asks a URL on this machine; undefined when nothing answers soon. */
export type Probe = (url: string) => Promise<ProbeAnswer | undefined>;
/** What came back. */
export interface ProbeAnswer {
  readonly status: number;
  readonly body: string;
}

/** What discovery looks at. */
export interface DiscoverOptions {
  readonly env: Environment;
  readonly probe: Probe;
  /** The port we will listen on, where no engine can be; the configured one unless given. */
  readonly ownPort?: number;
  readonly flags?: Flags;
  /** Whether keys were ever made in the state directory: then callers are asked for one. */
  readonly storedKeys?: boolean;
}

/** One backend that was found, for the banner. */
export interface Found {
  readonly backend: AnyBackend;
  /** What gave it away: a variable, or an address that answered. */
  readonly by: string;
  /** What it says it serves; empty when it was not asked. */
  readonly models: readonly string[];
}

/** A configuration made of what is on this machine. */
export type Discovery =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly found: readonly Found[];
      /** What was seen and left aside, one sentence each. */
      readonly notes: readonly string[];
      readonly origins: ReadonlyMap<string, string>;
    }
  | { readonly ok: false; readonly errors: readonly Diagnostic[] };

/** Starts from nothing: keys in the environment, engines that answer, or the demo. */
export async function discover(options: DiscoverOptions): Promise<Discovery> {
  const { env, probe, flags = {}, storedKeys = false } = options;
  const findings = noFindings();
  const settings = readSettings({}, readOverrides(env, flags, findings), findings);
  const { port, metricsPort } = settings.server;
  const taken = [options.ownPort ?? port, metricsPort].filter((own) => own !== undefined);
  const notes: string[] = [];
  const credentialed = keyedCandidates(env, { taken, notes, findings });
  const engines = engineCandidates(credentialed, taken);
  const asked = await Promise.all([...credentialed, ...engines].map((each) => ask(each, probe)));
  const found = asked.filter((each) => each !== undefined);
  if (found.length === 0) found.push(foundOf(demoCandidate(), [DEMO_BACKEND_NAME]));
  const keys = readKeys(
    {},
    {
      ...{ env, findings, names: [], open: true },
      ...{ tenants: new Map(), zones: new Set(), written: new Map() },
    },
  );
  const keyed = keys.length > 0 || storedKeys;
  const server = !keyed ? openModeServer(settings.server, findings) : settings.server;
  const adminTokens = readAdmin({}, { env, findings, tenants: new Map(), written: new Map() });
  if (findings.errors.length > 0) return { ok: false, errors: findings.errors };
  const notActive = [...findings.notActive, ...variablesNotActive(env, new Map())];
  const { warnings, origins } = findings;
  const state = readState({}, env, findings);
  const asking = { state, server, keys, keyed, adminTokens };
  const config = { ...configOf(found, settings), ...asking, notActive, warnings };
  return { ok: true, config, found, notes, origins };
}

/** An engine counts when it lists its models; a keyed backend counts in any case. */
async function ask(candidate: Candidate, probe: Probe): Promise<Found | undefined> {
  if (candidate.plan.placement !== "local") return foundOf(candidate, []);
  const { baseUrl } = candidate.plan.fields;
  const answer = await probe(`${baseUrl.href.replace(/\/$/, "")}/models`);
  const models = answer?.status === 200 ? readModelIds(answer.body) : undefined;
  if (models === undefined && candidate.engine) return undefined;
  return foundOf(candidate, models ?? []);
}

function foundOf({ plan, by }: Candidate, models: readonly string[]): Found {
  return { backend: makeBackend(plan), by, models };
}

type Asking = "state" | "keys" | "keyed" | "adminTokens";
function configOf(found: readonly Found[], settings: Settings): Omit<Config, Asking> {
  const backends = found.map(({ backend }) => backend);
  const demo = backends[0]?.name === DEMO_BACKEND_NAME;
  return {
    ...settings,
    source: { kind: demo ? "demo" : "environment" },
    privacy: { default: "shareable", why: "there is no configuration file" },
    backends,
    models: modelsOf(found),
    pools: new Map(),
    signedKeys: undefined,
    tenants: new Map(),
    ownKeys: undefined,
    rules: rulesOf(backends),
    defaultBackend: defaultOf(backends),
    notActive: [],
    warnings: [],
  };
}

/** The first to offer a model serves it. */
function modelsOf(found: readonly Found[]): ReadonlyMap<string, AnyLane> {
  const lanes = new Map<string, AnyLane>();
  for (const { backend, models } of found) {
    for (const model of models) {
      if (lanes.has(model)) continue;
      lanes.set(model, laneOf(backend, { model, upstreamModel: undefined, contextMax: undefined }));
    }
  }
  return lanes;
}

/** A vendor's own model names go to the vendor, where its key was found. */
function rulesOf(backends: readonly AnyBackend[]): readonly RoutingRule[] {
  return CATALOGUE.flatMap((row) => {
    const backend = backends.find(({ name }) => name === row.name);
    if (backend === undefined) return [];
    return row.modelPrefixes.map((value) => ({
      name: `${row.name}: ${value}`,
      condition: { test: "starts_with" as const, value },
      backend,
      priority: 0,
    }));
  });
}

/** OpenAI, else the first of the catalogue's order, in which vendors go before engines. */
function defaultOf(backends: readonly AnyBackend[]): AnyBackend | undefined {
  return backends.find(({ name }) => name === "openai") ?? backends[0];
}
