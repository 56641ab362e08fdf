import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { parse, stringify } from "yaml";
import { entriesOf } from "../../src/config/entries.ts";
import { type Path, say } from "../../src/config/path.ts";
import { printConfig } from "../../src/config/print.ts";
import { resolve } from "../../src/config/resolve.ts";
import { SAMPLE } from "../../src/config/sample.ts";
import { leafPaths } from "../../src/config/schema-walk.ts";

const FIXTURES = `${import.meta.dir}/../fixtures/config`;
const SEED = `${import.meta.dir}/../../../shared/seeds/002_68780ca657158de2.txt`;
const ENV = {
  OPENAI_API_KEY: "sk-openai-0123456789",
  ANTHROPIC_API_KEY: "sk-anthropic-0123456789",
  HOUSE_AZURE_KEY: "azure-0123456789",
  HOUSE_OPENAI_KEY: "sk-house-0123456789",
  HOUSE_KEY: "house-0123456789",
  APP_KEY: "app-key-0123456789abcdef",
  BATCH_KEY: "batch-key-0123456789abcdef",
  TENANT_KEY: "tenant-key-0123456789abcdef",
  TENANT_BATCH_KEY: "tenant-batch-key-0123456789",
  ENCRYPTION_KEY: "e".repeat(64),
  ADMIN_TOKEN: "admin-0123456789abcdef",
  VIEWER_TOKEN: "viewer-0123456789abcdef",
  DATABASE_URL: "postgres://user:pass@localhost/gateway",
  BUDGET_WEBHOOK_SECRET: "w".repeat(32),
  STATE_URL: "postgresql://user:pass@localhost/state",
  PEER_SECRET: "0123456789abcdef0123456789abcdef",
};

function load(text: string, env: Record<string, string> = ENV) {
  return resolve(text, { path: "test.yaml", env });
}
function mustLoad(text: string, env: Record<string, string> = ENV) {
  const resolved = load(text, env);
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.errors, null, 1));
  return resolved;
}

test.each(["design.yaml", "full.yaml", "aliases.yaml", "filters.yaml"])(
  "%s loads",
  async (name) => {
    mustLoad(await Bun.file(`${FIXTURES}/${name}`).text());
  },
);

