import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ms } from "../../core/units.ts";
import type { Endpoint } from "./caller.ts";
import type { Child, Children } from "./children.ts";
import { exchange, freePort, getRequest } from "./exchange.ts";
import { UPSTREAM_MODEL } from "./payload.ts";
import { selfCommand } from "./self.ts";
import { delay } from "./wait.ts";

const READY_MS_MAX: Ms = 10_000;
const READY_POLL_MS: Ms = 5;
const KEY = "sk-bench-loopback-only";
const MODEL = "bench";

/** Interlock as a user runs it, in front of the mock. */
export interface GatewaySetting {
  readonly port: number;
  readonly metricsPort: number;
  readonly mockPort: number;
}

/**
 * Nothing is switched off for the measure: a virtual key with limits that are never reached, the
 * private class, a renamed model (so the request is spliced), usage asked for where the caller did
 * not, metrics on, log at its default.
 */
export function gatewayConfig({ port, metricsPort, mockPort }: GatewaySetting): string {
  return `server: { host: 127.0.0.1, port: ${port}, metrics_port: ${metricsPort}, workers: 1 }
privacy: { default: private }
metering: { include_usage: inject }
providers:
  mock: { protocol: openai, base_url: "http://127.0.0.1:${mockPort}/v1", placement: local }
models:
  ${MODEL}: { provider: mock, upstream_model: ${UPSTREAM_MODEL} }
keys:
  bench: { key: ${KEY}, privacy: private, allow: [${MODEL}], requests_per_minute: 1000000000,
           tokens_per_minute: 1000000000 }
`;
}

/** A place for the configuration and for whatever state the gateway keeps; removed at the end. */
export async function makeHome(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "interlock-bench-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A gateway that can be started, once, and where it will answer. */
export interface Launch {
  readonly endpoint: Endpoint;
  start(): Child;
}

export interface LaunchSetting {
  readonly children: Children;
  readonly home: string;
  readonly mockPort: number;
  readonly core: number | undefined;
}

/** `interlock start -c FILE` on a free port, with everything ready but the process. */
export async function prepareInterlock(setting: LaunchSetting): Promise<Launch> {
  const { children, home, mockPort, core } = setting;
  const port = freePort();
  const file = join(home, `${port}.yaml`);
  await Bun.write(file, gatewayConfig({ port, metricsPort: freePort(), mockPort }));
  const command = [...selfCommand(), "start", "-c", file];
  const options = { core, variables: [`INTERLOCK_STATE_DIR=${home}`] };
  return {
    endpoint: { host: "127.0.0.1", port, base: "/v1", key: KEY, model: MODEL },
    start: () => children.watch(command, options),
  };
}

/** The bare relay on a free port. Bun runs 256 requests at a time unless told before it starts. */
export function prepareRelay({ children, mockPort, core }: LaunchSetting): Launch {
  const port = freePort();
  const upstream = `http://127.0.0.1:${mockPort}`;
  const where = ["--attached", "--port", String(port), "--upstream", upstream];
  const command = [...selfCommand(), "bench-relay", ...where];
  const options = { core, variables: ["BUN_CONFIG_MAX_HTTP_REQUESTS=65535"] };
  return {
    endpoint: { host: "127.0.0.1", port, base: "/v1", key: KEY, model: MODEL },
    start: () => children.watch(command, options),
  };
}

/** The mock itself, as an endpoint like the others. */
export function directEndpoint(mockPort: number): Endpoint {
  return { host: "127.0.0.1", port: mockPort, base: "/v1", key: KEY, model: MODEL };
}

/** Waits until `path` answers; otherwise says why it never did, in the child's own words. */
export async function untilLive(
  child: Child,
  { host, port }: Endpoint,
  path: string,
): Promise<string | undefined> {
  let ended = false;
  void child.exited.then(() => (ended = true));
  const request = getRequest(`${host}:${port}`, path);
  for (let waited = 0; waited < READY_MS_MAX && !ended; waited += READY_POLL_MS) {
    const reply = await exchange({ host, port }, request, { timeoutMs: READY_MS_MAX });
    if (reply.status === 200) return undefined;
    await delay(READY_POLL_MS);
  }
  return `it did not come up: ${child.errors() || "it said nothing"}`;
}
