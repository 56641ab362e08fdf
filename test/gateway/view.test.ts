import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { renderMetrics } from "../../src/telemetry/exposition.ts";
import { chat, COMPLETION, configOf, type SimGateway, simGateway } from "../sim/gateway.ts";
import { simNetwork } from "../sim/network.ts";
import { whole } from "../upstream/pieces.ts";

const RUNS = process.env["INTERLOCK_FULL"] === "1" ? 1000 : 20;
const KEYS = { a: "a-key-of-enough-characters", b: "b-key-of-enough-characters" };

/** What a tenant has, over names that others have too. */
interface Own {
  readonly models: readonly string[];
  readonly pools: readonly string[];
  readonly deny: readonly string[];
  readonly allow: readonly string[] | undefined;
  readonly private: boolean;
  readonly rpm: number | undefined;
}

const NAMES = ["gpu", "qwen", "all", "mine", "theirs"];
const SHARED = ["gpu", "qwen", "all"];
const own: fc.Arbitrary<Own> = fc.record({
  models: fc.uniqueArray(fc.constantFrom("qwen", "mine", "theirs")),
  pools: fc.uniqueArray(fc.constantFrom("all", "mine-too", "theirs-too")),
  deny: fc.uniqueArray(fc.constantFrom(...SHARED)),
  allow: fc.option(fc.uniqueArray(fc.constantFrom(...SHARED), { minLength: 1 }), {
    nil: undefined,
  }),
  private: fc.boolean(),
  rpm: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
});

function entryOf(key: string, has: Own): object {
  const models = Object.fromEntries(
    has.models.map((name) => [name, { provider: "gpu", upstream_model: `${key}-${name}` }]),
  );
  const member = { model: has.models[0] ?? "qwen" };
  return {
    deny: has.deny,
    ...(has.allow && { allow: has.allow }),
    ...(has.private && { privacy: "private" }),
    ...(has.rpm && { requests_per_minute: has.rpm }),
    models,
    pools: Object.fromEntries(has.pools.map((name) => [name, { members: [member] }])),
    keys: { k: { key } },
  };
}

function gatewayWith(tenants: object): SimGateway {
  const config = configOf(
    stringify({
      privacy: { default: "shareable" },
      providers: {
        gpu: { protocol: "openai", base_url: "http://127.0.0.1:8000/v1" },
        ext: { protocol: "openai", base_url: "https://ext.example/v1" },
      },
      models: { qwen: { provider: "gpu" }, far: { provider: "ext" } },
      pools: { all: { members: [{ model: "qwen" }, { model: "far", priority: 1 }] } },
      tenants,
    }),
  );
  return simGateway(config, simNetwork({ answer: () => whole(JSON.stringify(COMPLETION)) }));
}

interface Step {
  readonly by: keyof typeof KEYS;
  readonly kind: "chat" | "list" | "model" | "path" | "provider" | "translate" | "health";
  readonly name: string;
}
const step: fc.Arbitrary<Step> = fc.record({
  by: fc.constantFrom("a", "b"),
  kind: fc.constantFrom("chat", "list", "model", "path", "provider", "translate", "health"),
  name: fc.constantFrom(...NAMES, "mine-too", "theirs-too", "far", "nobody's"),
});

function requestOf({ by, kind, name }: Step): Request {
  const headers = { host: "127.0.0.1:8080", authorization: `Bearer ${KEYS[by]}` };
  const at = (path: string) => new Request(`http://127.0.0.1:8080${path}`, { headers });
  const call = chat({ model: name, headers });
  const named = (rest: string): Request =>
    new Request(`http://127.0.0.1:8080/${encodeURIComponent(name)}${rest}`, {
      ...{ method: "POST", headers: call.headers, body: call.body },
    });
  switch (kind) {
    case "chat":
      return call;
    case "path":
      return named("/v1/chat/completions");
    case "provider":
      return named("/v1/files");
    case "translate": {
      const body = JSON.stringify({ from: "anthropic", model: name, body: { messages: [] } });
      const length = { "content-length": String(Buffer.byteLength(body)) };
      const typed = { ...headers, ...length, "content-type": "application/json" };
      return new Request("http://127.0.0.1:8080/v1/translate", {
        ...{ method: "POST", headers: typed, body },
      });
    }
    case "model":
      return at(`/v1/models/${encodeURIComponent(name)}`);
    case "list":
      return at("/v1/models");
    case "health":
      return at("/health?detailed=true");
  }
}