test("the sample that is generated loads, also with its comments made real", () => {
  expect(mustLoad(SAMPLE).config.warnings).toEqual([]);
  const whole = SAMPLE.replaceAll(/^( *)# ((?: *[a-z]+:| {2,}).*)$/gm, "$1$2");
  expect(whole).not.toBe(SAMPLE);
  expect(mustLoad(whole).config.keys.map(({ id }) => id)).toEqual(["app"]);
});

test("no name of the schema is read and forgotten: each changes something, or is reported", async () => {
  const covered = new Set<string>();
  const forgotten: string[] = [];
  for (const name of ["full.yaml", "aliases.yaml", "filters.yaml"]) {
    const text = await Bun.file(`${FIXTURES}/${name}`).text();
    const tree: unknown = parse(text);
    const before = effectOf(text);
    for (const leaf of leavesOf(tree)) {
      covered.add(patternOf(leaf));
      if (!before.matters(leaf) && effectOf(stringify(without(tree, leaf))).all === before.all) {
        forgotten.push(`${name}: ${say(leaf)}`);
      }
    }
  }
  expect(forgotten).toEqual([]);
  expect([...covered].toSorted()).toEqual(
    expect.arrayContaining(leafPaths().map(patternOf).toSorted()),
  );
}, 60_000);

/** All that a file brings about, and whether a place in it is reported as not active yet. */
function effectOf(text: string) {
  const resolved = load(text);
  const notActive = resolved.ok ? resolved.config.notActive : resolved.notActive;
  const printed = resolved.ok ? printConfig(resolved.config, resolved) : resolved.errors;
  const keys = resolved.ok ? resolved.config.keys : [];
  const warnings = resolved.ok ? resolved.config.warnings : resolved.warnings;
  return {
    all: JSON.stringify({ printed, keys, notActive, warnings }),
    matters: (leaf: Path) => notActive.some((path) => say(leaf).startsWith(path)),
  };
}

function leavesOf(value: unknown, path: Path = []): Path[] {
  const entries = [...entriesOf(value)];
  if (entries.length === 0) return [path];
  return entries.flatMap(([name, entry]) => leavesOf(entry, [...path, name]));
}

/** A place with the names that the operator chooses replaced by `*`. */
function patternOf(path: Path): string {
  const named = new Set(["providers", "models", "pools", "keys", "tenants"]);
  const parts = path.map((part, at) => {
    const holder = String(path[at - 1]);
    const isPlace = at === 1 || (at === 3 && path[0] === "tenants");
    const chosen = (isPlace && named.has(holder)) || holder === "error_map" || holder === "tokens";
    return chosen || typeof part === "number" ? "*" : part;
  });
  return parts.join(".");
}

function without(tree: unknown, path: Path): unknown {
  const copy: unknown = structuredClone(tree);
  let holder = copy as Record<string | number, unknown>;
  for (const part of path.slice(0, -1)) holder = holder[part] as Record<string | number, unknown>;
  const last = path.at(-1) ?? "";
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete holder[last];
  return copy;
}

/** Blocks of the README's two examples and how deep each stands: its copy lost the indentation. */
const DEPTHS = new Map(
  Object.entries({
    ...{ server: 0, providers: 0, routing: 0, resilience: 0, cache: 0, security: 0, telemetry: 0 },
    ...{ database: 0, openai: 1, anthropic: 1, azure_openai: 1, rules: 1, circuit_breaker: 1 },
    ...{ retry: 1, timeout: 1, bulkhead: 1, semantic_cache: 1, ip_filter: 1, headers: 1 },
    ...{ logging: 1, metrics: 1, tracing: 1, request_signing: 1, validation: 1, secrets: 1 },
    ...{ whitelist: 2, blacklist: 2, allowed_hosts: 2 },
  }),
);

function indent(flat: string): string {
  let section = "";
  let depth = 0;
  const lines = flat.split("\n").map((line) => {
    const block = /^(\w+):$/.exec(line)?.[1];
    if (block !== undefined) {
      const own = block === "rate_limit" ? (section === "providers" ? 2 : 1) : DEPTHS.get(block);
      if (own === 0) section = block;
      depth = (own ?? 0) + 1;
      return "  ".repeat(depth - 1) + line;
    }
    if (!line.startsWith("- ")) return "  ".repeat(depth) + line;
    if (section === "routing") depth = 3;
    return "  ".repeat(section === "routing" ? 2 : 3) + line;
  });
  return lines.join("\n");
}

describe.skipIf(!existsSync(SEED))("the configuration of another gateway's README", () => {
  const between = async (from: string, to: string, start = 0) => {
    const text = await Bun.file(SEED).text();
    const at = text.indexOf(from, start);
    return indent(text.slice(at, text.indexOf(to, at)));
  };
  const WITH_KEY = { ...ENV, INTERLOCK_KEY: "gateway-key-0123456789" };

  test("loads as it is, and what comes later is reported", async () => {
    const file = await between("server:\nhost:", "| Variable | Required");
    const { config } = mustLoad(file.replace(/\|\s*$/, ""), WITH_KEY);
    expect(config.server).toMatchObject({
      host: "0.0.0.0",
      port: 8080,
      metricsPort: 9090,
      connectionsMax: 10_000,
    });
    expect(
      config.backends.map(({ name, deadlines }) => [
        name,
        deadlines.firstEventMs,
        deadlines.totalMs,
      ]),
    ).toEqual([
      ["openai", 60_000, 600_000],
      ["anthropic", 300_000, 600_000],
    ]);
    expect(config.rules.map(({ name, backend }) => [name, backend.name])).toEqual([
      ["claude-models", "anthropic"],
      ["gpt-models", "openai"],
    ]);
    expect(config.defaultBackend?.name).toBe("openai");
    expect(config.failover.attemptsMax).toBe(3);
    expect(config.privacy.default).toBe("shareable");
    expect(config.warnings.map(({ path }) => path)).toEqual(["providers.anthropic.api_version"]);
    expect(config.notActive.toSorted()).toEqual([
      "cache",
      "database.min_connections",
      "providers.anthropic.max_retries",
      "providers.openai.max_retries",
      "providers.openai.rate_limit",
      "resilience.bulkhead",
      "resilience.circuit_breaker",
      "resilience.retry.backoff_multiplier",
      "resilience.retry.initial_delay_ms",
      "resilience.retry.max_delay_ms",
      "routing.health_check_interval_seconds",
      "routing.strategy",
      "security.headers.add_security_headers",
      "security.rate_limit.burst_size",
      "telemetry.logging.pii_redaction",
      "telemetry.tracing",
    ]);
  });

  test("loads without a key too, and then asks for those of its database", async () => {
    const file = (await between("server:\nhost:", "| Variable | Required")).replace(/\|\s*$/, "");
    const { config } = mustLoad(file);
    expect(config.server.host).toBe("0.0.0.0");
    expect(config.state).toMatchObject({ isNamed: true, connectionsMax: 20 });
    const without = mustLoad(file.replace(/^database:[^]*$/m, "")).config;
    expect(without.server.host).toBe("127.0.0.1");
    expect(without.state.isNamed).toBe(false);
    expect(without.warnings.map(({ path }) => path)).toContain("server.host");
  });

  test("has a security section that loads too", async () => {
    const text = await Bun.file(SEED).text();
    const file = await between(
      "security:\nenabled",
      "- Secret Management",
      text.indexOf("X-Signature") - 400,
    );
    const env = { ...ENV, SECRETS_ENCRYPTION_KEY: "e".repeat(64) };
    const { config } = mustLoad(`providers: { openai: }\n${file}`, env);
    expect(config.server).toMatchObject({
      bodyBytesMax: 10_485_760,
      allowedHosts: ["api.example.com"],
    });
    expect(config.notActive).toEqual([
      "security.headers.add_security_headers",
      "security.validation.max_messages",
      "security.validation.max_message_length",
      "security.ip_filter",
      "security.request_signing",
      "security.secrets",
    ]);
  });
});
