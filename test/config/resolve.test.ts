import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Backend } from "../../src/core/backend.ts";
import type { Config } from "../../src/config/config.ts";
import type { Environment, Flags } from "../../src/config/env.ts";
import { digestOf } from "../../src/config/keys.ts";
import { load } from "../../src/config/load.ts";
import { type Resolved, resolve } from "../../src/config/resolve.ts";

const ENV = {
  OPENAI_API_KEY: "sk-openai-0123456789",
  ANTHROPIC_API_KEY: "sk-anthropic-0123456789",
  APP_KEY: "app-key-0123456789abcdef",
  SHORT_KEY: "short",
} satisfies Environment;

interface Given {
  readonly env?: Environment;
  readonly flags?: Flags;
  readonly storedKeys?: boolean;
}

function read(text: string, { env = {}, ...rest }: Given = {}): Resolved {
  return resolve(text, { path: "test.yaml", env: { ...ENV, ...env }, ...rest });
}
function good(text: string, given: Given = {}): Config {
  const resolved = read(text, given);
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.errors, null, 1));
  return resolved.config;
}
function bad(text: string, given: Given = {}) {
  const resolved = read(text, given);
  return resolved.ok ? [] : resolved.errors.map(({ path, reason }) => `${path}: ${reason}`);
}

const OLLAMA = "providers: { ollama: }\n";
const OPENAI = "providers: { openai: { api_key: '${OPENAI_API_KEY}' } }\n";

describe("the load errors of the first gateway", () => {
  const readFile = (code: string) => () => Promise.reject(Object.assign(new Error("no"), { code }));
  test.each([
    ["ENOENT", "there is no such file"],
    ["EACCES", "the file cannot be read (EACCES)"],
    ["EISDIR", "the file cannot be read (EISDIR)"],
  ])("a file that cannot be read: %s", async (code, reason) => {
    const loaded = await load({ path: "x.yaml", env: {}, readFile: readFile(code) });
    expect(loaded).toMatchObject({ ok: false, errors: [{ path: "x.yaml", reason }] });
  });

  test.each([
    [
      "text that is no YAML",
      "a: [",
      "line 1, column 5: the indentation does not fit the lines above",
    ],
    [
      "a host with its port",
      `server: { host: "127.0.0.1:80" }\n${OLLAMA}`,
      "server.host: is not a host to listen on",
    ],
    [
      "a host that is a URL",
      `server: { host: "http://x" }\n${OLLAMA}`,
      "server.host: is not a host to listen on",
    ],
    ["no backends", "server: {}", "providers: no provider is named"],
    [
      "no backends that are on",
      "providers: { openai: { enabled: false } }",
      "providers: every provider is switched off",
    ],
    [
      "an empty backend name",
      'providers: { "": { protocol: openai, base_url: "http://127.0.0.1/v1" } }',
      'providers."": a provider has an empty name',
    ],
    [
      "a backend given twice",
      "providers:\n  ollama:\n  ollama:\n",
      "providers.ollama: is given twice, on lines 2 and 3",
    ],
    [
      "a variable name that is none",
      "providers: { openai: { api_key_env: sk-123 } }",
      "providers.openai.api_key_env: is not the name of a variable",
    ],
    [
      "an expansion that is none",
      "providers: { openai: { api_key: '${1X}' } }",
      "providers.openai.api_key: what stands between ${ and } cannot be the name of a variable",
    ],
    [
      "a variable that is not set",
      "providers: { groq: { api_key: '${NOPE}' } }",
      "providers.groq.api_key: NOPE is not set",
    ],
    [
      "a named variable that is not set",
      "providers: { openai: { api_key_env: NOPE } }",
      "providers.openai.api_key_env: NOPE is not set, or empty",
    ],
    [
      "a base URL that is none",
      "providers: { ollama: { base_url: localhost } }",
      "providers.ollama.base_url: is not an http or https URL",
    ],
    ["no models", "providers: { ollama: , vllm: }", "models: no model can be reached"],
    [
      "an empty entry",
      `${OLLAMA}models: { m: }`,
      "models.m: expected a mapping of `name: value` lines, got nothing",
    ],
    [
      "an empty model name",
      `${OLLAMA}models: { "": { provider: ollama } }`,
      'models."": a model has an empty name',
    ],
    [
      "an empty key name",
      `${OLLAMA}keys: { "": { key: "\${APP_KEY}" } }`,
      'keys."": a key has an empty name',
    ],
    [
      "a key name given twice",
      `${OLLAMA}keys:\n  a: { key: "\${APP_KEY}" }\n  a: { key_env: APP_KEY }\n`,
      "keys.a: is given twice, on lines 3 and 4",
    ],
    [
      "a key variable name that is none",
      `${OLLAMA}keys: { a: { key_env: "a b" } }`,
      "keys.a.key_env: is not the name of a variable",
    ],
    [
      "a key variable that is not set",
      `${OLLAMA}keys: { a: { key_env: NOPE } }`,
      "keys.a.key_env: NOPE is not set, or empty",
    ],
    ["an empty key", `${OLLAMA}keys: { a: { key: "" } }`, "keys.a.key: the key is empty"],
    [
      "a key that is another's",
      `${OLLAMA}keys: { a: { key: "\${APP_KEY}" }, b: { key_env: APP_KEY } }`,
      "keys.b: is the same key as that of a",
    ],
    [
      "a number out of range",
      `${OLLAMA}resilience: { retry: { max_attempts: 0 } }`,
      "resilience.retry.max_attempts: expected a whole number from 1 to 100, got 0",
    ],
  ])("%s", (_, text, error) => {
    expect(bad(text)).toEqual([error]);
  });
});

