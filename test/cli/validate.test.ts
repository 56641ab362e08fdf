import { expect, test } from "bun:test";
import type { Io } from "../../src/cli/io.ts";
import { validate } from "../../src/cli/validate.ts";

const GOOD = "providers: { ollama: }\ncache: { enabled: true }\n";
const DOUBTFUL = "providers: { openai: { api_key: sk-literal-0123 } }\n";
const BAD = "server: { prot: 80, port: x }\nproviders: { openai: { api_key: '${NOPE}' } }\n";

async function run(argv: readonly string[], text: string | undefined, env = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const read: string[] = [];
  const io: Io = {
    env,
    stdout: (each) => out.push(each),
    stderr: (each) => err.push(each),
    readFile: async (path) => {
      read.push(path);
      if (text === undefined) throw Object.assign(new Error("nope"), { code: "ENOENT" });
      return text;
    },
  };
  const code = await validate(argv, io);
  return { code, out: out.join(""), err: err.join(""), read };
}

test("a good file is called valid, with what is not active yet", async () => {
  const { code, out } = await run(["a.yaml"], GOOD);
  expect(code).toBe(0);
  expect(out).toBe(
    "Not active yet (read and checked, changes nothing):\n  cache\n\na.yaml: valid\n",
  );
});

test("warnings pass, but not with --strict", async () => {
  const { code, out } = await run(["a.yaml"], DOUBTFUL);
  expect([code, out]).toEqual([
    0,
    expect.stringContaining("Warnings (1):\n  providers.openai.api_key\n"),
  ]);
  expect((await run(["a.yaml", "--strict"], DOUBTFUL)).code).toBe(1);
  expect((await run(["--strict", "a.yaml"], GOOD)).code).toBe(0);
});

test("all errors are printed, each with its path, its reason and its fix", async () => {
  const { code, out } = await run(["a.yaml"], BAD);
  expect(code).toBe(1);
  expect(out).toBe(`Errors (3):
  providers.openai.api_key
    NOPE is not set
    fix: set NOPE in the environment, or remove the entry
  server.port
    expected a whole number from 1 to 65535, got "x"
    fix: write a whole number from 1 to 65535
  server.prot
    "prot" is not known here
    fix: did you mean port?

a.yaml: not valid, 3 errors
`);
});

test("--json is one object with the same findings", async () => {
  const { code, out } = await run(["--json", "a.yaml"], BAD);
  expect(code).toBe(1);
  const report: unknown = JSON.parse(out);
  expect(report).toMatchObject({ ok: false, path: "a.yaml", warnings: [], not_active: [] });
  expect(report).toHaveProperty("errors.2.path", "server.prot");
  expect(JSON.parse((await run(["--json", "a.yaml"], GOOD)).out)).toMatchObject({
    ok: true,
    not_active: ["cache"],
  });
});

test("a file that is not there is an error like any other", async () => {
  const { code, out } = await run(["gone.yaml"], undefined);
  expect([code, out]).toEqual([1, expect.stringContaining("there is no such file")]);
});

test("the file may be named by -c or by the environment; no file, two files or an odd option is misuse", async () => {
  expect((await run(["-c", "b.yaml"], GOOD)).read).toEqual(["b.yaml"]);
  expect((await run([], GOOD, { INTERLOCK_CONFIG: "c.yaml" })).read).toEqual(["c.yaml"]);
  for (const argv of [[], ["a", "b"], ["a", "-c", "b"], ["a", "--odd"]]) {
    const { code, out, err } = await run(argv, GOOD);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("Usage: interlock validate FILE");
  }
});
