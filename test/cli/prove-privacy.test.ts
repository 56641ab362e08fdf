import { expect, test } from "bun:test";
import fc from "fast-check";
import { stringify } from "yaml";
import type { Io } from "../../src/cli/io.ts";
import { provePrivacy } from "../../src/cli/prove-privacy.ts";

const ENV = { OPENAI_API_KEY: "sk-openai-0123456789", APP_KEY: "app-key-0123456789abcdef" };

async function run(argv: readonly string[], text: string) {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    env: ENV,
    stdout: (each) => out.push(each),
    stderr: (each) => err.push(each),
    readFile: async () => text,
  };
  const code = await provePrivacy(argv, io);
  return { code, out: out.join(""), err: err.join("") };
}

interface Proof {
  readonly ok: boolean;
  readonly reaches: readonly {
    kind: string;
    name: string;
    reachable: readonly { backend: string }[];
    barred: readonly string[];
  }[];
  readonly side_exits: readonly { name: string; state: string; reason: string }[];
  readonly unserved: readonly string[];
}
async function prove(text: string): Promise<Proof & { code: number }> {
  const { code, out } = await run(["x.yaml", "--json"], text);
  return { code, ...(JSON.parse(out) as Proof) };
}

const DESIGN = await Bun.file(`${import.meta.dir}/../fixtures/config/design.yaml`).text();

test("each name is listed with the local backends behind it and why they are local", async () => {
  const { code, out } = await run(["x.yaml"], `${DESIGN}routing: { default_provider: openai }\n`);
  expect(code).toBe(0);
  expect(out).toContain(
    "  pool fast\n    vllm: loopback, 127.0.0.1:8000\n    (not openai: external)\n",
  );
  expect(out).toContain("  model mini\n    nothing\n    (not openai: external)\n");
  expect(out).toContain("  any other model\n    nothing\n");
  expect(out).toContain("Unmarked requests are private: privacy.default says so.");
  expect(out).toContain("  logs: never sees payload; ");
  expect(out).toContain("Every model that private keys may use has a local backend.");
});

test.each([
  ["http://127.0.0.1:1/v1", "", "loopback, 127.0.0.1:1"],
  ["http://10.0.0.1/v1", "", "an address of a private network, 10.0.0.1"],
  ["http://gpu:8000/v1", "", "each address of gpu is checked when dialled, and must be private"],
  [
    "https://8.8.8.8/v1",
    ", operator_controlled: true",
    "the operator vouches for it (operator_controlled), 8.8.8.8",
  ],
  ["http://gpu/v1", ", unix: /run/x.sock", "a socket on this machine, /run/x.sock"],
])("a backend at %s%s is local because: %s", async (url, rest, because) => {
  const text = `providers: { x: { protocol: openai, placement: local, base_url: '${url}'${rest} } }\nmodels: { m: { provider: x } }`;
  const { reaches } = await prove(text);
  expect(reaches).toMatchObject([
    { kind: "model", name: "m", reachable: [{ backend: "x", because }], barred: [] },
  ]);
});

const MIXED =
  "providers: { ollama: , openai: }\nmodels: { near: { provider: ollama }, far: { provider: openai } }\n";
const key = (rest: string) => `keys: { a: { key: "\${APP_KEY}", ${rest} } }\n`;
test.each([
  ["a private key that may use everything", key("privacy: private"), ["far"]],
  ["a private key that may use what is local", key("privacy: private, allow: [near]"), []],
  ["a private key that may use what is not", key("privacy: private, allow: [near, far]"), ["far"]],
  ["an unmarked key where unmarked is private", key("allow: [far]"), ["far"]],
  [
    "an unmarked key where unmarked is shareable",
    `privacy: { default: shareable }\n${key("allow: [far]")}`,
    [],
  ],
  ["a key whose requests are shareable", key("privacy: shareable"), []],
  ["no keys where unmarked is private", "", ["far"]],
  ["no keys where unmarked is shareable", "privacy: { default: shareable }\n", []],
])("%s", async (_, rest, unserved) => {
  const proof = await prove(MIXED + rest);
  expect([proof.unserved, proof.code, proof.ok]).toEqual([
    unserved,
    unserved.length === 0 ? 0 : 1,
    unserved.length === 0,
  ]);
});

test("a tenant's own names are listed as its own, and judged as its keys see them", async () => {
  const tenants = `
tenants:
  acme:
    privacy: private
    allow: [qwen]
    models: { mini: { provider: vllm }, far: { provider: openai } }
    pools: { own: { members: [{ model: mini }, { model: far }] } }
    keys: { k: { key: acme-key-0123456789abcdef } }
`;
  const { ok, reaches, unserved } = await prove(
    DESIGN.replace("default: private", "default: shareable") + tenants,
  );
  const reach = (name: string) => reaches.find((each) => each.name === name);
  expect(reach("acme#own")).toMatchObject({
    ...{ kind: "pool", reachable: [{ backend: "vllm" }], barred: ["openai"] },
  });
  expect(reach("acme#mini")?.reachable).toMatchObject([{ backend: "vllm" }]);
  expect(reach("mini")?.reachable).toEqual([]);
  expect([ok, unserved]).toEqual([false, ["acme#far"]]);
});

test("whatever the file, nothing external is ever listed as reachable, and nothing local as barred", async () => {
  const placement = fc.constantFrom("local", "external");
  const files = fc.tuple(
    placement,
    placement,
    placement,
    fc.array(fc.nat(2), { minLength: 1, maxLength: 4 }),
  );
  await fc.assert(
    fc.asyncProperty(files, async ([a, b, c, members]) => {
      const placements = [a, b, c];
      const entry = (each: string) => ({
        protocol: "openai",
        base_url: "http://10.0.0.1/v1",
        placement: each,
      });
      const file = {
        providers: Object.fromEntries(placements.map((each, at) => [`p${at}`, entry(each)])),
        models: Object.fromEntries(placements.map((_, at) => [`m${at}`, { provider: `p${at}` }])),
        pools: { pool: { members: members.map((at) => ({ model: `m${at}` })) } },
        routing: {
          default_provider: "p0",
          rules: [{ condition: "model contains 'x'", target_provider: "p1" }],
        },
      };
      const { reaches } = await prove(stringify(file));
      expect(reaches).toHaveLength(6);
      for (const { reachable, barred } of reaches) {
        for (const { backend } of reachable) expect(placements[Number(backend[1])]).toBe("local");
        for (const backend of barred) expect(placements[Number(backend[1])]).toBe("external");
      }
    }),
    { numRuns: 50 },
  );
});

test("every side exit is named, with what it does today", async () => {
  const { side_exits } = await prove(DESIGN);
  const all = side_exits.map(({ name }) => name).join();
  for (const word of [
    "cache",
    "embeddings",
    "webhooks",
    "traces",
    "logs",
    "metrics",
    "shadow",
    "capture",
  ]) {
    expect(all).toContain(word);
  }
  for (const { state, reason } of side_exits) {
    expect(["not built yet", "never sees payload"]).toContain(state);
    expect(reason).not.toBe("");
  }
});

test("a file that does not load proves nothing, and misuse is told", async () => {
  expect(await run(["x.yaml"], "server: { prot: 1 }")).toMatchObject({ code: 1, out: "" });
  for (const argv of [[], ["a", "b"], ["a", "--strict"], ["a", "--odd"]]) {
    expect(await run(argv, DESIGN)).toMatchObject({ code: 2, out: "" });
  }
});
