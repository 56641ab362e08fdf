import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeyPairSync } from "node:crypto";
import type { Io } from "../../src/cli/io.ts";
import { key } from "../../src/cli/key.ts";
import { parseSignedKey, proveSignedKey } from "../../src/wire/signed-key.ts";
import { readSigners } from "../../src/wire/signed-key-signers.ts";
import { findStoredKey } from "../../src/ingress/stored-key.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { KeyFollower } from "../../src/state/keys/key-follower.ts";
import { keyDigest } from "../../src/state/keys/stored-key.ts";
import { SimClock } from "../sim/clock.ts";

function desk() {
  const stateDir = mkdtempSync(join(tmpdir(), "interlock-key-cli-"));
  const clock = new SimClock();
  const run = async (line: string, env: Io["env"] = {}) => {
    const [out, err]: string[][] = [[], []];
    const io: Io = {
      env,
      stdout: (text) => out!.push(text),
      stderr: (text) => err!.push(text),
      readFile: (path) => Bun.file(path).text(),
    };
    const context = { stateDir, clock, random: systemRandom, by: "cli:test" };
    const argv = line.split(" ").filter((word) => word !== "");
    const code = await key(argv, io, context);
    return { code, out: out!.join(""), err: err!.join("") };
  };
  /** What a gateway beside it makes of a text. */
  const judged = (text: string) => {
    const onProblem = (problem: string): never => {
      throw new Error(problem);
    };
    using keys = new KeyFollower({ directory: stateDir, clock, random: systemRandom, onProblem });
    keys.poll();
    const verdict = findStoredKey(keyDigest(text), { keys, wall: clock.wall() });
    return typeof verdict === "string" ? verdict : verdict.id;
  };
  const end = (): void => rmSync(stateDir, { recursive: true, force: true });
  return { run, judged, stateDir, clock, [Symbol.dispose]: end };
}

test("a key's life: made, listed, rotated, revoked, and a gateway follows each step", async () => {
  using at = desk();
  const made = await at.run("create --name ci --rpm 60 --budget-usd 50.25 --expires 90d");
  expect(made.code).toBe(0);
  const old = made.out.trim();
  const id = old.split("_")[1]!;
  expect(made.out).toMatch(/^ilk_[0-9a-f]{16}_[0-9a-f]{64}\n$/);
  expect(made.err).toBe(
    `Key ${id} (ci): 60 rpm; $50.25 monthly; expires 2030-04-01T00:00:00Z.\n` +
      "Keep the text: it is shown this once.\n",
  );
  expect(at.judged(old)).toBe(id);

  const { out: list } = await at.run("list");
  expect(list).toBe(
    "ID                NAME  TENANT  STATE   CREATED     EXPIRES     LIMITS\n" +
      `${id}  ci    -       active  2030-01-01  2030-04-01  60 rpm; $50.25 monthly\n`,
  );

  const rotated = await at.run("rotate ci --overlap 1h");
  const young = rotated.out.trim();
  expect(rotated.err).toBe(`Key ${id} (ci): the text it had ends 2030-01-01T01:00:00Z.\n`);
  expect([at.judged(old), at.judged(young)]).toEqual([id, id]);
  await at.clock.advance(3_600_000);
  expect([at.judged(old), at.judged(young)]).toEqual(["expired", id]);

  expect(await at.run(`revoke ${id}`)).toEqual({
    code: 0,
    out: `Key ${id} is revoked.\n`,
    err: "",
  });
  expect(at.judged(young)).toBe("revoked");
  expect((await at.run("list")).out).toBe("No keys. Make one: interlock key create --name NAME\n");
  expect((await at.run("list --all")).out).toContain("  revoked  ");
});

test("--json says the same to programs, in the words of the configuration file", async () => {
  using at = desk();
  const line =
    "create --name bot --tenant acme --tpm 5000 --concurrency 4 --budget-tokens 100 " +
    "--budget-period rolling:7d --privacy private --allow fast,mini --allow big --zones eu --json";
  const made = JSON.parse((await at.run(line)).out);
  expect(made).toEqual({
    key: expect.stringMatching(/^ilk_/),
    id: made.id,
    name: "bot",
    tenant: "acme",
    created: "2030-01-01T00:00:00Z",
    limits: {
      tokens_per_minute: 5000,
      max_concurrent: 4,
      budget: { tokens: 100, period: "rolling:7d" },
      privacy: "private",
      allow: ["fast", "mini", "big"],
      zones: ["eu"],
    },
  });
  const { key: text, ...rest } = made;
  expect(JSON.parse((await at.run("list --json")).out)).toEqual([
    { ...rest, state: "active", secrets: 1 },
  ]);
  const rotated = JSON.parse((await at.run("rotate bot --json --overlap 0")).out);
  expect(rotated).toMatchObject({ id: rest.id, overlap_ends: "2030-01-01T00:00:00Z" });
  expect([at.judged(text), at.judged(rotated.key)]).toEqual(["expired", rest.id]);
  const revoked = JSON.parse((await at.run("revoke bot --json")).out);
  expect(revoked).toEqual({ id: rest.id, revoked: true });
  expect(JSON.parse((await at.run("list --json --tenant other --all")).out)).toEqual([]);
  expect(JSON.parse((await at.run("list --json --tenant acme --all")).out)).toHaveLength(1);
});

