import { describe, expect, test } from "bun:test";
import { chat, COMPLETION, configOf, simGateway } from "../sim/gateway.ts";
import { simNetwork } from "../sim/network.ts";
import { whole } from "../upstream/pieces.ts";

const KEYS = {
  app: "an-app-key-of-enough-characters",
  few: "a-few-key-of-enough-characters",
  secret: "a-secret-key-of-enough-characters",
  open: "an-open-key-of-enough-characters",
};
const YAML = `
privacy: { default: shareable }
providers:
  gpu: { protocol: openai, base_url: "http://127.0.0.1:8000/v1" }
  ext: { protocol: openai, base_url: "https://ext.example/v1" }
models:
  qwen: { provider: gpu }
  mini: { provider: ext }
  "team/mini:free": { provider: ext }
pools:
  both: { members: [{ model: qwen }, { model: mini }] }
  far: { members: [{ model: mini }] }
keys:
  app: { key: "${KEYS.app}" }
  few: { key: "${KEYS.few}", allow: [both, mini] }
  secret: { key: "${KEYS.secret}", privacy: private }
  open: { key: "${KEYS.open}", privacy: shareable }
`;

/** As much of the answers as is looked at. */
interface Listing {
  readonly object: string;
  readonly data: readonly { readonly id: string }[];
  readonly error: { readonly code: string };
}

function sim(yaml = YAML) {
  const network = simNetwork({ answer: () => whole(JSON.stringify(COMPLETION)) });
  return simGateway(configOf(yaml), network);
}
async function get(path: string, key: keyof typeof KEYS | null = "app", yaml = YAML) {
  const headers: Record<string, string> = { host: "127.0.0.1:8080" };
  if (key !== null) headers["authorization"] = `Bearer ${KEYS[key]}`;
  const { ask, lines, gateway } = sim(yaml);
  const response = await ask(new Request(`http://127.0.0.1:8080${path}`, { headers }));
  return { response, body: (await response.json()) as Listing, lines, gateway };
}
async function listed(key: keyof typeof KEYS, yaml = YAML): Promise<string[]> {
  const { body } = await get("/v1/models", key, yaml);
  return body.data.map(({ id }) => id).sort();
}
const ALL = ["both", "far", "mini", "qwen", "team/mini:free"];

describe("the list of models", () => {
  test("holds every name of the configuration in OpenAI's form", async () => {
    const { body, response } = await get("/v1/models");
    expect(await listed("app")).toEqual(ALL);
    expect(body.object).toBe("list");
    for (const entry of body.data) {
      expect<unknown>(entry).toEqual({
        id: entry.id,
        object: "model",
        created: Date.UTC(2030, 0, 1) / 1000,
        owned_by: "interlock",
      });
    }
    expect(response.status).toBe(200);
  });

  test("holds no name a key was not granted", async () => {
    expect(await listed("few")).toEqual(["both", "mini"]);
  });

  test("holds no name that cannot answer a private request, for who makes no other", async () => {
    expect(await listed("secret")).toEqual(["both", "qwen"]);
    const yaml = YAML.replace("default: shareable", "default: private");
    expect(await listed("app", yaml)).toEqual(["both", "qwen"]);
    expect(await listed("open", yaml)).toEqual(ALL);
  });

  test("holds no name that answers nobody: a private pool of external members only", async () => {
    const yaml = YAML.replace("  far: {", "  far: { privacy: private,");
    expect((await sim(yaml).ask(withKey(chat({ model: "far" })))).status).toBe(503);
    expect(await listed("app", yaml)).not.toContain("far");
  });

  test("holds names whose backends speak another protocol: a chat is translated", async () => {
    const anthropic = 'anthropic: { api_key: "sk-ant-0123456789" }';
    const yaml = YAML.replace(
      "models:",
      `  ${anthropic}\nmodels:\n  claude: { provider: anthropic }`,
    );
    expect(await listed("app", yaml)).toContain("claude");
  });

  test("is for who has a key, where there are keys", async () => {
    expect((await get("/v1/models", null)).response.status).toBe(401);
  });

  test("is counted and logged as a request of its key, and takes no slot", async () => {
    const { lines, gateway } = await get("/v1/models");
    expect(lines).toMatchObject([
      { fields: { key: "app", status: 200, attempts: 0, ending: "served" } },
    ]);
    expect(gateway.governor.inFlight).toBe(0);
  });
});

function withKey(request: Request): Request {
  request.headers.set("authorization", `Bearer ${KEYS.app}`);
  return request;
}

describe("one model by its name", () => {
  test.each(["mini", "team/mini:free", encodeURIComponent("team/mini:free")])(
    "%s",
    async (name) => {
      const { body, response } = await get(`/v1/models/${name.replaceAll("%2F", "/")}`);
      expect(response.status).toBe(200);
      expect(body).toMatchObject({ id: decodeURIComponent(name), object: "model" });
    },
  );

  test.each<[string, keyof typeof KEYS]>([
    ["gpt-4o", "app"],
    ["qwen", "few"],
    ["mini", "secret"],
    ["__proto__", "app"],
  ])("%s for the key %s: 404, whether it is not granted or not there", async (name, key) => {
    const { body, response, lines } = await get(`/v1/models/${name}`, key);
    expect(response.status).toBe(404);
    expect(body.error.code).toBe("model_not_found");
    expect(lines).toHaveLength(1);
  });
});
