import { readAdmin } from "./admin.ts";
import { type AnyBackend, Backend } from "../core/backend.ts";
import type { Config, ConfigSource, Diagnostic, StateConfig } from "./config.ts";
import { readDocument } from "./document.ts";
import { type Environment, type Flags, readOverrides, variablesNotActive } from "./env.ts";
import { type Findings, finding, noFindings } from "./findings.ts";
import { readKeys } from "./keys.ts";
import { type Backends, type ModelsContext, readModels, readPools } from "./models.ts";
import { nameProblem, type Named } from "./names.ts";
import { notActiveIn } from "./not-active.ts";
import { readPrivacyDefault } from "./privacy-default.ts";
import { type BackendPlan, planProvider } from "./providers.ts";
import { readDefault, readRules } from "./routing.ts";
import type { FileConfig } from "./schema.ts";
import { readSignedKeys } from "./signed-keys.ts";
import { openModeServer, readSettings } from "./settings.ts";
import { readState } from "./state.ts";
import { ownKeyed, readOwnKeys } from "./own-keys.ts";
import { readShape } from "./shape.ts";
import { gatewayTimeouts } from "./timeouts.ts";
import { readTenants, zonesOf } from "./tenants.ts";
import { isTree, type Tree } from "./tree.ts";
import { warnOf } from "./warnings.ts";

/** What decides what a file means. */
export interface ResolveOptions {
  /** Where the text was found; for messages only. */
  readonly path: string;
  readonly env: Environment;
  readonly flags?: Flags;
  /** Whether keys were ever made in the state directory: then callers are asked for one. */
  readonly storedKeys?: boolean;
}

/** A configuration, or everything that is wrong with it. */
export type Resolved =
  | {
      readonly ok: true;
      readonly config: Config;
      /** For `config show`: where values came from that the file does not give. */
      readonly origins: ReadonlyMap<string, string>;
      /** For `config show`: what the file says where a variable was put in. */
      readonly written: ReadonlyMap<string, string>;
    }
  | {
      readonly ok: false;
      readonly errors: readonly Diagnostic[];
      readonly warnings: readonly Diagnostic[];
      readonly notActive: readonly string[];
    };

/** Reads a configuration file. Never throws: whatever the text, a configuration or its errors. */
export function resolve(text: string, options: ResolveOptions): Resolved {
  const { path, env, flags = {}, storedKeys = false } = options;
  const document = readDocument(text, env);
  if (document.tree === undefined) {
    return { ok: false, errors: document.errors, warnings: [], notActive: [] };
  }
  const names: FileNames = {
    providers: namesIn(document.tree, "providers"),
    models: namesIn(document.tree, "models"),
    pools: namesIn(document.tree, "pools"),
  };
  const shape = readShape(document.tree, document.written);
  const findings = noFindings();
  const { written } = document;
  const first = [...document.errors, ...shape.errors];
  const said = new Set(first.map((error) => error.path));
  const source = { kind: "file", path } as const;
  const config = judge(shape.file, {
    ...{ env, flags, storedKeys, written, findings, names, said, source },
  });
  // A value that was taken out leaves a gap, and a gap has consequences: those are not news.
  const errors = [...first, ...findings.errors.filter((error) => !said.has(error.path))];
  const { warnings, notActive, origins } = findings;
  if (errors.length > 0) return { ok: false, errors, warnings, notActive };
  return { ok: true, config, origins, written };
}

/** Makes a backend of its plan: the only place where placement becomes a type. */
export function makeBackend({ placement, fields }: BackendPlan): AnyBackend {
  return placement === "local" ? Backend.local(fields) : Backend.external(fields);
}

interface JudgeOptions {
  readonly env: Environment;
  readonly flags: Flags;
  readonly storedKeys: boolean;
  readonly written: ReadonlyMap<string, string>;
  readonly findings: Findings;
  readonly names: FileNames;
  /** Paths of values that were taken out of the file, an error standing for each. */
  readonly said: ReadonlySet<string>;
  readonly source: ConfigSource;
}

/** The names in the file before anything was taken out of it. */
interface FileNames {
  readonly providers: readonly string[];
  readonly models: readonly string[];
  readonly pools: readonly string[];
}