describe("the load errors of the second gateway", () => {
  const fast = (rest: string) =>
    `${OLLAMA}models: { m: { provider: ollama } }\npools: { fast: ${rest} }\n`;
  test.each([
    [
      "an unknown member",
      fast("{ members: [{ model: n }] }"),
      'pools.fast.members[0].model: no model "n"',
    ],
    [
      "a member without a model",
      fast("{ members: [{ weight: 2 }] }"),
      "pools.fast.members[0].model: no model is named",
    ],
    [
      "a pool without members",
      fast("{ members: [] }"),
      "pools.fast.members: the pool has no members",
    ],
    [
      "a weight of 0",
      fast("{ members: [{ model: m, weight: 0 }] }"),
      "pools.fast.members[0].weight: expected a whole number from 1 to 1000000, got 0",
    ],
    [
      "a pool named as a provider",
      `${OLLAMA}models: { m: { provider: ollama } }\npools: { ollama: { members: [{ model: m }] } }`,
      "pools.ollama: a provider has this name already",
    ],
    [
      "a pool named as a model",
      `${OLLAMA}models: { m: { provider: ollama } }\npools: { m: { members: [{ model: m }] } }`,
      "models.m: a pool has this name already",
    ],
    [
      "a model named as a provider",
      `${OLLAMA}models: { ollama: { provider: ollama } }`,
      "models.ollama: a provider has this name already",
    ],
    [
      "plain http to a public host",
      "providers: { x: { protocol: openai, base_url: 'http://api.example.com/v1' } }",
      "providers.x.base_url: plain http would carry prompts and the key in the clear",
    ],
    [
      "plain http to a public address",
      "providers: { x: { protocol: openai, base_url: 'http://8.8.8.8/v1' } }",
      "providers.x.base_url: plain http would carry prompts and the key in the clear",
    ],
    [
      "a base URL with a query",
      "providers: { ollama: { base_url: 'http://127.0.0.1/v1?x=1' } }",
      "providers.ollama.base_url: has a query (?…)",
    ],
    [
      "a base URL with a fragment",
      "providers: { ollama: { endpoint: 'http://127.0.0.1/v1#x' } }",
      "providers.ollama.endpoint: has a fragment (#…)",
    ],
    [
      "a base URL with credentials",
      "providers: { ollama: { base_url: 'http://a:b@127.0.0.1/v1' } }",
      "providers.ollama.base_url: has a user name or password before the host",
    ],
    [
      "an unknown default provider",
      `${OLLAMA}routing: { default_provider: olama }`,
      'routing.default_provider: no provider "olama"',
    ],
    [
      "a default that is switched off",
      `providers: { ollama: , vllm: { enabled: false } }\nrouting: { default_provider: vllm }`,
      "routing.default_provider: the default provider is switched off",
    ],
    [
      "an unknown target of a rule",
      `${OLLAMA}routing: { rules: [{ condition: "model == 'x'", target_provider: y }] }`,
      'routing.rules[0].target_provider: no provider "y"',
    ],
    [
      "a condition that says nothing",
      `${OLLAMA}routing: { rules: [{ condition: "tenant == 'x'", target_provider: ollama }] }`,
      "routing.rules[0].condition: this condition is not understood",
    ],
    [
      "an unknown provider of a model",
      `${OLLAMA}models: { m: { provider: openai } }`,
      'models.m.provider: no provider "openai"',
    ],
  ])("%s", (_, text, error) => {
    expect(bad(text)).toEqual([error]);
  });

  const RESERVED = [
    "v1",
    "v1beta",
    "v2",
    "model",
    "admin",
    "health",
    "healthz",
    "livez",
    "readyz",
    "metrics",
    "Admin",
  ];
  test.each(RESERVED)("the name %s is reserved for paths of our own", (name) => {
    const entry = "{ protocol: openai, base_url: 'http://127.0.0.1/v1' }";
    expect(bad(`providers: { ${name}: ${entry} }`)).toHaveLength(1);
    expect(
      bad(
        `${OLLAMA}models: { m: { provider: ollama } }\npools: { ${name}: { members: [{ model: m }] } }`,
      ),
    ).toHaveLength(1);
    expect(bad(`${OLLAMA}models: { ${name}: { provider: ollama } }`)).toHaveLength(1);
    expect(bad(`${OLLAMA}keys: { ${name}: { key: "\${APP_KEY}" } }`)).toEqual([]);
  });

  test.each([
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "[::ffff:a9fe:a9fe]",
    "169.254.169.254.",
    "[fd00:ec2::254]",
    "metadata.google.internal",
  ])("the metadata service at %s is no backend, whoever vouches for it", (host) => {
    for (const rest of [
      "placement: local",
      "placement: local, operator_controlled: true",
      "placement: external",
    ]) {
      const text = `providers: { x: { protocol: openai, base_url: 'http://${host}/v1', ${rest} } }`;
      expect(bad(text).join()).toContain("metadata service");
    }
  });
});

