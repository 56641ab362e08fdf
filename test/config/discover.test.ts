import { expect, test } from "bun:test";
import fc from "fast-check";
import { CATALOGUE } from "../../src/config/catalogue.ts";
import {
  type Discovery,
  type DiscoverOptions,
  discover,
  type Probe,
} from "../../src/config/discover.ts";
import { DEMO_BACKEND_NAME } from "../../src/config/names.ts";

const nobody: Probe = async () => undefined;

/** Engines that list the given models, and a record of who was asked. */
function engines(models: Record<number, readonly string[]>) {
  const asked: string[] = [];
  const probe: Probe = async (url) => {
    asked.push(url);
    const ids = models[Number(new URL(url).port)];
    if (ids === undefined) return undefined;
    return {
      status: 200,
      body: JSON.stringify({ object: "list", data: ids.map((id) => ({ id })) }),
    };
  };
  return { asked, probe };
}

async function find(options: Partial<DiscoverOptions>) {
  const found = await discover({ env: {}, probe: nobody, ...options });
  if (!found.ok) throw new Error(JSON.stringify(found.errors));
  return found;
}
const names = (found: Extract<Discovery, { ok: true }>) =>
  found.config.backends.map(({ name }) => name);

test("with nothing on the machine the demo answers for every model, and is no place on any network", async () => {
  const { config, found } = await find({});
  expect(config.source).toEqual({ kind: "demo" });
  expect(config.defaultBackend).toMatchObject({
    name: DEMO_BACKEND_NAME,
    placement: "local",
    credential: undefined,
  });
  expect(config.defaultBackend?.baseUrl.hostname).toEndWith(".invalid");
  expect(config.privacy).toEqual({ default: "shareable", why: "there is no configuration file" });
  expect(found.map(({ by }) => by)).toEqual(["nothing else was found"]);
});

test("each vendor's key makes its backend, and its own model names go to it", async () => {
  for (const row of CATALOGUE) {
    const [variable] = row.keyVariables;
    if (variable === undefined || row.baseUrl === undefined || row.quiet === true) continue;
    const { config, found } = await find({ env: { [variable]: "key-0123456789" } });
    expect(config.source.kind).toBe("environment");
    expect(config.backends).toMatchObject([
      { name: row.name, placement: "external", auth: row.auth, terminal: row.terminal ?? "done" },
    ]);
    expect(config.backends[0]?.credential?.expose()).toBe("key-0123456789");
    expect(config.rules.map(({ condition }) => condition.value)).toEqual([...row.modelPrefixes]);
    expect(found.map(({ by }) => by)).toEqual([variable]);
  }
});

test("all engines are asked at once, except where we listen ourselves", async () => {
  const { asked, probe } = engines({});
  await find({ probe });
  expect(asked.map((url) => new URL(url).port).toSorted()).toEqual([
    "11434",
    "1234",
    "30000",
    "8000",
  ]);
  asked.length = 0;
  await find({ probe, ownPort: 8000 });
  expect(asked.map((url) => new URL(url).port).toSorted()).toEqual([
    "11434",
    "1234",
    "30000",
    "8080",
  ]);
  asked.length = 0;
  await find({ probe, flags: { port: "1234", metricsPort: "30000" } });
  expect(asked.map((url) => new URL(url).port).toSorted()).toEqual(["11434", "8000", "8080"]);
  for (const url of asked) expect(new URL(url).hostname).toBe("127.0.0.1");

  let open = 0;
  let most = 0;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const counting: Probe = () => {
    most = Math.max(most, ++open);
    if (open === 4) resolve(undefined);
    return promise;
  };
  await find({ probe: counting });
  expect(most).toBe(4);
});

test("an engine serves the models it lists, and unknown ones when there is no vendor", async () => {
  const { probe } = engines({ 11434: ["llama3:8b", "shared"], 8000: ["shared", "qwen3-32b"] });
  const alone = await find({ probe });
  expect(names(alone)).toEqual(["ollama", "vllm"]);
  expect([...alone.config.models].map(([model, lane]) => [model, lane.backend.name])).toEqual([
    ["llama3:8b", "ollama"],
    ["shared", "ollama"],
    ["qwen3-32b", "vllm"],
  ]);
  expect(alone.config.defaultBackend?.name).toBe("ollama");
  const both = await find({ probe, env: { GROQ_API_KEY: "gsk-0123456789" } });
  expect(both.config.defaultBackend?.name).toBe("groq");
  expect(both.config.models.get("shared")?.backend.name).toBe("ollama");
});

test("the default is OpenAI when it is there, else the first vendor of the catalogue", async () => {
  const keys = {
    ANTHROPIC_API_KEY: "k-0123456789",
    XAI_API_KEY: "k-0123456789",
    GROQ_API_KEY: "k-0123456789",
  };
  expect((await find({ env: keys })).config.defaultBackend?.name).toBe("anthropic");
  const openai = { ...keys, OPENAI_API_KEY: "k-0123456789" };
  expect((await find({ env: openai })).config.defaultBackend?.name).toBe("openai");
  const lone = await find({ env: { ANTHROPIC_API_KEY: "k-0123456789" } });
  expect([lone.config.defaultBackend?.name, names(lone)]).toEqual(["anthropic", ["anthropic"]]);
});