test("asking where there is no store makes none", async () => {
  using at = desk();
  const elsewhere = join(at.stateDir, "elsewhere");
  expect((await at.run(`list --state-dir ${elsewhere} --json`)).out).toBe("[]\n");
  for (const line of ["revoke x", "rotate x"]) {
    const { code, err } = await at.run(`${line} --state-dir ${elsewhere}`);
    expect([code, err]).toEqual([1, expect.stringContaining("no key 'x'")]);
  }
  expect(existsSync(elsewhere)).toBe(false);
  expect((await at.run(`create --name x --state-dir ${elsewhere}`)).code).toBe(0);
  expect((await at.run("list --json")).out).toBe("[]\n");
});

describe("what cannot be done exits with 1 and says why", () => {
  test("a name that two keys have", async () => {
    using at = desk();
    await at.run("create --name x");
    await at.run("create --name x");
    const { code, err } = await at.run("revoke x");
    expect([code, err]).toEqual([1, expect.stringMatching(/several keys .*: \w{16}, \w{16}\n$/)]);
  });
  test("a store that is none", async () => {
    using at = desk();
    writeFileSync(join(at.stateDir, "keys.sqlite"), "hello ".repeat(100));
    const { code, err } = await at.run("list");
    expect([code, err]).toEqual([1, expect.stringContaining("cannot be opened: ")]);
  });
  test("a state directory that cannot be written", async () => {
    using at = desk();
    writeFileSync(join(at.stateDir, "file"), "");
    const { code, err, out } = await at.run(`create --name x --state-dir ${at.stateDir}/file/dir`);
    expect([code, err, out]).toEqual([1, expect.stringContaining("cannot be written: "), ""]);
  });
});

test.each([
  ["", "say which key command"],
  ["make", "no key command 'make'"],
  ["create", "--name NAME"],
  ["create --name", "--name"],
  ["create --name x y", "'y' belongs to no option"],
  ["create --name x --frob", "--frob"],
  ["create --name a\tb", "--name: give 1 to 64"],
  [`create --name ${"x".repeat(65)}`, "--name: give 1 to 64"],
  ["create --name x --rpm 0", "--rpm 0"],
  ["create --name x --rpm 1e3", "--rpm 1e3"],
  ["create --name x --tpm -5", "--tpm"],
  ["create --name x --concurrency 1.5", "--concurrency 1.5"],
  ["create --name x --expires soon", "--expires soon"],
  ["create --name x --expires 2029-01-01", "this is past"],
  ["create --name x --expires 2031-02-30T00:00:00", "--expires"],
  ["create --name x --budget-usd $5", "--budget-usd $5"],
  ["create --name x --budget-usd 0.0000000001", "--budget-usd"],
  ["create --name x --budget-usd 99999999", "--budget-usd"],
  ["create --name x --budget-period daily", "needs --budget-usd"],
  ["create --name x --budget-usd 5 --budget-period yearly", "--budget-period yearly"],
  ["create --name x --budget-usd 5 --budget-period rolling:0", "--budget-period"],
  ["create --name x --privacy open", "--privacy open"],
  ["create --name x --allow a,,b", "--allow: a name is empty"],
  ["list x", "'x' belongs to no option"],
  ["revoke", "name one key"],
  ["revoke a b", "name one key"],
  ["rotate x --overlap 1", "--overlap 1"],
  ["mint", "--private-key"],
  ["mint --private-key x", "--kid is missing"],
  ["mint --private-key x --kid 4294967296 --tenant 1 --vpc 1", "--kid 4294967296"],
  ["mint --private-key x --kid 1 --tenant 18446744073709551616 --vpc 1", "--tenant"],
  ["mint --private-key x --kid 1 --tenant 1 --vpc -1", "--vpc"],
  ["pair", "--private-key FILE"],
])("what is not understood exits with 2, names it, and does nothing: %s", async (line, named) => {
  using at = desk();
  const { code, out, err } = await at.run(line);
  expect([code, out]).toEqual([2, ""]);
  expect(err.split("\n")[0]).toStartWith("interlock: ");
  expect(err).toContain(named);
  expect(existsSync(join(at.stateDir, "keys.sqlite"))).toBe(false);
});

