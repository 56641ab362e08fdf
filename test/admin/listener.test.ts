import { afterEach, expect, test } from "bun:test";
import { connect } from "node:net";
import { type AdminOptions, type AdminSource, startAdmin } from "../../src/admin/listener.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Log } from "../../src/runtime/runtime.ts";
import type { DetailedHealth, HealthDocument } from "../../src/telemetry/health.ts";

const TOKEN = "a-token-of-decent-length";
const BASIC: HealthDocument = { status: "ok", version: "0.1.0", uptime_seconds: 7 };
const DETAILED: DetailedHealth = {
  ...BASIC,
  requests_in_flight: 0,
  memory_bytes: 1,
  ledger: "off",
  backends: [],
};

function source(differs: Partial<AdminSource> = {}): AdminSource {
  return {
    metrics: () => "# HELP up Up.\n# TYPE up gauge\nup 1\n",
    health: (detailed) => (detailed ? DETAILED : BASIC),
    readiness: () => ({ status: "ready" }),
    ...differs,
  };
}

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

const adminOf = (token: string) =>
  ({ name: "ops", secret: new Secret(token), role: "admin" }) as const;

function options(differs: Partial<AdminOptions> = {}): AdminOptions {
  const log: Log = { line() {}, flush: () => Promise.resolve() };
  const host = "127.0.0.1";
  const rest = { tokens: () => [], desk: () => Promise.reject(new Error("no desk")) };
  return { ...rest, host, port: 0, allowedHosts: [], source: source(), log, ...differs };
}
function listen(differs: Partial<AdminOptions> = {}): { port: number; url: string } {
  const started = startAdmin(options(differs));
  if (started.kind === "refused") throw new Error(started.reason);
  running.push(started.stop);
  return { port: started.port, url: `http://127.0.0.1:${started.port}` };
}

/** Sends bytes as they are and returns all that comes back: fetch would tidy the request first. */
function raw(port: number, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let answer = "";
  const socket = connect(port, "127.0.0.1", () => socket.write(text));
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => (answer += chunk));
  socket.on("close", () => resolve(answer));
  socket.on("error", reject);
  return promise;
}
const statusOf = (answer: string): number => Number(answer.split(" ")[1]);
const get = (path: string, host: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

test("metrics are served as Prometheus wants them", async () => {
  const answer = await fetch(`${listen().url}/metrics`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
  expect(await answer.text()).toBe(await source().metrics());
});

test("health is plain unless details are asked for", async () => {
  const { url } = listen();
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ ...BASIC });
  expect(await (await fetch(`${url}/health?detailed=true`)).json()).toEqual({ ...DETAILED });
  expect(await (await fetch(`${url}/health?detailed=false`)).json()).toEqual({ ...BASIC });
  expect(await (await fetch(`${url}/livez`)).json()).toEqual({ status: "alive" });
  expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: "ready" });
});

test("while draining, health and readiness turn away and liveness does not", async () => {
  const { url } = listen({
    source: source({
      health: () => ({ ...BASIC, status: "draining" }),
      readiness: () => ({ status: "draining" }),
    }),
  });
  expect((await fetch(`${url}/health`)).status).toBe(503);
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  expect((await fetch(`${url}/livez`)).status).toBe(200);
});

test("every other path is a 404 in JSON, whatever its spelling", async () => {
  const { port } = listen();
  const near = ["/metrics/", "/Metrics", "//metrics", "/metrics%00", "/%6detrics", "/metrics;x"];
  for (const path of ["/", "/v1/models", "/healthz", "/?/metrics", ...near]) {
    const answer = await raw(port, get(path, "localhost"));
    expect([path, statusOf(answer)]).toEqual([path, 404]);
    expect(answer).toContain('{"error":{"type":"not_found"');
  }
});

test("only GET and HEAD are answered", async () => {
  const { url } = listen();
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const answer = await fetch(`${url}/metrics`, { method });
    expect([method, answer.status, answer.headers.get("allow")]).toEqual([
      method,
      405,
      "GET, HEAD",
    ]);
  }
  const head = await fetch(`${url}/metrics`, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
});