/** All that a caller sees, but for the names and times every answer has of its own. */
async function seen(answer: Response): Promise<string> {
  const headers = [...answer.headers].filter(
    ([name]) => !/^(?:x-request-id|server-timing|date)$/.test(name),
  );
  const body = (await answer.text()).replaceAll(/req_[\w-]+|"uptime[^,]*,/g, "");
  return JSON.stringify([answer.status, headers, body]);
}

describe("nothing of one tenant is visible to another", () => {
  test("whatever a tenant asks, it is answered as if no other were there and had asked", async () => {
    const property = fc.asyncProperty(
      fc.record({ a: own, b: own }),
      fc.array(step, { minLength: 1, maxLength: 8 }),
      async ({ a, b }, steps) => {
        const alone = gatewayWith({ a: entryOf(KEYS.a, a) });
        const both = gatewayWith({ a: entryOf(KEYS.a, a), b: entryOf(KEYS.b, b) });
        for (const each of steps) {
          const answer = await seen(await both.ask(requestOf(each)));
          if (each.by === "b") continue;
          expect(answer).toBe(await seen(await alone.ask(requestOf(each))));
        }
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  }, 60_000);

  test("a name of another tenant is answered as a name that nobody has", async () => {
    const named = step.filter(({ kind }) => kind !== "list" && kind !== "health");
    const property = fc.asyncProperty(own, own, named, async (a, b, each) => {
      const names = [...b.models, ...b.pools].filter(
        (name) => ![...a.models, ...a.pools, ...SHARED].includes(name),
      );
      fc.pre(names.length > 0);
      const name = names[0]!;
      const { ask } = gatewayWith({ a: entryOf(KEYS.a, a), b: entryOf(KEYS.b, b) });
      const asked = { ...each, by: "a" } as const;
      const theirs = await seen(await ask(requestOf({ ...asked, name })));
      const nobodys = await seen(await ask(requestOf({ ...asked, name: "x".repeat(name.length) })));
      const same = (text: string): string => text.replaceAll(/x{4,}/g, name);
      expect(theirs).toBe(same(nobodys));
    });
    await fc.assert(property, { numRuns: RUNS });
  }, 60_000);
});

test("what a tenant's request is counted, logged and routed under", async () => {
  const { ask, lines, gateway } = gatewayWith({
    a: entryOf(KEYS.a, { ...NOTHING, models: ["mine"] }),
    b: entryOf(KEYS.b, NOTHING),
  });
  const answered = await ask(requestOf({ by: "a", kind: "chat", name: "mine" }));
  expect(answered.headers.get("x-interlock-route")).toBe("mine/mine@gpu");
  await answered.text();
  await (await ask(requestOf({ by: "b", kind: "chat", name: "mine" }))).text();
  expect(
    lines.map(({ fields }) => [fields?.["tenant"], fields?.["key"], fields?.["model"]]),
  ).toEqual([
    ["a", "a:k", "a#mine"],
    ["b", "b:k", "mine"],
  ]);
  const metrics = renderMetrics(gateway.recorder.metrics.registry);
  expect(metrics).toContain('model="a#mine"');
  expect(metrics).not.toContain('model="mine"');
});

const NOTHING: Own = {
  ...{ models: [], pools: [], deny: [], allow: undefined, private: false, rpm: undefined },
};
