import { expect, test } from "bun:test";
import fc from "fast-check";
import { printConfig } from "../../src/config/print.ts";
import { resolve } from "../../src/config/resolve.ts";
import { isPostgres } from "../../src/config/state.ts";

const BASE =
  "providers: { openai: { api_key: '${OPENAI_API_KEY}' } }\nrouting: { default_provider: openai }\n";
const ENV = { OPENAI_API_KEY: "sk-test-0123456789abcdef", INTERLOCK_KEY: "k".repeat(32) };

function load(text: string, env: Record<string, string> = {}) {
  return resolve(BASE + text, { path: "t.yaml", env: { ...ENV, ...env } });
}
function config(text: string, env: Record<string, string> = {}) {
  const resolved = load(text, env);
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.errors));
  return resolved.config;
}
const URL_A = "postgres://a:secret-word@db.example.com/state";
const URL_B = "postgresql://db.example.com/other";

test("the file goes before the variable, and either name of it does", () => {
  const named = config(`state: { database_url: '${URL_A}' }`, { DATABASE_URL: URL_B });
  expect(named.state.databaseUrl?.expose()).toBe(URL_A);
  expect(config(`database: { url: '${URL_A}' }`).state.isNamed).toBe(true);
  const found = config("", { DATABASE_URL: URL_B });
  expect(found.state).toMatchObject({ isNamed: false, connectionsMax: 4 });
  expect(found.state.databaseUrl?.expose()).toBe(URL_B);
  expect(config("").state.databaseUrl).toBeUndefined();
});

test("two names that disagree, and a URL of something else, are errors with their path", () => {
  const both = load(`state: { database_url: '${URL_A}' }\ndatabase: { url: '${URL_B}' }`);
  expect(both.ok || both.errors.map(({ path }) => path)).toEqual(["database.url"]);
  expect(load(`state: { database_url: '${URL_A}' }\ndatabase: { url: '${URL_A}' }`).ok).toBe(true);
  const other = load("state: { database_url: 'mysql://u:secret-word@h/d' }");
  expect(other.ok || other.errors.map(({ path }) => path)).toEqual(["state.database_url"]);
  expect(JSON.stringify(other)).not.toContain("secret-word");
});

test("a variable that is another program's is not used, and said to be so", () => {
  const { state, warnings } = config("", { DATABASE_URL: "mysql://u:p@h/d" });
  expect(state.databaseUrl).toBeUndefined();
  expect(warnings.map(({ path }) => path)).toEqual(["DATABASE_URL"]);
});

test("no URL is ever printed, only the variable it came from", () => {
  for (const [text, env, shown] of [
    [`state: { database_url: '${URL_A}' }`, {}, "[secret]"],
    ["state: { database_url: '${PG}' }", { PG: URL_A }, "${PG}"],
    ["database: { url: '${PG}' }", { PG: URL_A }, "${PG}"],
    ["", { DATABASE_URL: URL_A }, "${DATABASE_URL}"],
  ] as const) {
    const resolved = load(text, env);
    if (!resolved.ok) throw new Error("it loads");
    const printed = printConfig(resolved.config, resolved);
    expect(printed["state"]).toMatchObject({ database_url: shown });
    const all = [printed, resolved.config.warnings, Bun.inspect(resolved.config, { depth: 9 })];
    expect(JSON.stringify(all)).not.toContain("secret-word");
  }
});

test("what is taken as a URL is one that can be dialled", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      if (isPostgres(text)) expect(new URL(text).protocol).toMatch(/^postgres(ql)?:$/);
    }),
  );
});

test.each([
  ["peers: ['http://10.0.0.2:9090']", "state.peer_secret"],
  ["peers: ['http://10.0.0.2:9090'], peer_secret: short", "state.peer_secret"],
  [`peers: ['http://1.2.3.4:9090'], peer_secret: ${"x".repeat(32)}`, "state.peers[0]"],
  [`peers: ['ftp://10.0.0.2'], peer_secret: ${"x".repeat(32)}`, "state.peers[0]"],
  [
    `peers: ['http://10.0.0.2'], peer_secret: ${"x".repeat(32)}, database_url: 'postgres://db/x'`,
    "state.peers",
  ],
])("state: { %s } is refused at %s", (state, path) => {
  const loaded = load(`state: { ${state} }`);
  expect(loaded.ok || loaded.errors.map((error) => error.path)).toEqual([path]);
});
