import { expect, test } from "bun:test";
import { discover } from "../../src/config/discover.ts";
import { assemble } from "../../src/gateway/assemble.ts";
import type { SessionOptions } from "../../src/runtime/runtime.ts";
import { SimClock } from "../sim/clock.ts";
import { chat, configOf, seededRandom, simGateway } from "../sim/gateway.ts";
import { simNetwork } from "../sim/network.ts";
import { backendOf, laneOf } from "../upstream/pieces.ts";

const YAML = `
providers:
  one: { protocol: openai, base_url: "http://127.0.0.1:8000/v1" }
  two: { protocol: openai, base_url: "http://127.0.0.1:8000/v1" }
  ext: { protocol: openai, base_url: "https://ext.example/v1", proxy: "http://proxy.example:3128" }
models: { m: { provider: one } }
`;

test("each backend has a way out of its own, two at one address included", () => {
  const sessions: SessionOptions[] = [];
  const network = simNetwork({ answer: () => new Response() });
  const session = (options: SessionOptions) => {
    sessions.push(options);
    return network.session(options);
  };
  const config = configOf(YAML);
  const log = { line() {}, flush: () => Promise.resolve() };
  const runtime = {
    clock: new SimClock(),
    random: seededRandom(1),
    network: { ...network, session },
    log,
  };
  const gateway = assemble(config, runtime, { logLinesDropped: () => 0 });
  expect(sessions.map(({ proxy }) => proxy?.href)).toEqual([
    undefined,
    undefined,
    "http://proxy.example:3128/",
  ]);
  const egresses = config.backends.map((backend) => gateway.egressOf(laneOf(backend)));
  expect(new Set(egresses.map(({ session: own }) => own)).size).toBe(3);
});

test("a backend that is not of this configuration has no way out", () => {
  const { gateway } = simGateway(configOf(YAML), simNetwork({ answer: () => new Response() }));
  const twin = laneOf(backendOf({ name: "one" }));
  expect(() => gateway.egressOf(twin)).toThrow("no egress for backend one");
});

test("the demo answers inside the process: nothing of a request meets the network", async () => {
  const found = await discover({ env: {}, probe: async () => undefined });
  if (!found.ok) throw new Error("nothing was found, not even the demo");
  const network = simNetwork({ answer: () => Response.json({}) });
  const response = await simGateway(found.config, network).ask(chat({ model: "m" }));
  expect([response.status, network.sent]).toEqual([200, []]);
});