test("every command explains itself on standard output, in lines that fit", async () => {
  using at = desk();
  for (const name of ["", "create", "list", "revoke", "rotate", "mint", "pair"]) {
    for (const ask of ["--help", "-h"]) {
      const { code, out, err } = await at.run(`${name} ${ask}`);
      expect([code, err]).toEqual([0, ""]);
      expect(out).toContain(name === "" ? "interlock key" : `Usage: interlock key ${name}`);
      for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    }
  }
});

test("money is billionths of a dollar to the last digit", async () => {
  using at = desk();
  for (const usd of ["0.000000001", "0.10", "9007199.254740991", "50.00", "0.00"]) {
    const made = JSON.parse((await at.run(`create --name x --budget-usd ${usd} --json`)).out);
    expect(made.limits.budget.usd).toBe(usd);
  }
});

describe("signed keys", () => {
  const proves = (text: string, publicKey: string) => {
    const signers = readSigners([{ kid: 3, publicKey }]);
    const parsed = parseSignedKey(text);
    if (!(signers instanceof Map) || typeof parsed === "string") throw new Error(String(parsed));
    return proveSignedKey(parsed, signers);
  };
  const words = "--kid 3 --tenant 18446744073709551615 --vpc 0";
  const says = { kid: 3, tenant: 2n ** 64n - 1n, vpc: 0n };

  test("a new pair mints, and its public half proves; the seed is for its owner alone", async () => {
    using at = desk();
    const file = join(at.stateDir, "seed");
    const { out: publicKey } = await at.run(`pair --private-key ${file}`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const first = await at.run(`mint ${words} --private-key ${file}`);
    expect(proves(first.out.trim(), publicKey.trim())).toEqual(says);
    expect((await at.run(`mint ${words} --private-key ${file}`)).out).toBe(first.out);
    const seed = readFileSync(file, "latin1");
    const again = await at.run(`pair --private-key ${file}`);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("there already")]);
    expect(readFileSync(file, "latin1")).toBe(seed);
  });

  test("the signing key is read in each of its forms, from a file and from a variable", async () => {
    using at = desk();
    const pair = generateKeyPairSync("ed25519");
    const { d = "", x = "" } = pair.privateKey.export({ format: "jwk" });
    const seed = Buffer.from(d, "base64url");
    const pem = String(pair.privateKey.export({ type: "pkcs8", format: "pem" }));
    const publicKey = Buffer.from(x, "base64url").toString("base64");
    const forms = [
      seed,
      pem,
      d,
      seed.toString("base64"),
      `${seed.toString("hex").toUpperCase()}\n`,
    ];
    for (const [at_, form] of forms.entries()) {
      const file = join(at.stateDir, `form-${at_}`);
      writeFileSync(file, form);
      const { out } = await at.run(`mint ${words} --private-key ${file} --json`);
      const { key: text, ...rest } = JSON.parse(out);
      expect(rest).toEqual({
        ...{ kid: 3, tenant: "18446744073709551615", vpc: "0" },
        public_key: publicKey,
      });
      expect(proves(text, publicKey)).toEqual(says);
    }
    const { out } = await at.run(`mint ${words} --private-key env:SIGNING`, { SIGNING: pem });
    expect(proves(out.trim(), publicKey)).toEqual(says);
  });

  test("what is no signing key is refused without a word of what it holds", async () => {
    using at = desk();
    const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
    const bad = ["canary", "", rsa.export({ type: "pkcs8", format: "pem" }), "-----BEGIN canary"];
    for (const text of bad) {
      const file = join(at.stateDir, "bad");
      writeFileSync(file, text);
      const { code, out, err } = await at.run(`mint ${words} --private-key ${file}`);
      expect([code, out]).toEqual([1, ""]);
      expect(err).toContain("is no signing key: give 32 bytes");
      expect(err).not.toContain("canary");
    }
    for (const named of ["/nowhere/seed", "env:NOT_SET"]) {
      expect((await at.run(`mint ${words} --private-key ${named}`)).code).toBe(1);
    }
  });
});