test.each([
  ["a page", "<!doctype html>"],
  ["an object without a list", '{"models":[]}'],
  ["a list of something else", "[1]"],
  ["null", "null"],
  ["far too much", `{"data":[],"x":"${"x".repeat(2_000_000)}"}`],
])("another program on an engine's port is none: %s", async (_, body) => {
  const found = await find({ probe: async () => ({ status: 200, body }) });
  expect(names(found)).toEqual([DEMO_BACKEND_NAME]);
});

test("an engine may list anything: only names that can stand in a label are taken", async () => {
  const data = fc.array(
    fc.oneof(fc.string(), fc.integer(), fc.constant(null)).map((id) => ({ id })),
  );
  await fc.assert(
    fc.asyncProperty(data, async (list) => {
      const body = JSON.stringify({ data: list });
      const { config } = await find({ probe: async () => ({ status: 200, body }) });
      for (const model of config.models.keys()) expect(model).toMatch(/^[\x21-\x7e]{1,128}$/);
    }),
  );
});

test("OPENAI_BASE_URL decides where openai is, and its host whose machine that is", async () => {
  const at = (OPENAI_BASE_URL: string, key = "k-0123456789") =>
    find({ env: { OPENAI_BASE_URL, OPENAI_API_KEY: key } });
  const far = await at("https://openai.example.com/v1/");
  expect(far.config.backends).toMatchObject([{ name: "openai", placement: "external" }]);
  expect(far.config.backends[0]?.baseUrl.href).toBe("https://openai.example.com/v1");
  const { asked, probe } = engines({ 11434: ["llama3"] });
  const near = await find({ probe, env: { OPENAI_BASE_URL: "http://localhost:11434/v1" } });
  expect(names(near)).toEqual(["openai"]);
  expect(near.config.backends[0]).toMatchObject({ placement: "local", auth: "none" });
  expect([...near.config.models.keys()]).toEqual(["llama3"]);
  expect(asked.filter((url) => url.includes("11434"))).toEqual([
    "http://localhost:11434/v1/models",
  ]);
});

test("what points at ourselves, or lacks its other half, is left aside with a note", async () => {
  const self = await find({
    env: { OPENAI_BASE_URL: "http://127.0.0.1:8080/v1", OPENAI_API_KEY: "k-0123456789" },
  });
  expect([names(self), self.notes]).toEqual([
    [DEMO_BACKEND_NAME],
    ["openai is left out: OPENAI_BASE_URL points at this gateway itself"],
  ]);
  const azure = await find({ env: { AZURE_OPENAI_API_KEY: "k-0123456789" } });
  expect(azure.notes).toEqual([
    "azure_openai is left out: AZURE_OPENAI_API_KEY is set, and it needs AZURE_OPENAI_ENDPOINT too",
  ]);
  const keyless = await find({ env: { OPENAI_BASE_URL: "https://openai.example.com/v1" } });
  expect(keyless.notes).toEqual([
    "openai is left out: OPENAI_BASE_URL is set, and it needs OPENAI_API_KEY too",
  ]);
});

test.each([
  [{ OPENAI_API_KEY: "sk-x\ny" }, "OPENAI_API_KEY"],
  [{ OPENAI_API_KEY: "k", OPENAI_BASE_URL: "http://api.example.com/v1" }, "OPENAI_BASE_URL"],
  [{ OPENAI_API_KEY: "k", OPENAI_BASE_URL: "http://169.254.169.254/v1" }, "OPENAI_BASE_URL"],
  [{ SERVER_PORT: "x" }, "SERVER_PORT"],
])("%p is an error, with the variable's name", async (env, path) => {
  const found = await discover({ env, probe: nobody });
  expect(found).toMatchObject({ ok: false, errors: [{ path }] });
});

test("without a key a wider address is narrowed to loopback, and the one who asked is named", async () => {
  const { config } = await find({ env: { SERVER_HOST: "0.0.0.0" } });
  expect(config.server.host).toBe("127.0.0.1");
  expect(config.warnings.map(({ path }) => path)).toEqual(["SERVER_HOST"]);
});

test("another gateway of this kind on an engine's port is no engine", async () => {
  const data = [{ id: "demo", object: "model", created: 1, owned_by: "interlock" }];
  const body = JSON.stringify({ object: "list", data });
  const found = await find({ env: {}, probe: () => Promise.resolve({ status: 200, body }) });
  expect(found.config.source).toEqual({ kind: "demo" });
});

test("a key from the environment opens the gateway to the network", async () => {
  const { config } = await find({
    env: { INTERLOCK_KEY: "0123456789abcdef" },
    flags: { host: "0.0.0.0" },
  });
  expect(config.keys.map(({ id }) => id)).toEqual(["INTERLOCK_KEY"]);
});
