import { expect, test } from "bun:test";
import { CATALOGUE_NAMES } from "../../src/config/catalogue.ts";
import { resolve } from "../../src/config/resolve.ts";
import { VENDORS_WITH_ERRORS } from "../../src/config/vendor-errors.ts";
import { type ErrorWords, meaningOf } from "../../src/core/error-rule.ts";

function load(name: string, entry: string) {
  return resolve(
    `providers: { "${name}": { api_key: "\${KEY}", ${entry} } }\nrouting: { default_provider: "${name}" }`,
    { path: "test.yaml", env: { KEY: "key-0123456789" } },
  );
}
function rulesOf(name: string, entry: string) {
  const resolved = load(name, entry);
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.errors));
  return resolved.config.backends[0]!.errorRules;
}
const SAID: ErrorWords = { status: 429, codes: ["1113"], types: [], messages: ["no money left"] };

test("an operator's rule goes before the map, and the map before the catalogue", () => {
  expect(meaningOf(rulesOf("zai", ""), SAID)).toBe("billing");
  expect(meaningOf(rulesOf("zai", "error_map: { 1113: auth }"), SAID)).toBe("auth");
  const rule = "error_rules: [{ message: No Money, means: timeout }]";
  expect(meaningOf(rulesOf("zai", `error_map: { 1113: auth }, ${rule}`), SAID)).toBe("timeout");
});

test("a code says more than a status", () => {
  const map = "error_map: { 429: overloaded, 1113: billing }";
  expect(meaningOf(rulesOf("openai", map), SAID)).toBe("billing");
  expect(meaningOf(rulesOf("openai", map), { ...SAID, codes: [] })).toBe("overloaded");
});

test.each([
  ["error_rules: [{ code: a }]", "providers.openai.error_rules[0].means"],
  ["error_rules: [{ code: a, means: broke }]", "providers.openai.error_rules[0].means"],
  ["error_rules: [{ means: auth }]", "providers.openai.error_rules[0].status"],
  ["error_rules: [{ status: 200, means: auth }]", "providers.openai.error_rules[0].status"],
  ["error_map: { a: bankrupt }", "providers.openai.error_map.a"],
])("%s is refused where it stands", (entry, path) => {
  const resolved = load("openai", entry);
  if (resolved.ok) throw new Error("it loads");
  expect(resolved.errors.map((error) => error.path)).toEqual([path]);
});

test("every vendor whose errors are known is a provider that is", () => {
  expect(CATALOGUE_NAMES).toEqual(expect.arrayContaining([...VENDORS_WITH_ERRORS]));
});
