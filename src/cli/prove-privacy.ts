import type { AnyBackend } from "../core/backend.ts";
import type { AnyLane } from "../core/pool.ts";
import type { Config, KeyConfig } from "../config/config.ts";
import { printCondition } from "../config/condition.ts";
import { mayUse, ownedLabel } from "../config/tenants.ts";
import { CONFIG_VARIABLE, variable } from "../config/env.ts";
import { load } from "../config/load.ts";
import { isPrivateKey, lanesFor, loneLane, privateBackends, whyLocal } from "../config/reach.ts";
import { readFileArguments } from "./arguments.ts";
import { diagnosticsText } from "./diagnostics.ts";
import { EXIT, type Io } from "./io.ts";
import { SIDE_EXITS } from "./side-exits.ts";

/** What private requests can reach under one name. */
interface Reach {
  readonly kind: "pool" | "model" | "rule" | "default";
  readonly name: string;
  readonly reachable: readonly { readonly backend: string; readonly because: string }[];
  /** Backends that others can reach under that name, and private requests cannot. */
  readonly barred: readonly string[];
}

/** `interlock prove-privacy FILE`: everywhere a private request can go, and why nowhere else. */
export async function provePrivacy(argv: readonly string[], io: Io): Promise<number> {
  const options = readFileArguments(argv);
  const path = typeof options === "string" ? undefined : options.file;
  const file = path ?? variable(io.env, CONFIG_VARIABLE);
  if (typeof options === "string" || options.strict || file === undefined) {
    const why = typeof options === "string" ? options : "one file must be named";
    io.stderr(`interlock: ${why}\nUsage: interlock prove-privacy FILE [--json]\n`);
    return EXIT.usage;
  }
  const loaded = await load({ path: file, env: io.env, readFile: (name) => io.readFile(name) });
  if (!loaded.ok) {
    io.stderr(diagnosticsText("Errors", loaded.errors));
    return EXIT.failed;
  }
  const { config } = loaded;
  const reaches = reachesOf(config);
  const unserved = unservedOf(config);
  io.stdout(
    options.json ? jsonOf(config, reaches, { unserved }) : textOf(config, reaches, { unserved }),
  );
  return unserved.length === 0 ? EXIT.ok : EXIT.failed;
}

function reachesOf(config: Config): readonly Reach[] {
  const { tenants, rules, defaultBackend } = config;
  return [
    ...namedReaches(config, (name) => name),
    ...[...tenants.values()].flatMap((tenant) =>
      namedReaches(tenant, (name) => ownedLabel(tenant.id, name)),
    ),
    ...rules.map(({ condition, backend }) =>
      reachOf("rule", printCondition(condition), [loneLane(backend)]),
    ),
    ...(defaultBackend === undefined
      ? []
      : [reachOf("default", "any other model", [loneLane(defaultBackend)])]),
  ];
}

function namedReaches(
  { pools, models }: Pick<Config, "pools" | "models">,
  labelOf: (name: string) => string,
): readonly Reach[] {
  return [
    ...[...pools.values()].map(({ name, lanes }) => reachOf("pool", labelOf(name), lanes)),
    ...[...models].map(([name, lane]) => reachOf("model", labelOf(name), [lane])),
  ];
}

function reachOf(kind: Reach["kind"], name: string, lanes: readonly AnyLane[]): Reach {
  const open = privateBackends(lanes);
  const all = [...new Set(lanes.map(({ backend }) => backend))];
  const barred = all.filter((backend) => !open.includes(backend));
  return { kind, name, reachable: open.map(reasoned), barred: barred.map((each) => each.name) };
}

function reasoned(backend: AnyBackend): { backend: string; because: string } {
  return { backend: backend.name, because: whyLocal(backend) ?? "" };
}

/** Names that somebody whose requests are private may use, and that no local backend serves. */
function unservedOf(config: Config): readonly string[] {
  const callers = config.keys.length === 0 ? [undefined] : config.keys;
  const unserved = callers
    .filter((key) => isPrivateKey(config, key))
    .flatMap((key) => unservedBy(config, key));
  return [...new Set(unserved)];
}

function unservedBy(config: Config, key: KeyConfig | undefined): readonly string[] {
  const tenant = key?.tenant;
  const isOwn = (name: string): boolean =>
    tenant !== undefined && (tenant.models.has(name) || tenant.pools.has(name));
  const named = [config, ...(tenant === undefined ? [] : [tenant])];
  const all = named.flatMap(({ pools, models }) => [...pools.keys(), ...models.keys()]);
  return (key?.allow ?? all)
    .filter((name) => tenant === undefined || isOwn(name) || mayUse(tenant, name))
    .filter((name) => privateBackends(lanesFor(config, name, tenant)).length === 0)
    .map((name) => (tenant !== undefined && isOwn(name) ? ownedLabel(tenant.id, name) : name));
}

interface Verdict {
  readonly unserved: readonly string[];
}

function jsonOf(config: Config, reaches: readonly Reach[], { unserved }: Verdict): string {
  const side_exits = SIDE_EXITS;
  const { default: unmarked, why } = config.privacy;
  const ok = unserved.length === 0;
  return `${JSON.stringify({ ok, unmarked, why, reaches, side_exits, unserved })}\n`;
}

function textOf(config: Config, reaches: readonly Reach[], { unserved }: Verdict): string {
  const lines = [
    `Private are: requests marked so, those of a private key or pool${privateKeysText(config)}.`,
    `Unmarked requests are ${config.privacy.default}: ${config.privacy.why}.`,
    "",
    "A private request can reach:",
    ...reaches.flatMap(reachLines),
    "",
    "Side exits:",
    ...SIDE_EXITS.map(({ name, state, reason }) => `  ${name}: ${state}; ${reason}`),
    "",
    unserved.length === 0
      ? "Every model that private keys may use has a local backend."
      : `No local backend, though private keys may use them: ${unserved.join(", ")}`,
  ];
  return `${lines.join("\n")}\n`;
}

function privateKeysText(config: Config): string {
  const shut = config.keys.filter((key) => key.privacy === "private" || key.tenant?.privacy);
  const names = shut.map(({ id }) => id);
  return names.length === 0 ? "" : ` (keys: ${names.join(", ")})`;
}

function reachLines({ kind, name, reachable, barred }: Reach): readonly string[] {
  const title = kind === "default" ? name : `${kind} ${name}`;
  const open = reachable.map(({ backend, because }) => `    ${backend}: ${because}`);
  const nothing = open.length === 0 ? ["    nothing"] : [];
  const closed = barred.length === 0 ? [] : [`    (not ${barred.join(", ")}: external)`];
  return [`  ${title}`, ...open, ...nothing, ...closed];
}
