import { expect, test } from "bun:test";
import { parse } from "yaml";
import { config } from "../../src/cli/config.ts";
import type { Io } from "../../src/cli/io.ts";
import { resolve } from "../../src/config/resolve.ts";

const FIXTURES = `${import.meta.dir}/../fixtures/config`;
const ENV = {
  OPENAI_API_KEY: "SECRETopenai0123456789",
  APP_KEY: "SECRETapp0123456789abc",
  SERVER_PORT: "8123",
};

async function run(argv: readonly string[], env: Record<string, string> = ENV) {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    env,
    stdout: (each) => out.push(each),
    stderr: (each) => err.push(each),
    readFile: (path) => Bun.file(`${FIXTURES}/${path}`).text(),
  };
  const code = await config(argv, io);
  return { code, out: out.join(""), err: err.join("") };
}

test("what is generated is a file that loads", async () => {
  const { code, out } = await run(["generate"]);
  expect(code).toBe(0);
  const resolved = resolve(out, { path: "generated", env: { OPENAI_API_KEY: "k-0123456789" } });
  expect(resolved).toMatchObject({ ok: true, config: { warnings: [], notActive: [] } });
});

test("what is shown is YAML in the shape of the file, each value with where it comes from", async () => {
  const { code, out } = await run(["show", "-c", "design.yaml"]);
  expect(code).toBe(0);
  const shown: unknown = parse(out);
  expect(shown).toMatchObject({
    server: { port: 8123, metrics_port: 9090 },
    providers: { openai: { base_url: "https://api.openai.com/v1", api_key: "${OPENAI_API_KEY}" } },
    pools: { fast: { members: [{ model: "qwen", weight: 3 }, { model: "mini" }] } },
    keys: { app: { key: "${APP_KEY}", privacy: "private", allow: ["fast"] } },
  });
  expect(out).toContain("  port: 8123 # SERVER_PORT\n");
  expect(out).toContain("  drain_seconds: 330 # default\n");
  expect(out).toContain("    base_url: https://api.openai.com/v1 # catalogue\n");
  expect(out).toMatch(/metrics_port: 9090\n/);
  expect(out).toContain("# Unmarked requests are private: privacy.default says so.\n");
  expect(out).toContain("# Not active yet: models.qwen.max_concurrent, ");
});

test("no secret is shown, wherever it came from", async () => {
  for (const argv of [["show", "-c", "design.yaml"], ["show", "--json", "design.yaml"], ["show"]]) {
    const { code, out, err } = await run(argv, { ...ENV, INTERLOCK_KEY: "SECRETkey0123456789" });
    expect([code, err]).toEqual([0, ""]);
    expect(out).not.toContain("SECRET");
    expect(out).toContain("${OPENAI_API_KEY}");
  }
});

test("without a file it shows what the environment gives, and that engines were not asked", async () => {
  const { out } = await run(["show"], { ANTHROPIC_API_KEY: "k-0123456789" });
  expect(out).toContain("engines on this machine are looked for at start");
  expect(parse(out)).toMatchObject({ providers: { anthropic: { placement: "external" } } });
  expect((await run(["show"], {})).out).toContain("nothing is configured");
});

test("a file that does not load is not shown; its errors are", async () => {
  const { code, out, err } = await run(["show", "broken.yaml"]);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain("server.port\n    expected a whole number");
});

test("config validate is validate, and any other word is misuse", async () => {
  expect((await run(["validate", "design.yaml"])).out).toContain("design.yaml: valid");
  for (const argv of [[], ["edit"], ["generate", "x"], ["show", "--strict"], ["show", "a", "b"]]) {
    const { code, out, err } = await run(argv);
    expect([code, out]).toEqual([2, ""]);
    expect(err).not.toBe("");
  }
});

test("a part that is none is named", async () => {
  const { code, err } = await run(["shwo"]);
  expect([code, err]).toEqual([2, expect.stringContaining("no config command 'shwo'")]);
});
