import { expect, test } from "bun:test";
import fc from "fast-check";
import { readDocument } from "../../src/config/document.ts";
import type { Path } from "../../src/config/path.ts";
import { say } from "../../src/config/path.ts";
import { leafPaths } from "../../src/config/schema-walk.ts";
import { readShape } from "../../src/config/shape.ts";
import type { Tree } from "../../src/config/tree.ts";

function shape(text: string, env = {}) {
  const { tree, written } = readDocument(text, env);
  return readShape(tree ?? {}, written);
}

test.each([
  [
    "server: { port: eighty }",
    "server.port",
    'expected a whole number from 1 to 65535, got "eighty"',
  ],
  ["server: { port: 70000 }", "server.port", "expected a whole number from 1 to 65535, got 70000"],
  ["server: { port: 80.5 }", "server.port", "expected a whole number from 1 to 65535, got 80.5"],
  ["server: { port: }", "server.port", "expected a whole number from 1 to 65535, got nothing"],
  ["server: { port: [80] }", "server.port", "expected a whole number from 1 to 65535, got a list"],
  [
    "server: { port: .inf }",
    "server.port",
    "expected a whole number from 1 to 65535, got Infinity",
  ],
  ["server: 8080", "server", "expected a mapping of `name: value` lines, got 8080"],
  ["providers: [openai]", "providers", "expected a mapping of `name: value` lines, got a list"],
  ["stealth: yes", "stealth", 'expected true or false, got "yes"'],
  [
    "stream_failure: quiet",
    "stream_failure",
    'expected one of surface, graceful, abort, got "quiet"',
  ],
  ["providers: { a: { enabled: 1 } }", "providers.a.enabled", "expected true or false, got 1"],
  ["models: { m: }", "models.m", "expected a mapping of `name: value` lines, got nothing"],
  ["models: { m: { upstream_model: 4.1 } }", "models.m.upstream_model", "expected text, got 4.1"],
  ["pools: { p: { members: fast } }", "pools.p.members", 'expected a list, got "fast"'],
  ["pools: { p: { members: [x] } }", "pools.p.members[0]", "expected a mapping of"],
  [
    "pools: { p: { members: [{ weight: 0 }] } }",
    "pools.p.members[0].weight",
    "expected a whole number from 1",
  ],
  [
    "cache: { semantic_cache: { similarity_threshold: 1.5 } }",
    "cache.semantic_cache.similarity_threshold",
    "expected a number from 0 to 1, got 1.5",
  ],
  ["keys: { k: { expires: tomorrow } }", "keys.k.expires", "expected a date"],
  [
    "security: { ip_filter: { deny: [10.0.0.0/33] } }",
    "security.ip_filter.deny[0]",
    "expected an IP address",
  ],
])("%s is explained in plain words", (text, path, reason) => {
  const { errors } = shape(text);
  expect(errors.map((error) => error.path)).toEqual([path]);
  expect(errors[0]?.reason).toStartWith(reason);
});

test("a variable's value is taken as the number or switch that is wanted, and never shown", () => {
  const good = shape('server: { port: "${P}" }\nstealth: "${S}"', { P: "8123", S: "true" });
  expect(good).toMatchObject({ file: { server: { port: 8123 }, stealth: true }, errors: [] });
  const bad = shape('server: { port: "${P}" }', { P: "hunter2" });
  expect(bad.errors[0]?.reason).toBe("expected a whole number from 1 to 65535, got ${P}");
});

test("what stands in a field of secrets is not shown, not even when it is of the wrong kind", () => {
  const text =
    "keys: { a: { key: 1234567890123456 } }\nproviders: { b: { api_key: [sk-12345678] } }";
  const { errors } = shape(text);
  expect(errors).toHaveLength(2);
  expect(JSON.stringify(errors)).not.toMatch(/1234/);
});

test("a name that is not known is reported with the nearest one, or with where it belongs", () => {
  const { errors } = shape(
    "sever: {}\nserver: { prot: 1, zzz: 2 }\nproviders: { a: { baseUrl: x } }\nport: 1",
  );
  expect(errors.map(({ path, fix }) => [path, fix])).toEqual([
    ["server.prot", "did you mean port?"],
    ["server.zzz", expect.stringContaining("known here: host, port")],
    ["providers.a.baseUrl", "did you mean base_url?"],
    ["sever", "did you mean server?"],
    ["port", "it belongs to server.port"],
  ]);
});

const LEAVES = leafPaths();

test("a name that is not known is found wherever it is, beside any others, with its path", () => {
  const inMappings = LEAVES.filter((path) => path.at(-1) !== "*");
  const holder = fc.constantFrom(...new Set(inMappings.map((path) => path.slice(0, -1))));
  const unknown = fc.stringMatching(/^zq[a-z]{1,8}$/);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(holder, unknown), { maxLength: 5, selector: String }),
      (places) => {
        const tree: Tree = {};
        const expected = places.flatMap(([path, name]) => {
          const holderTree = plant(tree, path);
          holderTree.at[name] = 1;
          return [say([...holderTree.path, name])];
        });
        const { errors } = readShape(structuredClone(tree), new Map());
        expect(errors.map((error) => error.path)).toEqual(expect.arrayContaining(expected));
      },
    ),
  );
});

/** Makes the mappings down to `path`, lists where the schema has lists. */
function plant(tree: Tree, path: Path): { at: Tree; path: Path } {
  let at: unknown = tree;
  const walked: (string | number)[] = [];
  for (const [index, part] of path.entries()) {
    const key = part === "*" ? (Array.isArray(at) ? 0 : "any") : part;
    const list =
      ["members", "rules", "public_keys", "error_rules"].includes(String(part)) &&
      path[index + 1] === "*";
    const holder = at as Record<string | number, unknown>;
    holder[key] ??= list ? [] : {};
    walked.push(key);
    at = holder[key];
  }
  return { at: at as Tree, path: walked };
}

test("whatever a tree holds, the part of the right shape comes back, and errors for the rest", () => {
  const name = fc.oneof(
    fc.constantFrom(...new Set(LEAVES.flat().map(String))),
    fc.constantFrom("constructor", "toString", "hasOwnProperty", "0", "", "a"),
  );
  const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.double());
  const { tree } = fc.letrec((tie) => ({
    tree: fc.dictionary(name, tie("value"), { maxKeys: 5 }),
    value: fc.oneof(
      { depthSize: "medium" },
      scalar,
      fc.array(tie("value"), { maxLength: 3 }),
      tie("tree"),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      const { errors } = readShape(value as Tree, new Map());
      for (const { path, reason, fix } of errors) expect([path, reason, fix]).not.toContain("");
      expect(readShape(value as Tree, new Map()).errors).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});