/** What the file says, name by name. Errors go to the findings; the result is good without them. */
function judge(file: FileConfig, options: JudgeOptions): Config {
  const { env, flags, written, findings, source } = options;
  findings.notActive.push(...notActiveIn(file));
  const overrides = readOverrides(env, flags, findings);
  const settings = readSettings(file, overrides, findings);
  checkNames(file, findings);
  const backends = readBackends(file, options);
  const modelNames = new Set(options.names.models);
  const context: ModelsContext = { at: [], backends, modelNames, written, findings };
  const models = readModels(file.models, context);
  const pools = readPools(file.pools, { at: [], models, modelNames, findings });
  const rules = readRules(file, context);
  const defaultBackend = readDefault(file, context);
  const served = [...options.names.models, ...options.names.pools];
  const names = [...served, ...options.names.providers]; // Those stand in paths.
  const open = rules.length > 0 || file.routing?.default_provider !== undefined;
  const granted = { names, open: open || served.length === 0, zones: zonesOf(file), written };
  const tenants = readTenants(file, { ...context, ...granted, models });
  const keys = readKeys(file, { env, findings, tenants, ...granted });
  const signedKeys = readSignedKeys(file, { findings, tenants, ...granted });
  const ownKeys = readOwnKeys(file, context);
  const state = readState(file, env, findings);
  const adminTokens = readAdmin(file, { env, findings, tenants, written });
  // One that shares keys with other nodes asks for them, be there any yet or not.
  const keyed = keys.length > 0 || file.signed_keys != null || options.storedKeys || shares(state);
  const meant = namesKeys(file) || saidOf("keys", options);
  const server = keyed || meant ? settings.server : openModeServer(settings.server, findings);
  const lanes =
    models.lanes.size + [...tenants.values()].flatMap((each) => [...each.models]).length;
  const isServed = lanes + rules.length > 0 || defaultBackend !== undefined;
  if (!isServed && ownKeys === undefined) needModels(options);
  findings.notActive.push(...variablesNotActive(env, written));
  const config: Config = {
    ...{ signedKeys, tenants, ownKeys },
    ...settings,
    ...{ server, state, source, models: models.lanes, pools, rules, defaultBackend },
    ...{ keys, keyed, adminTokens },
    privacy: readPrivacyDefault(file, findings),
    backends: [...backends.usable.values()],
    notActive: findings.notActive,
    warnings: findings.warnings,
  };
  findings.warnings.push(...warnOf(file, config, written));
  return config;
}

function shares({ isNamed, peers }: StateConfig): boolean {
  return isNamed || peers !== undefined;
}

function readBackends(file: FileConfig, options: JudgeOptions): Backends {
  const { env, findings } = options;
  const timeouts = gatewayTimeouts(file);
  const byCallers = ownKeyed(file);
  const usable = new Map<string, AnyBackend>();
  const disabled = new Set<string>();
  const broken = new Set(options.names.providers);
  for (const [name, entry] of Object.entries(file.providers ?? {})) {
    broken.delete(name);
    if (entry?.enabled === false) {
      disabled.add(name);
      continue;
    }
    const plan = planProvider(name, entry ?? {}, {
      ...{ env, timeouts, findings, byCallers },
    });
    if (plan === undefined) broken.add(name);
    else usable.set(name, makeBackend(plan));
  }
  if (usable.size + broken.size === 0) needProviders(disabled.size, findings);
  return { usable, disabled, broken };
}

function needProviders(disabledCount: number, findings: Findings): void {
  const reason = disabledCount === 0 ? "no provider is named" : "every provider is switched off";
  const fix = 'add one, as openai: { api_key: "${OPENAI_API_KEY}" }';
  findings.errors.push(finding("providers", reason, fix));
}

function needModels(options: JudgeOptions): void {
  // A file that mentions a model or a route has been told what is wrong with it.
  const mentioned = options.names.models.length > 0 || saidOf("routing", options);
  const { errors } = options.findings;
  if (mentioned || errors.some(({ path }) => /^(?:providers|routing)\b/.test(path))) return;
  const fix = "add models, or routing.default_provider, or routing.rules";
  errors.push(finding("models", "no model can be reached", fix));
}

/** Whether the file means callers to show a key, be something wrong with it or not. */
function namesKeys({ keys, tenants }: FileConfig): boolean {
  const all = [keys, ...Object.values(tenants ?? {}).map((tenant) => tenant.keys)];
  return all.some((each) => Object.keys(each ?? {}).length > 0);
}

/** Whether something was taken out of a section, so that its emptiness means nothing. */
function saidOf(section: string, { said }: JudgeOptions): boolean {
  return [...said].some((path) => path === section || path.startsWith(`${section}.`));
}

/** One name means one thing: paths of the gateway begin with any of them. */
function checkNames(file: FileConfig, findings: Findings): void {
  const taken = new Map<string, Named>();
  const spaces = [
    ["provider", ["providers"], file.providers],
    ["pool", ["pools"], file.pools],
    ["model", ["models"], file.models],
    ["key", ["keys"], file.keys],
    ...Object.entries(file.tenants ?? {}).map(
      ([id, { keys }]) => ["key", ["tenants", id, "keys"], keys] as const,
    ),
  ] as const;
  for (const [kind, section, entries] of spaces) {
    for (const name of Object.keys(entries ?? {})) {
      const problem = nameProblem(kind, name);
      const path = [...section, name];
      if (problem !== undefined) {
        findings.errors.push(finding(path, problem.reason, problem.fix));
      }
      if (kind === "key") continue;
      const other = taken.get(name);
      if (other === undefined) taken.set(name, kind);
      else {
        const reason = `a ${other} has this name already`;
        findings.errors.push(finding(path, reason, "give one of them another name"));
      }
    }
  }
}

function namesIn(tree: Tree, section: string): readonly string[] {
  const entries = tree[section];
  return isTree(entries) ? Object.keys(entries) : [];
}
