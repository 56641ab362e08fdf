import { describe, expect, test } from "bun:test";
import type { Config } from "../../src/config/config.ts";
import { type Resolved, resolve } from "../../src/config/resolve.ts";

const KEYS = { one: "one-key-0123456789abcdef", two: "two-key-0123456789abcdef" };
const SIGNER = "n7UTHg/5Yjadgj+Yf0bUig6ywSBfGLSHmaedIHiWqJc=";
const BASE = `
providers:
  gpu: { protocol: openai, base_url: "http://127.0.0.1:8000/v1", zone: eu }
  off: { protocol: openai, base_url: "http://127.0.0.1:8000/v1", zone: us, enabled: false }
models: { qwen: { provider: gpu } }
pools: { all: { members: [{ model: qwen }] } }
`;

function read(rest: string): Resolved {
  return resolve(BASE + rest, { path: "test.yaml", env: {} });
}
function good(rest: string): Config {
  const resolved = read(rest);
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.errors, null, 1));
  return resolved.config;
}
function bad(rest: string): readonly string[] {
  const resolved = read(rest);
  return resolved.ok ? [] : resolved.errors.map(({ path, reason }) => `${path}: ${reason}`);
}

describe("what is wrong with a tenant is said with its place", () => {
  test.each([
    ["a name that fits no label", 'tenants: { "a#b": {} }', 'tenants."a#b": this name of a tenant'],
    ["a granted name nobody has", "tenants: { a: { allow: [qwem] } }", "tenants.a.allow[0]: "],
    ["a denied name nobody has", "tenants: { a: { deny: [qwem] } }", "tenants.a.deny[0]: "],
    ["a zone no backend is in", "tenants: { a: { zones: [ue] } }", "tenants.a.zones[0]: "],
    ["a key's zone no backend is in", `keys: { k: { key: ${KEYS.one}, zones: [ue] } }`, "keys.k.z"],
    ["a key of nobody", `keys: { k: { key: ${KEYS.one}, tenant: a } }`, "keys.k.tenant: "],
    ["a looser privacy", "tenants: { a: { privacy: shareable } }", "tenants.a.privacy: "],
    [
      "one number twice",
      "tenants: { a: { tenant_id: 7 }, b: { tenant_id: 7 } }",
      "tenants.b.tenant_id: is the number of a too",
    ],
    [
      "the number of one named by it",
      'tenants: { "7": {}, b: { tenant_id: 7 } }',
      "tenants.b.tenant_id: is the number of 7 too",
    ],
    [
      "another number than its name",
      'tenants: { "7": { tenant_id: 8 } }',
      "tenants.7.tenant_id: is another number",
    ],
    [
      "a number of more than 64 bits",
      'tenants: { a: { tenant_id: "18446744073709551616" } }',
      "tenants.a.tenant_id: ",
    ],
    [
      "a model of nobody's provider",
      "tenants: { a: { models: { m: { provider: gpv } } } }",
      "tenants.a.models.m.provider: ",
    ],
    [
      "a member that is another's model",
      "tenants: { a: { models: { m: { provider: gpu } } }, b: { pools: { p: { members: [{ model: m }] } } } }",
      "tenants.b.pools.p.members[0].model: ",
    ],
    [
      "one name twice",
      "tenants: { a: { models: { m: { provider: gpu } }, pools: { m: { members: [{ model: m }] } } } }",
      "tenants.a.pools.m: a model of this tenant has this name already",
    ],
    [
      "a key that is another's too",
      `tenants: { a: { keys: { k: { key: ${KEYS.one} } } }, b: { keys: { k: { key: ${KEYS.one} } } } }`,
      "tenants.b.keys.k: is the same key as that of a:k",
    ],
    [
      "a key's tenant, said inside one",
      `tenants: { a: { keys: { k: { key: ${KEYS.one}, tenant: a } } } }`,
      "tenants.a.keys.k.tenant: ",
    ],
    [
      "a key that may use another's name",
      `tenants: { a: { models: { m: { provider: gpu } } }, b: { keys: { k: { key: ${KEYS.one}, allow: [m] } } } }`,
      "tenants.b.keys.k.allow[0]: ",
    ],
    [
      "a default nobody is",
      `signed_keys: { public_keys: [{ kid: 1, key: "${SIGNER}" }], default_tenant: a }`,
      "signed_keys.default_tenant: ",
    ],
    [
      "a default that no key would have",
      `tenants: { a: {} }\nsigned_keys: { public_keys: [{ kid: 1, key: "${SIGNER}" }], default_tenant: a, known_tenants_only: true }`,
      "signed_keys.default_tenant: is for tenants without an entry",
    ],
    [
      "a key named as signed keys are",
      `keys: { tenant-7: { key: ${KEYS.one} } }`,
      "keys.tenant-7: this is what the signed keys of a tenant go by",
    ],
  ])("%s", (_what, rest, error) => {
    expect(bad(rest)).toEqual([expect.stringContaining(error)]);
  });
});

test("two tenants may choose one name, and one of all; each means its own", () => {
  const { tenants, models } = good(`
tenants:
  a:
    models: { qwen: { provider: gpu, upstream_model: of-a } }
    pools: { all: { members: [{ model: qwen }] } }
    keys: { k: { key: ${KEYS.one} } }
  b:
    models: { qwen: { provider: gpu, upstream_model: of-b } }
    keys: { k: { key: ${KEYS.two} } }
`);
  const heard = (id: string) => tenants.get(id)?.models.get("qwen")?.upstreamModel;
  expect([heard("a"), heard("b"), models.get("qwen")?.upstreamModel]).toEqual([
    ...["of-a", "of-b", undefined],
  ]);
  expect(tenants.get("a")?.pools.get("all")?.lanes).toMatchObject([{ upstreamModel: "of-a" }]);
});

test("keys of tenants have names of their own among those of all", () => {
  const { keys } = good(`
keys: { k: { key: shared-0123456789abcdef, tenant: a } }
tenants:
  a: { keys: { k: { key: ${KEYS.one} } } }
  b: { keys: { k: { key: ${KEYS.two} } } }
`);
  expect(keys.map(({ id, tenant }) => [id, tenant?.id])).toEqual([
    ["k", "a"],
    ["a:k", "a"],
    ["b:k", "b"],
  ]);
});

test("a tenant's own models are enough for a gateway to have something to serve", () => {
  const text = `
providers: { gpu: { protocol: openai, base_url: "http://127.0.0.1:8000/v1" }, b: { protocol: openai, base_url: "http://127.0.0.1:9000/v1" } }
tenants: { a: { models: { m: { provider: gpu } }, keys: { k: { key: ${KEYS.one} } } } }
`;
  expect(resolve(text, { path: "test.yaml", env: {} }).ok).toBe(true);
});

test("a private tenant with nothing local is warned of, at its key's and its pool's own place", () => {
  const external = `
providers: { ext: { protocol: openai, base_url: "https://ext.example/v1" } }
models: { mini: { provider: ext } }
tenants:
  a:
    privacy: private
    keys: { k: { key: ${KEYS.one} } }
    pools: { p: { privacy: private, members: [{ model: mini }] } }
`;
  const resolved = resolve(external, { path: "test.yaml", env: {} });
  const warnings = resolved.ok ? resolved.config.warnings : [];
  const paths = warnings.map(({ path }) => path);
  expect(paths).toContain("tenants.a.keys.k.privacy");
  expect(paths).toContain("tenants.a.pools.p.privacy");
});