test("no answer may be sniffed, kept, or read by a page of another origin", async () => {
  const { url } = listen();
  for (const path of ["/metrics", "/health", "/livez", "/readyz", "/nothing"]) {
    const { headers } = await fetch(url + path, { headers: { origin: "https://evil.example" } });
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
    expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  }
});

test("a request that names another host is refused, so a rebound name learns nothing", async () => {
  const { port } = listen({ allowedHosts: ["gateway.example"] });
  const statuses = async (host: string) => statusOf(await raw(port, get("/metrics", host)));
  expect(await statuses("127.0.0.1")).toBe(200);
  expect(await statuses(`localhost:${port}`)).toBe(200);
  expect(await statuses("gateway.example")).toBe(200);
  expect(await statuses("evil.example")).toBe(421);
  expect(await statuses("a@b")).toBe(400);
  expect(await statuses("x/livez?")).toBe(400);
  const two = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n";
  expect(statusOf(await raw(port, two.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")))).toBe(
    400,
  );
});

test("an absolute target does not talk its way past the Host check", async () => {
  const { port } = listen();
  const absolute = get("http://127.0.0.1/metrics", "evil.example");
  expect(statusOf(await raw(port, absolute))).toBe(421);
});

test("with a token, metrics and details want it; plain health and probes do not", async () => {
  const { url } = listen({ tokens: () => [adminOf(TOKEN)] });
  const guarded = ["/metrics", "/health?detailed=true"];
  for (const path of guarded) {
    const closed = await fetch(url + path);
    expect([path, closed.status]).toEqual([path, 401]);
    expect(closed.headers.get("www-authenticate")).toStartWith("Bearer");
    const wrong = await fetch(url + path, { headers: { authorization: "Bearer wrong" } });
    expect(wrong.status).toBe(401);
    const open = await fetch(url + path, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(open.status).toBe(200);
    const own = await fetch(url + path, { headers: { "x-admin-token": TOKEN } });
    expect(own.status).toBe(200);
  }
  for (const path of ["/health", "/livez", "/readyz"]) {
    expect((await fetch(url + path)).status).toBe(200);
  }
});

test("without a token it listens on this machine only", () => {
  for (const host of ["0.0.0.0", "::", "192.168.1.10", "gateway.example", "127.0.0.1.example"]) {
    const started = startAdmin(options({ host }));
    if (started.kind === "listening") running.push(started.stop);
    expect([host, started.kind]).toEqual([host, "refused"]);
  }
});

test("a token too short to be one is refused rather than relied on", () => {
  for (const token of ["", "hunter2", "fifteen-letters"]) {
    const started = startAdmin(options({ tokens: () => [adminOf(token)] }));
    if (started.kind === "listening") running.push(started.stop);
    expect(started.kind).toBe("refused");
    expect(JSON.stringify(started)).not.toContain(token || "hunter2");
  }
});

test("a port in use is a refusal with a reason, not an exception", () => {
  const { port } = listen();
  const second = startAdmin(options({ port }));
  if (second.kind === "listening") running.push(second.stop);
  expect(second).toMatchObject({ kind: "refused", reason: expect.stringContaining("EADDRINUSE") });
});

test("a bug behind it shows nothing of itself, and is logged by its kind", async () => {
  const lines: unknown[] = [];
  const log: Log = { line: (...line) => void lines.push(line), flush: () => Promise.resolve() };
  const metrics = (): string => {
    throw new TypeError("sk-secret-123");
  };
  const answer = await fetch(`${listen({ log, source: source({ metrics }) }).url}/metrics`);
  expect(answer.status).toBe(500);
  expect(await answer.text()).toBe(
    '{"error":{"type":"internal_error","message":"Something went wrong here."}}',
  );
  expect(lines).toEqual([["error", "admin", "A request failed on a bug", { error: "TypeError" }]]);
});
