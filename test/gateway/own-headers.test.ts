import { describe, expect, test } from "bun:test";
import { chat, COMPLETION, completionStream, configOf, simGateway } from "../sim/gateway.ts";
import { simNetwork } from "../sim/network.ts";
import { type Behaviour, refusal, whole } from "../upstream/pieces.ts";

const YAML = `
providers:
  one: { protocol: openai, base_url: "http://127.0.0.1:8000/v1" }
  two: { protocol: openai, base_url: "http://127.0.0.2:8000/v1" }
models:
  a: { provider: one, upstream_model: real-a }
  b: { provider: two }
pools:
  all: { members: [{ model: a }, { model: b, priority: 1 }] }
`;
const LATENCY_MS = 40;

/** A gateway whose upstream takes its time, and then says what the host's behaviour is. */
function gatewayOf(behaviours: Readonly<Record<string, Behaviour>>, yaml = YAML) {
  const network = simNetwork({
    async answer(sent) {
      await sim.clock.advance(LATENCY_MS);
      const answer = await behaviours[new URL(sent.url).hostname]!(sent, 0);
      answer.headers.set("x-interlock-route", "forged");
      answer.headers.set("server-timing", "forged;dur=1");
      answer.headers.set("x-request-id", "forged-by-upstream");
      return answer;
    },
  });
  const sim = simGateway(configOf(yaml), network);
  return sim;
}
const answers: Behaviour = () => whole(JSON.stringify(COMPLETION));
const busy: Behaviour = () => refusal(503);
const FINE = { "127.0.0.1": answers, "127.0.0.2": answers };
const models = () =>
  new Request("http://127.0.0.1:8080/v1/models", { headers: { host: "127.0.0.1" } });

test("an answer says who it is, which way it came and where its time went", async () => {
  const { headers } = await gatewayOf(FINE).ask(chat({ model: "all" }));
  expect(headers.get("x-request-id")).toMatch(/^req_[0-9a-f]{24}$/);
  expect(headers.get("x-interlock-route")).toBe("all/a@one");
  expect(headers.get("server-timing")).toBe(`gateway;dur=0, upstream;dur=${LATENCY_MS}`);
});

test("a stream says so too, and is not to be kept or gathered by anybody in between", async () => {
  const streams: Behaviour = () => completionStream();
  const { ask } = gatewayOf({ "127.0.0.1": streams });
  const { headers, body } = await ask(chat({ model: "a", stream: true }));
  expect(Object.fromEntries(headers)).toMatchObject({
    "x-interlock-route": "a/a@one",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
    "content-type": "text/event-stream",
  });
  await body?.cancel();
});

test("an answer that took several attempts says how many, and only the last one's time is upstream's", async () => {
  const { headers } = await gatewayOf({ ...FINE, "127.0.0.1": busy }).ask(chat({ model: "all" }));
  expect(headers.get("x-interlock-route")).toBe("all/b@two; attempts=2");
  expect(headers.get("server-timing")).toBe(
    `gateway;dur=${LATENCY_MS}, upstream;dur=${LATENCY_MS}`,
  );
});

test("a refusal names itself and its time, and no way", async () => {
  const { headers, status } = await gatewayOf(FINE).ask(chat({ model: "unknown" }));
  expect(status).toBe(404);
  expect(headers.get("x-request-id")).toMatch(/^req_/);
  expect(headers.get("server-timing")).toBe("gateway;dur=0");
  expect(headers.has("x-interlock-route")).toBe(false);
});

describe("with stealth no answer carries a header of ours", () => {
  const hidden = `${YAML}stealth: true\n`;
  const ours = (headers: Headers) =>
    ["x-request-id", "server-timing", "x-interlock-route"].filter((name) => headers.has(name));
  test.each<[string, Readonly<Record<string, Behaviour>>, () => Request]>([
    ["a whole one", FINE, () => chat({ model: "all" })],
    [
      "a stream",
      { "127.0.0.1": () => completionStream() },
      () => chat({ model: "a", stream: true }),
    ],
    ["a failed-over one", { ...FINE, "127.0.0.1": busy }, () => chat({ model: "all" })],
    ["an upstream's refusal", { "127.0.0.1": () => refusal(400) }, () => chat({ model: "a" })],
    ["a refusal of ours", FINE, () => chat({ model: "unknown" })],
    ["the list of models", FINE, models],
  ])("%s", async (_, behaviours, request) => {
    const response = await gatewayOf(behaviours, hidden).ask(request());
    expect(ours(response.headers)).toEqual([]);
    const shown = await gatewayOf(behaviours).ask(request());
    expect(ours(shown.headers)).toContain("x-request-id");
    await Promise.all([response.body?.cancel(), shown.body?.cancel()]);
  });
});

test("once the process says goodbye, every answer asks for its connection to be closed", async () => {
  for (const yaml of [YAML, `${YAML}stealth: true\n`]) {
    const { gateway, ask } = gatewayOf(FINE, yaml);
    expect((await ask(chat({ model: "a" }))).headers.has("connection")).toBe(false);
    gateway.governor.sayGoodbye();
    for (const request of [chat({ model: "a" }), chat({ model: "unknown" }), models()]) {
      expect((await ask(request)).headers.get("connection")).toBe("close");
    }
  }
});
