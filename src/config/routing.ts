import type { AnyBackend } from "../core/backend.ts";
import { CONDITION_FORM, readCondition } from "./condition.ts";
import type { RoutingRule } from "./config.ts";
import { finding } from "./findings.ts";
import { followProvider, type ModelsContext } from "./models.ts";
import { say } from "./path.ts";
import type { FileConfig } from "./schema.ts";

/** `routing.rules` in the order in which they are asked: by priority, then as in the file. */
export function readRules(file: FileConfig, context: ModelsContext): readonly RoutingRule[] {
  const rules: RoutingRule[] = [];
  for (const [at, entry] of (file.routing?.rules ?? []).entries()) {
    if (entry === undefined) continue;
    const path = ["routing", "rules", at];
    const condition = readCondition(entry.condition ?? "");
    if (condition === undefined) {
      const missing = entry.condition === undefined;
      const reason = missing ? "no condition is given" : "this condition is not understood";
      const place = [...path, "condition"];
      context.findings.errors.push(finding(place, reason, `write ${CONDITION_FORM}`));
    }
    const backend = follow(entry.target_provider, [...path, "target_provider"], context);
    if (backend === "disabled") {
      const reason = "its provider is switched off, so the rule is left out";
      context.findings.warnings.push(finding(path, reason, "enable the provider, or remove it"));
    }
    if (condition === undefined || typeof backend === "string") continue;
    const name = entry.name ?? `rule ${at + 1}`;
    rules.push({ name, condition, backend, priority: entry.priority ?? 0 });
  }
  return rules.toSorted((a, b) => a.priority - b.priority);
}

/** Where a model goes that nobody configured. */
export function readDefault(file: FileConfig, context: ModelsContext): AnyBackend | undefined {
  const name = file.routing?.default_provider;
  const { findings, backends } = context;
  const path = ["routing", "default_provider"];
  if (name === undefined) return loneProvider(file, context);
  const backend = follow(name, path, { ...context, backends });
  if (backend === "disabled") {
    const fix = "enable it, or name another";
    findings.errors.push(finding(path, "the default provider is switched off", fix));
  }
  return typeof backend === "string" ? undefined : backend;
}

/** A file that names one provider and nothing else can only mean that it gets everything. */
function loneProvider(
  file: FileConfig,
  { backends, findings }: ModelsContext,
): AnyBackend | undefined {
  const own = Object.values(file.tenants ?? {}).flatMap(({ models, pools }) => [models, pools]);
  const others = [file.models, file.pools, file.routing?.rules, ...own].some(
    (part) => Object.keys(part ?? {}).length > 0,
  );
  const [only, second] = [...backends.usable.values()];
  if (others || only === undefined || second !== undefined) return undefined;
  findings.origins.set("routing.default_provider", "the only provider");
  return only;
}

function follow(
  name: string | undefined,
  path: readonly (string | number)[],
  { backends, written, findings }: ModelsContext,
) {
  const shown = written.has(say(path)) ? undefined : name;
  return followProvider(name, backends, { path, shown, findings });
}
