import { expect, test } from "bun:test";
import { resolve } from "../../src/config/resolve.ts";

const PROVIDERS = `
providers:
  openai: {}
  gpu: { protocol: openai, base_url: "http://127.0.0.1:8000/v1" }
  aws: { protocol: bedrock, base_url: "https://bedrock.example", api_key: "AKIA-0123456789:secret-0123456789abcdef" }
`;

function read(rest: string, text = PROVIDERS) {
  return resolve(text + rest, { path: "test.yaml", env: {} });
}
function errorsOf(rest: string): readonly string[] {
  const resolved = read(rest);
  return resolved.ok ? [] : resolved.errors.map(({ path, reason }) => `${path}: ${reason}`);
}

test.each([
  ["no provider", "own_keys: {}", "own_keys.providers: no provider is named"],
  ["one nobody knows", "own_keys: { providers: [opanai] }", "own_keys.providers[0]: "],
  [
    "one switched to no key",
    "own_keys: { providers: [quiet] }",
    "own_keys.providers[0]: this provider asks for no key",
  ],
  [
    "a tenant's own name that stands before the provider",
    "own_keys: { providers: [openai] }\ntenants: { a: { own_keys: [openai], pools: { openai: { members: [{ model: m }] } }, models: { m: { provider: gpu } } } }",
    "tenants.a.pools.openai: own_keys has this name too",
  ],
])("is refused: %s", (_what, rest, error) => {
  const quiet = '  quiet: { protocol: openai, base_url: "http://127.0.0.1:9000/v1", auth: none }\n';
  const resolved = read(`${quiet}${rest}`, PROVIDERS.replace(/ {2}aws.*\n/, ""));
  const errors = resolved.ok ? [] : resolved.errors.map(({ path, reason }) => `${path}: ${reason}`);
  expect(errors.filter((each) => !each.startsWith("providers.openai.api_key"))).toEqual([
    expect.stringContaining(error),
  ]);
});

test("a provider whose callers bring its key needs none of the operator's", () => {
  const text = PROVIDERS.replace(/ {2}aws.*\n/, "");
  expect(read("own_keys: { providers: [openai] }", text).ok).toBe(true);
  expect(
    read("tenants: { a: { own_keys: [openai] } }\nmodels: { m: { provider: gpu } }", text).ok,
  ).toBe(true);
  const without = read("models: { m: { provider: gpu } }", text);
  expect(without.ok ? [] : without.errors.map(({ path }) => path)).toEqual([
    "providers.openai.api_key",
  ]);
  expect(errorsOf("").length).toBeGreaterThan(0);
});

test("own keys whose requests could reach nothing are warned of, until their class is said", () => {
  const text = PROVIDERS.replace(/ {2}aws.*\n/, "");
  const warned = (rest: string) => {
    const resolved = read(rest, text);
    const warnings = resolved.ok ? resolved.config.warnings : [];
    return warnings.map(({ path }) => path);
  };
  const own = "own_keys: { providers: [openai] }";
  expect(warned(own)).toContain("own_keys.privacy"); // A local backend makes private the default.
  expect(warned(`${own}\nprivacy: { default: shareable }`)).toEqual([]);
  expect(warned("own_keys: { providers: [openai], privacy: shareable }")).toEqual([]);
});
