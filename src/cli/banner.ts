import type { AdminStart } from "../admin/listener.ts";
import type { Config } from "../config/config.ts";
import { VERSION } from "../core/version.ts";

export interface BannerFacts {
  readonly config: Config;
  /** What discovery saw, one clause each; empty with a configuration file. */
  readonly found: readonly string[];
  readonly dataUrl: URL;
  readonly admin: AdminStart | undefined;
}

/** What a person needs now: where it listens, what it serves, what is private, a call to try. */
export function banner({ config, found, dataUrl, admin }: BannerFacts): string {
  const base = dataUrl.href.replace(/\/$/, "");
  const lines = [
    `interlock ${VERSION}`,
    ...sourceLines(config, found),
    row("base URL", `${base}/v1`),
    row("metrics", metricsText(admin, config.server.metricsHost)),
    row("backends", backendsText(config)),
    row("unmarked", `${config.privacy.default}: ${config.privacy.why}`),
    ...keyLines(config),
    ...databaseLines(config),
    ...config.warnings.map(({ path, reason, fix }) => row("warning", `${path}: ${reason}; ${fix}`)),
    ...notActiveLines(config),
    "",
    "Try it:",
    curlLine(config, base),
    "",
  ];
  return `${lines.join("\n")}\n`;
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(9)} ${text}`;
}

function sourceLines(config: Config, found: readonly string[]): string[] {
  switch (config.source.kind) {
    case "file":
      return [row("config", config.source.path)];
    case "environment":
      return found.map((clause, at) => row(at === 0 ? "found" : "", clause));
    case "demo":
      return [row("found", "no provider key and no local engine: serving the built-in demo")];
  }
}

function metricsText(admin: AdminStart | undefined, host: string): string {
  if (admin === undefined) return "off";
  if (admin.kind === "refused") return `off: ${admin.reason}; ${admin.fix}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${admin.port}/metrics`;
}

function backendsText(config: Config): string {
  return config.backends.map(({ name, placement }) => `${name} (${placement})`).join(", ");
}

function keyLines(config: Config): string[] {
  if (config.keys.length > 0) return [row("keys", config.keys.map(({ id }) => id).join(", "))];
  if (config.keyed) return [row("keys", "asked for: stored or signed ones")];
  return [
    row("keys", "NONE: everybody on this machine may use it. Add `keys:` to a configuration file."),
  ];
}

/** Which database, and nothing of how to get in. */
function databaseLines({ state: { databaseUrl, slicePart }, keys }: Config): string[] {
  if (databaseUrl === undefined) return [];
  const { host, pathname } = new URL(databaseUrl.expose());
  const shared = row("database", `${host}${pathname}: keys and facts are shared with other nodes`);
  if (slicePart === undefined) return [shared];
  const budgets = keys.flatMap(({ limits }) => limits.budgets);
  const usd = budgets.filter(({ unit }) => unit === "usd").map(({ amount }) => amount / 1e9);
  const most = usd.length === 0 ? "" : `, here $${(Math.max(...usd) * slicePart).toFixed(2)}`;
  const bound = `largest overspend ${slicePart * 100} % of a budget for each node${most}`;
  return [shared, row("budgets", `shared with other nodes; ${bound}`)];
}

function notActiveLines(config: Config): string[] {
  if (config.notActive.length === 0) return [];
  return [row("inactive", `${config.notActive.join(", ")} (checked, without effect yet)`)];
}

/** A call that works as pasted; with keys configured, from a shell that holds one in KEY. */
function curlLine(config: Config, base: string): string {
  const body = {
    model: exampleModel(config),
    stream: true,
    messages: [{ role: "user", content: "Say hello in five words." }],
  };
  const key = !config.keyed && config.keys.length === 0 ? "" : ` -H "authorization: Bearer $KEY"`;
  const json = `-H 'content-type: application/json'`;
  return `  curl -N ${base}/v1/chat/completions ${json}${key} -d '${JSON.stringify(body)}'`;
}

const EXAMPLE_MODELS: Readonly<Record<string, string>> = {
  demo: "demo",
  openai: "gpt-4o-mini",
};

function exampleModel(config: Config): string {
  const configured = config.pools.keys().next().value ?? config.models.keys().next().value;
  if (configured !== undefined) return configured;
  const fallback = config.defaultBackend?.name ?? config.backends[0]?.name ?? "";
  return EXAMPLE_MODELS[fallback] ?? "gpt-4o-mini";
}
