import { expect, test } from "bun:test";
import { parse } from "yaml";
import { freePort } from "../../../src/cli/bench/exchange.ts";
import { gatewayConfig } from "../../../src/cli/bench/gateway.ts";
import { resolve } from "../../../src/config/resolve.ts";

test("the gateway is measured with its key, its limits, its class and its metrics on", () => {
  const text = gatewayConfig({ port: 1001, metricsPort: 1002, mockPort: 1003 });
  expect(parse(text)).toEqual({
    server: { host: "127.0.0.1", port: 1001, metrics_port: 1002, workers: 1 },
    privacy: { default: "private" },
    metering: { include_usage: "inject" },
    providers: {
      mock: { protocol: "openai", base_url: "http://127.0.0.1:1003/v1", placement: "local" },
    },
    models: { bench: { provider: "mock", upstream_model: "bench-upstream" } },
    keys: {
      bench: {
        key: "sk-bench-loopback-only",
        privacy: "private",
        allow: ["bench"],
        requests_per_minute: 1_000_000_000,
        tokens_per_minute: 1_000_000_000,
      },
    },
  });
});

test("the gateway takes that configuration without an error", () => {
  const text = gatewayConfig({ port: 1001, metricsPort: 1002, mockPort: 1003 });
  const resolved = resolve(text, { path: "bench.yaml", env: {} });
  expect(resolved.ok ? [] : resolved.errors).toEqual([]);
});

test("a free port can be listened on", () => {
  const port = freePort();
  const listener = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
  expect(listener.port).toBe(port);
  listener.stop(true);
});
