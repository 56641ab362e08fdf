import { expect, test } from "bun:test";
import { readBaseUrl } from "../../src/config/base-url.ts";
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
  for (const column of [
    CATALOGUE.map((row) => row.name),
    CATALOGUE.flatMap((row) => row.keyVariables),
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
