import type { AnyBackend } from "../core/backend.ts";
import type { Capabilities } from "../core/capabilities.ts";
import { DIALECT_IDS } from "../core/ids.ts";
import type { AnyLane } from "../core/pool.ts";
import type { PoolConfig } from "./config.ts";
import { type Findings, finding, unknownName } from "./findings.ts";
import { type Path, say } from "./path.ts";
import type { FileConfig, FileModel, FilePool } from "./schema.ts";

/** The backends of a file, with those that are named but cannot be used. */
export interface Backends {
  readonly usable: ReadonlyMap<string, AnyBackend>;
  /** Named in the file and switched off there. */
  readonly disabled: ReadonlySet<string>;
  /** Named in the file, and an error already says what is wrong with them. */
  readonly broken: ReadonlySet<string>;
}

/** What became of a reference to a provider. */
export type Referred = AnyBackend | "disabled" | "broken";

/** Follows the name of a provider. What is wrong with it is said once, at `path`. */
export function followProvider(
  name: string | undefined,
  backends: Backends,
  at: { readonly path: Path; readonly shown: string | undefined; readonly findings: Findings },
): Referred {
  const { path, shown, findings } = at;
  if (name === undefined) {
    findings.errors.push(finding(path, "no provider is named", "name one of `providers:`"));
    return "broken";
  }
  const backend = backends.usable.get(name);
  if (backend !== undefined) return backend;
  if (backends.disabled.has(name)) return "disabled";
  if (backends.broken.has(name)) return "broken";
  const known = [...backends.usable.keys(), ...backends.disabled, ...backends.broken];
  findings.errors.push(unknownName(path, { kind: "provider", name: shown, known }));
  return "broken";
}

/** What the readers of models and rules share. */
export interface ModelsContext {
  /** Where `models:` and `pools:` stand: at the top, or in a tenant. */
  readonly at: Path;
  readonly backends: Backends;
  /** Models of the file, also those that something is wrong with. */
  readonly modelNames: ReadonlySet<string>;
  readonly written: ReadonlyMap<string, string>;
  readonly findings: Findings;
}

/** The models of a file. */
export interface Models {
  readonly lanes: ReadonlyMap<string, AnyLane>;
  /** Left out, with a warning, because their provider is switched off. */
  readonly off: ReadonlySet<string>;
}

/** The lanes of `models:`. */
export function readModels(entries: FileConfig["models"], context: ModelsContext): Models {
  const lanes = new Map<string, AnyLane>();
  const off = new Set<string>();
  for (const [name, entry] of Object.entries(entries ?? {})) {
    const lane = readModel(name, entry, context);
    if (lane === "off") off.add(name);
    else if (lane !== undefined) lanes.set(name, lane);
  }
  return { lanes, off };
}

function readModel(
  name: string,
  entry: FileModel,
  context: ModelsContext,
): AnyLane | "off" | undefined {
  const own = [...context.at, "models", name];
  const path = [...own, "provider"];
  const shown = context.written.has(say(path)) ? undefined : entry.provider;
  const { findings } = context;
  const backend = followProvider(entry.provider, context.backends, { path, shown, findings });
  if (backend === "broken") return undefined;
  if (backend === "disabled") {
    const reason = "its provider is switched off, so the model is not offered";
    findings.warnings.push(finding(own, reason, "enable the provider, or remove it"));
    return "off";
  }
  return laneOf(backend, {
    model: name,
    upstreamModel: entry.upstream_model,
    contextMax: entry.context_max,
    capabilities: capabilitiesOf(entry),
  });
}

/** What the file says of a model; what it does not say, its family and host decide. */
function capabilitiesOf(entry: FileModel): Partial<Capabilities> {
  const { max_output_tokens, default_max_tokens, reasoning, prompt_caching, web_search } = entry;
  return {
    ...(max_output_tokens !== undefined && { outputCapMax: max_output_tokens }),
    ...(default_max_tokens !== undefined && { outputCapDefault: default_max_tokens }),
    ...(reasoning !== undefined && { reasoning }),
    ...(web_search !== undefined && { webSearch: web_search ? DIALECT_IDS : [] }),
    ...(prompt_caching === false && { cacheMarks: "none" as const, cacheMarksOnTools: false }),
  };
}

