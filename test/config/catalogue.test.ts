import { expect, test } from "bun:test";
import { readBaseUrl } from "../../src/config/base-url.ts";
import { discover } from "../../src/config/discover.ts";
import { CATALOGUE } from "../../src/config/catalogue.ts";
import { nameProblem } from "../../src/config/names.ts";
import { resolve } from "../../src/config/resolve.ts";

test.each(CATALOGUE.map((row) => [row.name, row] as const))(
  "%s loads with nothing but its key",
  (name, row) => {
    const env = { KEY: "key-0123456789" };
    const more = row.baseUrl === undefined ? ", base_url: 'https://own.example.com'" : "";
    const text = `providers: { "${name}": { ${row.engine ? "" : 'api_key: "${KEY}"'}${more.slice(row.engine ? 2 : 0)} } }`;
    const resolved = resolve(text, { path: "test.yaml", env });
    expect(resolved).toMatchObject({ ok: true, config: { warnings: [] } });
    if (!resolved.ok) return;
    expect(resolved.config.backends[0]).toMatchObject({
      name,
      dialect: row.dialect,
      auth: row.engine ? "none" : row.auth,
      placement: row.engine ? "local" : "external",
      terminal: row.terminal ?? "done",
    });
  },
);

test("names, key variables and model prefixes belong to one provider each", () => {
  const found = CATALOGUE.filter((row) => row.quiet !== true);
  for (const column of [
    CATALOGUE.map((row) => row.name),
    found.flatMap((row) => row.keyVariables),
    CATALOGUE.flatMap((row) => row.modelPrefixes),
  ]) {
    expect(new Set(column).size).toBe(column.length);
  }
  const prefixes = CATALOGUE.flatMap((row) =>
    row.modelPrefixes.map((prefix) => [prefix, row.name] as const),
  );
  for (const [one, owner] of prefixes) {
    const inside = prefixes.filter(([other, name]) => name !== owner && other.startsWith(one));
    expect(inside).toEqual([]);
  }
});

test("addresses are clean: https for vendors, loopback for engines, no slash at the end", () => {
  for (const { name, baseUrl, engine } of CATALOGUE) {
    expect(nameProblem("provider", name)).toBeUndefined();
    if (baseUrl === undefined) continue;
    expect(readBaseUrl(baseUrl)).toMatchObject({ ok: true, host: engine ? "loopback" : "name" });
    expect(baseUrl).toMatch(engine ? /^http:/ : /^https:/);
    expect(baseUrl).not.toEndWith("/");
  }
});

test("Perplexity's streams are complete without [DONE], and nobody else's", () => {
  const finishing = CATALOGUE.filter((row) => row.terminal === "finish");
  expect(finishing.map((row) => row.name)).toEqual(["perplexity"]);
});

test("nothing whose key is often there for another reason is found by its key alone", async () => {
  for (const env of [
    { HF_TOKEN: "key-0123456789" },
    {
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE0000000",
      AWS_SECRET_ACCESS_KEY: "s",
      AWS_REGION: "eu-west-1",
    },
  ]) {
    const found = await discover({ env, probe: () => Promise.resolve(undefined) });
    expect(found.ok && found.config.source.kind).toBe("demo");
  }
});

const load = (text: string, env: Record<string, string> = {}) => {
  const resolved = resolve(text, { path: "test.yaml", env });
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.errors));
  return resolved.config.backends[0]!;
};

test("Bedrock's address is its region's, and AWS's standard variables sign", () => {
  const env = {
    ...{ AWS_ACCESS_KEY_ID: "AKIDEXAMPLE0000000", AWS_SECRET_ACCESS_KEY: "secret" },
    ...{ AWS_SESSION_TOKEN: "session", AWS_REGION: "eu-central-1" },
  };
  const backend = load("providers: { bedrock: {} }\nmodels: { m: { provider: bedrock } }", env);
  expect(backend.baseUrl.href).toBe("https://bedrock-runtime.eu-central-1.amazonaws.com/");
  expect(backend.auth).toBe("sigv4");
  expect(backend.credential?.expose()).toBe("AKIDEXAMPLE0000000\nsecret\nsession");
  const given = load(
    'providers: { bedrock: { region: us-west-2, api_key: "AKIDEXAMPLE0000000:secret" } }\n' +
      "models: { m: { provider: bedrock } }",
  );
  expect(given.baseUrl.hostname).toBe("bedrock-runtime.us-west-2.amazonaws.com");
  expect([given.auth, given.credential?.expose()]).toEqual(["sigv4", "AKIDEXAMPLE0000000\nsecret"]);
  const bearer = load(
    "providers: { bedrock-eu-west-1: {} }\nmodels: { m: { provider: bedrock-eu-west-1 } }",
    { AWS_BEARER_TOKEN_BEDROCK: "bedrock-api-key-0123", ...env },
  );
  expect(bearer.auth).toBe("bearer");
});

test("Azure's models are deployments as soon as a version is named, else its v1 surface is used", () => {
  const azure = (more: string) =>
    load(
      `providers: { azure_openai: { base_url: "https://own.openai.azure.com", api_key: k-0123456789${more} } }\n` +
        "models: { m: { provider: azure_openai } }",
    );
  expect(azure("").baseUrl.pathname).toBe("/openai/v1");
  const dated = azure(", api_version: 2024-10-21");
  expect(dated).toMatchObject({
    modelPath: "/deployments/{model}",
    query: "api-version=2024-10-21",
  });
  expect(dated.baseUrl.pathname).toBe("/openai");
});

test("a version that a protocol's own paths bring is not doubled", () => {
  const base = (protocol: string, url: string) =>
    load(
      `providers: { p: { protocol: ${protocol}, base_url: "${url}", api_key: k-0123456789 } }\n` +
        "models: { m: { provider: p } }",
    ).baseUrl.pathname;
  expect(base("anthropic", "https://a.example.com/v1")).toBe("/");
  expect(base("anthropic", "https://a.example.com/api/anthropic")).toBe("/api/anthropic");
  expect(base("cohere", "https://a.example.com/v2")).toBe("/");
});

test("a host that copies OpenAI is asked in words that all copies know", () => {
  const { capabilities } = load(
    'providers: { own: { protocol: openai, base_url: "http://127.0.0.1:9/v1" } }\n' +
      "models: { m: { provider: own } }",
  );
  expect(capabilities).toMatchObject({ outputCap: "max_tokens", developerRole: false });
});

test("what many expect to find is there", () => {
  expect(CATALOGUE.map((row) => row.name)).toEqual(
    expect.arrayContaining([
      ...["openai", "anthropic", "gemini", "cohere", "mistral", "groq", "deepseek", "xai"],
      ...["openrouter", "together", "fireworks", "cerebras", "perplexity", "deepinfra", "moonshot"],
      ...["nvidia-nim", "sambanova", "hyperbolic", "novita", "zai", "azure_openai", "bedrock"],
      ...["ollama", "vllm", "llama.cpp", "lm-studio", "sglang"],
    ]),
  );
});
