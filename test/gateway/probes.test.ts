import { describe, expect, test } from "bun:test";
import { adminSource } from "../../src/gateway/probes.ts";
import { chat, COMPLETION, configOf, simGateway } from "../sim/gateway.ts";
import { simNetwork } from "../sim/network.ts";
import { flow, delta, refusal, whole } from "../upstream/pieces.ts";

const OPEN = `
providers: { gpu: { protocol: openai, base_url: "http://127.0.0.1:8000/v1" } }
models: { m: { provider: gpu } }
`;
const KEY = "an-app-key-of-enough-characters";
const KEYED = `${OPEN}keys: { app: { key: "${KEY}" } }\n`;

function sim(yaml = OPEN, answer = () => whole(JSON.stringify(COMPLETION))) {
  const one = simGateway(configOf(yaml), simNetwork({ answer }));
  async function get(path: string, authorization?: string) {
    const headers: Record<string, string> = { host: "127.0.0.1:8080" };
    if (authorization !== undefined) headers["authorization"] = authorization;
    const response = await one.ask(new Request(`http://127.0.0.1:8080${path}`, { headers }));
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  return { ...one, get };
}
const PATHS = ["/health", "/healthz", "/livez", "/live", "/readyz", "/ready"];

describe("who asks after the gateway itself", () => {
  test.each(PATHS)("needs no key, and leaves no line and no count: %s", async (path) => {
    const { get, lines, gateway } = sim(KEYED);
    const before = requestLines(adminSource(gateway).metrics());
    expect((await get(path)).status).toBe(200);
    expect(lines).toEqual([]);
    const after = requestLines(adminSource(gateway).metrics());
    expect(after).toEqual(before);
  });

  test("is told in detail only who may use the backends", async () => {
    const plain = ["status", "uptime_seconds", "version"];
    const { body: open } = await sim().get("/health?detailed=true");
    expect(open["backends"]).toMatchObject([{ name: "gpu", placement: "local", state: "unknown" }]);
    const { body: keyed } = await sim(KEYED).get("/health?detailed=true");
    expect(Object.keys(keyed).sort()).toEqual(plain);
    const { body: wrong } = await sim(KEYED).get("/health?detailed=true", "Bearer wrong");
    expect(Object.keys(wrong).sort()).toEqual(plain);
    const { body: holder } = await sim(KEYED).get("/health?detailed=true", `Bearer ${KEY}`);
    expect(holder["backends"]).toMatchObject([{ name: "gpu" }]);
    for (const query of ["", "?detailed=false", "?detailed", "?x=detailed=true"]) {
      expect(Object.keys((await sim().get(`/health${query}`)).body).sort()).toEqual(plain);
    }
  });
});
function requestLines(metrics: string): string[] {
  return metrics.split("\n").filter((line) => line.startsWith("gateway_requests_total{"));
}

test("time and what is in flight are as they are now", async () => {
  const { get, clock, ask } = sim(OPEN, () => flow([delta("he")], { then: "silence" }));
  await clock.advance(61_000);
  const response = await ask(chat({ model: "m", stream: true }));
  expect((await get("/health?detailed=true")).body).toMatchObject({
    ...{ status: "ok", uptime_seconds: 61, requests_in_flight: 1 },
  });
  await response.body?.cancel();
  expect((await get("/health?detailed=true")).body).toMatchObject({ requests_in_flight: 0 });
});

test("a backend that fails degrades health and not readiness; the process lives either way", async () => {
  const { get, ask } = sim(OPEN, () => refusal(500));
  await ask(chat({ model: "m" }));
  expect(await get("/health")).toMatchObject({ status: 200, body: { status: "degraded" } });
  expect((await get("/health?detailed=true")).body["backends"]).toMatchObject([
    { name: "gpu", state: "failing", fault: "server_error" },
  ]);
  expect(await get("/readyz")).toEqual({ status: 200, body: { status: "ready" } });
  expect(await get("/livez")).toEqual({ status: 200, body: { status: "alive" } });
});

test("once it drains, new requests are turned away everywhere but the process still lives", async () => {
  const { get, ask, gateway } = sim();
  gateway.governor.drain();
  expect(await get("/readyz")).toEqual({ status: 503, body: { status: "draining" } });
  expect(await get("/health")).toMatchObject({ status: 503, body: { status: "draining" } });
  expect((await get("/livez")).status).toBe(200);
  expect((await ask(chat({ model: "m" }))).status).toBe(503);
});

test("the admin listener is shown the same, and how many are in flight", async () => {
  const { gateway, ask, get } = sim(OPEN, () => flow([delta("he")], { then: "silence" }));
  const source = adminSource(gateway);
  const inFlight = () => /^gateway_requests_in_flight (\d+)$/m.exec(source.metrics())?.[1];
  expect(source.readiness()).toEqual({ status: "ready" });
  expect<unknown>(source.health(false)).toEqual((await get("/health")).body);
  expect(source.health(true)).toMatchObject({ backends: [{ name: "gpu" }] });
  expect(inFlight()).toBe("0");
  const response = await ask(chat({ model: "m", stream: true }));
  expect(inFlight()).toBe("1");
  await response.body?.cancel();
  expect(inFlight()).toBe("0");
});