test("all errors come at once, none twice, and none that only follows from another", async () => {
  const text = await Bun.file(`${import.meta.dir}/../fixtures/config/broken.yaml`).text();
  expect(bad(text)).toEqual([
    "providers.openai.api_key: NOT_SET_ANYWHERE is not set",
    'server.port: expected a whole number from 1 to 65535, got "eighty"',
    'server.hots: "hots" is not known here',
    "pools.fast.members[0].weight: expected a whole number from 1 to 1000000, got 0",
    "providers.mine.protocol: this name is not in the catalogue",
    "providers.mine.base_url: plain http would carry prompts and the key in the clear",
    'models.mini.provider: no provider "opnai"',
    'pools.fast.members[0].model: no model "mni"',
    "keys.short.key_env: the key is shorter than 16 characters",
  ]);
});

test("a name is corrected to one of the file, also when something is wrong with that one", () => {
  const text =
    "providers: { groq: }\nmodels: { mini: { provider: grok } }\npools: { p: { members: [{ model: mni }] } }";
  const resolved = read(text);
  expect(resolved.ok ? [] : resolved.errors.map(({ fix }) => fix)).toEqual([
    expect.stringContaining("set GROQ_API_KEY"),
    "did you mean groq?",
    "did you mean mini?",
  ]);
});