/** One backend serving one model by itself. */
export function laneOf(
  backend: AnyBackend,
  rest: Pick<AnyLane, "model" | "upstreamModel" | "contextMax"> & Partial<AnyLane>,
): AnyLane {
  return { backend, priority: 0, weight: 1, capabilities: {}, ...rest };
}

/** The pools of `pools:`, each with at least one lane. */
export function readPools(
  entries: FileConfig["pools"],
  context: PoolContext,
): ReadonlyMap<string, PoolConfig> {
  const pools = new Map<string, PoolConfig>();
  for (const [name, entry] of Object.entries(entries ?? {})) {
    const pool = readPool(name, entry, context);
    if (pool !== undefined) pools.set(name, pool);
  }
  return pools;
}

/** What the readers of pools share. */
export interface PoolContext extends Pick<ModelsContext, "at" | "modelNames" | "findings"> {
  readonly models: Models;
}

function readPool(name: string, entry: FilePool, context: PoolContext): PoolConfig | undefined {
  const { findings } = context;
  const members = (entry.members ?? []).filter((member) => member !== undefined);
  const path = [...context.at, "pools", name, "members"];
  if (members.length === 0) {
    const fix = "list models, as members: [{ model: … }]";
    findings.errors.push(finding(path, "the pool has no members", fix));
    return undefined;
  }
  const lanes: AnyLane[] = [];
  for (const [at, member] of (entry.members ?? []).entries()) {
    if (member === undefined) continue;
    const lane = followModel(member.model, [...path, at, "model"], context);
    if (lane === undefined) continue;
    const { priority = 0, weight = 1, context_max: contextMax = lane.contextMax } = member;
    // A caller of the pool names the pool: what its backend knows is the member's own name.
    const upstreamModel = lane.upstreamModel ?? member.model;
    lanes.push({ ...lane, upstreamModel, priority, weight, contextMax });
  }
  warnOfDoubles(path, lanes, findings);
  warnOfMixture(path, lanes, findings);
  if (members.every(({ model }) => context.models.off.has(model ?? ""))) {
    const reason = "the providers of all its members are switched off";
    findings.errors.push(finding(path, reason, "enable one, or remove the pool"));
  }
  if (lanes.length === 0) return undefined;
  const { privacy, stream_failure: streamFailure, on_loss: onLoss } = entry;
  return { name, lanes, privacy, streamFailure, onLoss };
}

function followModel(
  name: string | undefined,
  path: Path,
  { modelNames, models, findings }: PoolContext,
): AnyLane | undefined {
  if (name === undefined) {
    findings.errors.push(finding(path, "no model is named", "name one of `models:`"));
    return undefined;
  }
  const lane = models.lanes.get(name);
  // A model that is in the file but not among the lanes has had its say already.
  if (lane !== undefined || modelNames.has(name)) return lane;
  findings.errors.push(unknownName(path, { kind: "model", name, known: [...modelNames] }));
  return undefined;
}

function warnOfDoubles(path: Path, lanes: readonly AnyLane[], findings: Findings): void {
  const names = lanes.map((lane) => lane.model);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return;
  const fix = "name it once, with the sum of the weights";
  findings.warnings.push(finding(path, `${twice} is a member more than once`, fix));
}

function warnOfMixture(path: Path, lanes: readonly AnyLane[], findings: Findings): void {
  const dialects = [...new Set(lanes.map((lane) => lane.backend.dialect))];
  if (dialects.length < 2) return;
  const reason = `its members speak different protocols: ${dialects.join(", ")}`;
  const fix = "expect what one cannot say to be dropped; or make a pool for each";
  findings.warnings.push(finding(path, reason, fix));
}