describe("placement", () => {
  const at = (url: string, rest = "") =>
    `providers: { x: { protocol: openai, base_url: '${url}'${rest} } }`;
  const placed = (text: string) => good(text).backends.map(({ placement }) => placement);

  test.each([
    ["http://127.0.0.1:1/v1", "local"],
    ["http://127.9.9.9/v1", "local"],
    ["http://localhost:1/v1", "local"],
    ["http://engine.localhost/v1", "local"],
    ["http://[::1]:1/v1", "local"],
    ["http://2130706433/v1", "local"],
    ["http://10.0.0.1/v1", "external"],
    ["http://[fd12::1]/v1", "external"],
    ["https://api.example.com/v1", "external"],
    ["https://localhost.example.com/v1", "external"],
  ] as const)("%s is %s when nobody says", (url, placement) => {
    expect(placed(at(url))).toEqual([placement]);
  });

  test.each([
    "http://10.0.0.1/v1",
    "http://172.31.0.1/v1",
    "http://[fd12::1]/v1",
    "http://169.254.1.1/v1",
    "http://vllm:8000/v1",
  ])("%s may be called local", (url) =>
    expect(placed(at(url, ", placement: local"))).toEqual(["local"]),
  );

  test.each([
    "https://8.8.8.8/v1",
    "http://100.64.0.1/v1",
    "https://[2001:db8::1]/v1",
    "http://0.0.0.0/v1",
    "https://api.openai.com/v1",
  ])("%s may be called local only by an operator who vouches for it", (url) => {
    expect(bad(at(url, ", placement: local")).join()).toContain(
      "providers.x.placement: says placement: local",
    );
    expect(placed(at(url, ", placement: local, operator_controlled: true"))).toEqual(["local"]);
  });

  test("a socket is local without a base URL", () => {
    const [backend] = good("providers: { x: { protocol: openai, unix: /run/x.sock } }").backends;
    expect(backend).toMatchObject({ placement: "local", unix: "/run/x.sock" });
    expect(bad("providers: { x: { protocol: openai, unix: run/x.sock } }")).toHaveLength(1);
  });

  test("a proxy is for external backends only", () => {
    const proxy = ", proxy: 'http://proxy.example.com:3128'";
    expect(bad(at("http://127.0.0.1/v1", proxy)).join()).toContain("cannot have a proxy");
    const [backend] = good(at("https://api.example.com/v1", proxy)).backends;
    expect(backend?.proxy?.href).toBe("http://proxy.example.com:3128/");
  });

  test("no text makes a local backend of a public address that nobody vouches for", () => {
    const host = fc.oneof(
      fc.ipV4(),
      fc.ipV6().map((v6) => `[${v6}]`),
    );
    fc.assert(
      fc.property(host, fc.constantFrom("", ", placement: local"), (name, rest) => {
        const resolved = read(at(`https://${name}/v1`, rest));
        if (!resolved.ok) return;
        const [backend] = resolved.config.backends;
        const range =
          /^(127\.|10\.|172\.(1[6-9]|2\d|3[01])\.|192\.168\.|169\.254\.|\[::1\]|\[f[cd]|\[fe[89ab]|\[::ffff:)/;
        if (backend?.placement === "local") expect(backend.baseUrl.hostname).toMatch(range);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a provider", () => {
  test("of a known name needs only its key, and that may be in its usual variable", () => {
    const { backends } = good(
      `providers: { openai: , anthropic: { api_key_env: ANTHROPIC_API_KEY } }\nrouting: { default_provider: openai }`,
    );
    expect(backends.map(({ name, auth, baseUrl }) => [name, auth, baseUrl.href])).toEqual([
      ["openai", "bearer", "https://api.openai.com/v1"],
      ["anthropic", "x-api-key", "https://api.anthropic.com/"],
    ]);
    expect(backends.map(({ credential }) => credential?.expose())).toEqual([
      ENV.OPENAI_API_KEY,
      ENV.ANTHROPIC_API_KEY,
    ]);
    expect(bad("providers: { groq: }")).toEqual(["providers.groq.api_key: no key is given"]);
  });

  test("of any other name needs three lines", () => {
    const text =
      "providers:\n  mine:\n    protocol: gemini\n    base_url: https://g.example.com/\n    api_key: '${APP_KEY}'\n";
    expect(good(text).backends[0]).toMatchObject({
      name: "mine",
      dialect: "gemini",
      auth: "x-goog-api-key",
      placement: "external",
    });
    expect(bad("providers: { mine: {} }")).toEqual([
      "providers.mine.protocol: this name is not in the catalogue",
      "providers.mine.base_url: no base URL is given, and none is known",
    ]);
  });

  test("of Azure is mounted at the surface that takes OpenAI's own paths", () => {
    const text = (url: string) =>
      `providers: { azure_openai: { endpoint: '${url}', api_key: "\${APP_KEY}" } }`;
    const url = (each: string) => good(text(each)).backends[0]?.baseUrl.href;
    expect(url("https://h.openai.azure.com/")).toBe("https://h.openai.azure.com/openai/v1");
    expect(url("https://h.openai.azure.com/own/path")).toBe("https://h.openai.azure.com/own/path");
  });

  test.each([
    ["\n", "an empty key"],
    ["sk-1234567890123456\n", "a final line break"],
    ["sk-12345678\r\nX-Evil: 1", "a second header"],
    ["sk-ключ-1234567890", "letters that are not ASCII"],
  ])("refuses a key that cannot stand in a header: %p (%s)", (key) => {
    expect(bad(OPENAI, { env: { OPENAI_API_KEY: key } })).toHaveLength(1);
    expect(JSON.stringify(read(OPENAI, { env: { OPENAI_API_KEY: key } }))).not.toContain("1234567");
  });

  test("takes its timeouts from the nearest place that gives them", () => {
    const deadlines = (text: string) => good(text).backends[0]?.deadlines;
    expect(deadlines(OLLAMA)).toEqual({
      connectMs: 5000,
      firstEventMs: 600_000,
      stallMs: 360_000,
      totalMs: 3_600_000,
    });
    const server = `server: { timeout_seconds: 300 }\n`;
    expect(deadlines(server + OLLAMA)?.firstEventMs).toBe(300_000);
    const all = `${server}resilience: { timeout: { connect_seconds: 1, request_seconds: 2, stall_seconds: 3, streaming_seconds: 4 } }\n`;
    expect(deadlines(all + OLLAMA)).toEqual({
      connectMs: 1000,
      firstEventMs: 2000,
      stallMs: 3000,
      totalMs: 4000,
    });
    expect(deadlines(`${all}providers: { ollama: { timeout_seconds: 9 } }`)?.firstEventMs).toBe(
      9000,
    );
    const own = "providers: { ollama: { timeout: { request_seconds: 8 } } }";
    expect(deadlines(all + own)?.firstEventMs).toBe(8000);
    const both = "providers: { ollama: { timeout_seconds: 9, timeout: { request_seconds: 8 } } }";
    expect(bad(both).join()).toStartWith("providers.ollama.timeout_seconds: both");
  });

  test("that is switched off is no backend, and takes its models and rules with it, audibly", () => {
    const text = `providers: { ollama: , openai: { enabled: false, api_key: "\${NOPE}" } }
models: { mini: { provider: openai }, m: { provider: ollama } }
pools: { p: { members: [{ model: mini }, { model: m }] } }
routing: { rules: [{ condition: "model starts_with 'gpt'", target_provider: openai }] }`;
    const config = good(text);
    expect(config.backends.map(({ name }) => name)).toEqual(["ollama"]);
    expect([...config.models.keys()]).toEqual(["m"]);
    expect(config.pools.get("p")?.lanes).toHaveLength(1);
    expect(config.rules).toEqual([]);
    expect(config.warnings.map(({ path }) => path)).toEqual(["models.mini", "routing.rules[0]"]);
  });
});

describe("the class of unmarked requests", () => {
  const privacy = (text: string) => good(text).privacy;
  test.each([
    [OPENAI, "shareable", "the file names no local backend"],
    [OLLAMA, "private", "the file names a local backend, ollama"],
    [`privacy: { default: shareable }\n${OLLAMA}`, "shareable", "privacy.default says so"],
    [`privacy: { default: private }\n${OPENAI}`, "private", "privacy.default says so"],
    [
      "providers: { x: { protocol: openai, unix: /x } }",
      "private",
      "the file names a local backend, x",
    ],
    [
      "providers: { x: { protocol: openai, base_url: 'http://gpu/v1', placement: local } }",
      "private",
      "the file names a local backend, x",
    ],
    [
      "providers: { x: { protocol: openai, base_url: 'http://127.0.0.1/v1', placement: external } }",
      "shareable",
      "the file names no local backend",
    ],
  ] as const)("of %p is %s: %s", (text, kind, why) => {
    expect(privacy(text)).toEqual({ default: kind, why });
  });

  test("is not loosened by switching a local backend off for a while", () => {
    const text = `providers: { openai: , ollama: { enabled: false } }\nrouting: { default_provider: openai }`;
    expect(privacy(text).default).toBe("private");
  });
});

describe("keys", () => {
  test("are kept as digests only, however they are given", () => {
    const digest = digestOf("another-key-0123456789");
    const text = `${OLLAMA}keys: { a: { key: "\${APP_KEY}", privacy: private }, b: { key_sha256: ${digest.toUpperCase()} } }`;
    const config = good(text);
    expect(config.keys.map((key) => key.digest)).toEqual([
      new Bun.CryptoHasher("sha256").update(ENV.APP_KEY).digest("hex"),
      digest,
    ]);
    expect(Bun.inspect(config, { depth: 9 })).not.toContain(ENV.APP_KEY);
  });

  test.each([
    ["{}", "no key is given"],
    ["{ key_env: APP_KEY, sha256: x }", "the key is given in more than one way"],
    ["{ key_sha256: abc }", "is not a SHA-256 digest"],
    [`{ key_sha256: ${digestOf("")} }`, "is the digest of an empty key"],
    ["{ key: fifteen-letters }", "shorter than 16"],
    ["{ key: 'sixteen letters!\n' }", "cannot"],
  ])("%p is refused: %s", (entry, why) => {
    expect(
      bad(`${OLLAMA}keys: { a: ${entry.replace("\n", "\\n").replaceAll("'", '"')} }`).join(),
    ).toMatch(why === "cannot" ? /no header can carry/ : why);
  });

  test("with an allow-list that lost its entries are not allowed everything", () => {
    const keys = (allow: string) => `${OLLAMA}keys: { a: { key: "\${APP_KEY}", allow: ${allow} } }`;
    expect(bad(keys(""))).toEqual(["keys.a.allow: expected a list, got nothing"]);
    expect(good(keys("[]")).keys[0]?.allow).toEqual([]);
  });

  test("may be allowed what is configured; more only where unknown models are served", () => {
    const keys = (allow: string) => `keys: { a: { key: "\${APP_KEY}", allow: [${allow}] } }\n`;
    const models = `${OLLAMA}models: { m: { provider: ollama } }\n`;
    expect(good(models + keys("m")).keys[0]?.allow).toEqual(["m"]);
    expect(bad(models + keys("mm, m, x"))).toEqual([
      'keys.a.allow[0]: no pool or model "mm"',
      'keys.a.allow[2]: no pool or model "x"',
    ]);
    expect(
      good(`${models + keys("gpt-4o")}routing: { default_provider: ollama }`).keys,
    ).toHaveLength(1);
  });

  test("may share a name with a provider: their names stand in no path", () => {
    expect(good(`${OLLAMA}keys: { ollama: { key: "\${APP_KEY}" } }`).keys[0]?.id).toBe("ollama");
  });

  test("one more may come from the environment, and counts once", () => {
    const key = { INTERLOCK_KEY: ENV.APP_KEY };
    expect(good(OLLAMA, { env: key }).keys.map(({ id }) => id)).toEqual(["INTERLOCK_KEY"]);
    expect(
      good(`${OLLAMA}keys: { a: { key: "\${APP_KEY}" } }`, { env: key }).keys.map(({ id }) => id),
    ).toEqual(["a"]);
    expect(bad(OLLAMA, { env: { INTERLOCK_KEY: "short" } }).join()).toContain(
      "INTERLOCK_KEY: the key is shorter",
    );
  });
});

describe("without keys", () => {
  test.each(["0.0.0.0", "::", "[::]", "192.168.0.1", "gateway.example.com"])(
    "%s is narrowed to loopback, with a warning that names who asked for it",
    (host) => {
      const narrowed = (config: Config, asker: string) => {
        expect(config.server.host).toBe("127.0.0.1");
        expect(config.warnings.map(({ path }) => path)).toContain(asker);
      };
      narrowed(good(`server: { host: "${host}" }\n${OLLAMA}`), "server.host");
      narrowed(good(OLLAMA, { flags: { host } }), "--host");
      narrowed(good(OLLAMA, { env: { SERVER_HOST: host } }), "SERVER_HOST");
      expect(
        good(`server: { host: "${host}" }\n${OLLAMA}keys: { a: { key: "\${APP_KEY}" } }`).server
          .host,
      ).toBe(host.replace(/[[\]]/g, ""));
    },
  );
  test("keys that are stored or signed are keys too: a wide address stays", () => {
    const wide = `server: { host: "0.0.0.0" }\n${OLLAMA}`;
    expect(good(wide, { storedKeys: true })).toMatchObject({
      ...{ keyed: true, server: { host: "0.0.0.0" } },
    });
    const signer = `signed_keys: { public_keys: [{ kid: 1, key: "n7UTHg/5Yjadgj+Yf0bUig6ywSBfGLSHmaedIHiWqJc=" }] }\n`;
    expect(good(wide + signer)).toMatchObject({ keyed: true, server: { host: "0.0.0.0" } });
    expect(good(wide).keyed).toBe(false);
  });
  test.each(["127.0.0.1", "localhost", "::1", "[::1]", "127.1.2.3"])("%s is one", (host) => {
    expect(good(`server: { host: "${host}" }\n${OLLAMA}`).keys).toEqual([]);
  });
});

test("a flag goes before its variable, a variable before the file, the file before the default", () => {
  const file =
    "server: { host: localhost, port: 1, metrics_port: 2 }\ntelemetry: { logging: { level: error } }\n" +
    OLLAMA;
  const env = {
    SERVER_HOST: "127.0.0.2",
    SERVER_PORT: "3",
    METRICS_PORT: "4",
    INTERLOCK_LOG: "warn",
    RUST_LOG: "debug",
  };
  const flags = { host: "127.0.0.3", port: "5", metricsPort: "6", logLevel: "debug" };
  const seen = (config: Config) => [
    config.server.host,
    config.server.port,
    config.server.metricsPort,
    config.logLevel,
  ];
  expect(seen(good(OLLAMA))).toEqual(["127.0.0.1", 8080, 9090, "info"]);
  expect(seen(good(file))).toEqual(["localhost", 1, 2, "error"]);
  expect(seen(good(file, { env }))).toEqual(["127.0.0.2", 3, 4, "warn"]);
  expect(seen(good(file, { env, flags }))).toEqual(["127.0.0.3", 5, 6, "debug"]);
  expect(
    bad(OLLAMA, { env: { SERVER_PORT: "eighty" }, flags: { workers: "none" } }).map(
      (each) => each.split(":")[0],
    ),
  ).toEqual(["SERVER_PORT", "--workers"]);
});

test("defaults are those the documentation promises", () => {
  const config = good(OLLAMA);
  expect(config.server).toEqual({
    ...{ host: "127.0.0.1", port: 8080, metricsPort: 9090, workers: 1, connectionsMax: 10_000 },
    metricsHost: "127.0.0.1",
    ...{ bodyBytesMax: 33_554_432, depthMax: 64, drainMs: 330_000, allowedHosts: [] },
    addressRateMax: undefined,
  });
  expect(config.relay).toEqual({
    ...{ streamFailure: "surface", heartbeatMs: 15_000, clientStallMs: 60_000 },
    ...{ bufferBytesMax: 16_777_216, onLoss: "warn", injectIncludeUsage: false },
    onRevoked: "cut",
  });
  expect(config.budgets).toEqual({
    ...{ status: 429, onExhausted: "finish" },
    alerts: { percents: [50, 80, 100], webhook: undefined },
  });
  expect(config.failover).toEqual({ attemptsMax: 3, deadlineMs: 120_000 });
  expect(config).toMatchObject({ stealth: false, logLevel: "info", rules: [], notActive: [] });
});

test("a port of our own is not given away twice, and metrics can be off", () => {
  expect(bad(`server: { port: 9090 }\n${OLLAMA}`)).toEqual([
    "server.metrics_port: is the port of the gateway itself",
  ]);
  expect(good(`server: { metrics_port: off }\n${OLLAMA}`).server.metricsPort).toBeUndefined();
  expect(
    good(`telemetry: { metrics: { enabled: false } }\n${OLLAMA}`).server.metricsPort,
  ).toBeUndefined();
  expect(
    bad(`server: { metrics_port: 1 }\ntelemetry: { metrics: { port: 2 } }\n${OLLAMA}`),
  ).toHaveLength(1);
});

test("the number of workers is the file's, and one without it", () => {
  for (const [written, workers] of [
    ["4", 4],
    ["auto", "auto"],
    ["1", 1],
  ] as const) {
    const config = good(`server: { workers: ${written} }\n${OLLAMA}`);
    expect([config.server.workers, config.notActive]).toEqual([workers, []]);
  }
  expect(good(OLLAMA).server.workers).toBe(1);
  for (const workers of ["0", "1025", "many", "1.5"]) {
    expect(bad(`server: { workers: ${workers} }\n${OLLAMA}`)).toEqual([
      expect.stringContaining("server.workers"),
    ]);
  }
});

test("rules are asked by priority, then in the order of the file", () => {
  const rule = (name: string, priority: number) =>
    `{ name: ${name}, condition: "model == 'x'", target_provider: ollama, priority: ${priority} }`;
  const rules = [rule("a", 5), rule("b", 1), rule("c", 5), rule("d", 1)].join(", ");
  expect(good(`${OLLAMA}routing: { rules: [${rules}] }`).rules.map(({ name }) => name)).toEqual([
    "b",
    "d",
    "a",
    "c",
  ]);
});

test("the only provider of a file that names nothing else gets everything", () => {
  expect(good(OLLAMA).defaultBackend?.name).toBe("ollama");
  expect(good(`${OLLAMA}models: { m: { provider: ollama } }`).defaultBackend).toBeUndefined();
});

test.each([
  [
    "a literal key of a provider",
    "providers: { openai: { api_key: sk-literal-0123 } }",
    "providers.openai.api_key",
  ],
  ["a literal virtual key", `${OLLAMA}keys: { a: { key: literal-key-0123456789 } }`, "keys.a.key"],
  [
    "a literal key of a provider that is switched off",
    "providers: { ollama: , openai: { enabled: false, api_key: sk-literal-0123 } }\nrouting: { default_provider: ollama }",
    "providers.openai.api_key",
  ],
  [
    "a password of a database",
    `${OLLAMA}database: { url: "postgres://u:p@localhost/db" }`,
    "database.url",
  ],
  [
    "a password of a proxy",
    `providers: { openai: { proxy: "http://a:b@p.example.com" } }`,
    "providers.openai.proxy",
  ],
  [
    "a version that Anthropic does not have",
    "providers: { anthropic: { api_version: 2024-01-01 } }",
    "providers.anthropic.api_version",
  ],
  [
    "a private key with nowhere to go",
    `providers: { openai: }\nkeys: { a: { key_env: APP_KEY, privacy: private } }`,
    "keys.a.privacy",
  ],
  [
    "a private pool with nowhere to go",
    "providers: { openai: }\nmodels: { m: { provider: openai } }\npools: { p: { privacy: private, members: [{ model: m }] } }",
    "pools.p.privacy",
  ],
  [
    "protocols mixed in a pool",
    "providers: { openai: , anthropic: }\nmodels: { m: { provider: openai }, n: { provider: anthropic } }\npools: { p: { members: [{ model: m }, { model: n }] } }",
    "pools.p.members",
  ],
  [
    "a whole shorter than its beginning",
    `${OLLAMA}resilience: { timeout: { streaming_seconds: 9 } }`,
    "providers.ollama.timeout",
  ],
])("a warning, and no error, for %s", (_, text, path) => {
  expect(good(text).warnings.map((warning) => warning.path)).toEqual([path]);
});

test("backends are real ones, made by the one constructor there is", () => {
  for (const backend of good(`${OLLAMA}`).backends) expect(Backend.is(backend)).toBe(true);
});

test("whatever the text, resolving it returns a configuration or its errors", () => {
  const name = fc.constantFrom(
    "server",
    "port",
    "providers",
    "openai",
    "models",
    "m",
    "keys",
    "routing",
    "rules",
    "pools",
    "members",
    "api_key",
    "provider",
    "base_url",
    "constructor",
    "x",
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.dictionary(name, tie("value"), { maxKeys: 4 }),
    value: fc.oneof(
      { depthSize: "medium" },
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.constantFrom("${APP_KEY}", "${X", "http://127.0.0.1/v1", "openai"),
      fc.array(tie("value"), { maxLength: 3 }),
      tie("tree"),
    ),
  }));
  const text = fc.oneof(
    tree.map((each) => JSON.stringify(each)),
    fc.string({ maxLength: 60 }),
  );
  fc.assert(
    fc.property(text, (each) => {
      const resolved = read(each);
      expect(resolved.ok || resolved.errors.length > 0).toBe(true);
    }),
    { numRuns: 500 },
  );
});
