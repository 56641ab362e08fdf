import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import fc from "fast-check";
import { adminHandler } from "../../src/admin/listener.ts";
import type { AdminDesk } from "../../src/admin/desk.ts";
import { Secret } from "../../src/core/secret.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import type { AuditRecord } from "../../src/state/audit/chain.ts";
import { fileKeyBook } from "../../src/state/keys/key-book.ts";
import { hasKeyFile } from "../../src/state/keys/key-file.ts";
import { memoryStore } from "../../src/state/store/memory-store.ts";
import { StoreError } from "../../src/state/store/sql.ts";
import type { Store } from "../../src/state/store/store.ts";
import { SimClock } from "../sim/clock.ts";
import { temporaryFolder } from "../state/store/engines.ts";

const ADMIN = "admin-token-0123456789";
const VIEWER = "viewer-token-0123456789";
const ACME = "acmes-token-0123456789";
const TOKENS = [
  { name: "ops", secret: new Secret(ADMIN), role: "admin" },
  { name: "grafana", secret: new Secret(VIEWER), role: "viewer" },
  { name: "acme", secret: new Secret(ACME), role: "admin", tenant: "acme" },
] as const;

interface Differs {
  readonly store?: string;
  readonly failing?: Store;
  readonly signed?: boolean;
}
function desk(differs: Differs = {}) {
  const folder = temporaryFolder();
  const clock = new SimClock();
  mkdirSync(folder.path, { recursive: true });
  const memory = memoryStore();
  const store = async (): Promise<Store | string> => differs.store ?? differs.failing ?? memory;
  const own: AdminDesk = {
    ...{ clock, node: "n", store, newId: () => systemRandom.hex(16) },
    keys: async (by) =>
      fileKeyBook({ directory: folder.path, random: systemRandom, by, audit: store }),
    denials: () => (differs.signed === false ? undefined : []),
  };
  const source = { metrics: () => "", health: () => never(), readiness: () => never() };
  const options = { source, allowedHosts: [], desk: async () => own };
  const handle = adminHandler({ ...options, tokens: () => TOKENS });
  const closed = adminHandler({ ...options, tokens: () => [] });
  const ask = async (line: string, body?: unknown, token: string | undefined = ADMIN) => {
    const [method = "", path = ""] = line.split(" ");
    const headers = new Headers({ host: "localhost" });
    if (token !== "") headers.set("authorization", `Bearer ${token}`);
    if (body !== undefined) headers.set("content-type", "application/json");
    const init = { method, headers, ...(body !== undefined && { body: textOf(body) }) };
    const request = new Request(`http://localhost${path}`, init);
    const answer = await handle(request, "127.0.0.1");
    const { status, headers: told } = answer;
    return { status, headers: told, body: (await answer.json()) as Answered };
  };
  const records = (): Promise<readonly AuditRecord[]> => memory.auditRecords(0, 100);
  return { ask, handle, closed, records, dir: folder.path, clock, [Symbol.dispose]: folder.remove };
}

/** Whatever an answer may say. */
interface Answered {
  readonly error: { readonly type: string; readonly message: string; readonly param?: string };
  readonly id: string;
  readonly key: string;
  readonly limits: object;
  readonly keys: readonly object[];
  readonly denials: readonly object[];
  readonly records: readonly object[];
}

function textOf(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}
function never(): never {
  throw new Error("nobody asks for this here");
}

const CALLS = [
  ["GET /admin/keys", "viewer"],
  ["POST /admin/keys", "admin"],
  ["GET /admin/keys/0123456789abcdef", "viewer"],
  ["DELETE /admin/keys/0123456789abcdef", "admin"],
  ["POST /admin/keys/0123456789abcdef/rotate", "admin"],
  ["GET /admin/denials", "viewer"],
  ["PUT /admin/denials/7", "admin"],
  ["DELETE /admin/denials/7", "admin"],
  ["GET /admin/audit", "viewer"],
  ["GET /admin/audit/verify", "viewer"],
] as const;

describe.each(CALLS)("%s", (line, role) => {
  test("is told to nobody without a token, and to nobody where there is none", async () => {
    using at = desk();
    for (const token of ["", "wrong-token-0123456789", `${ADMIN}x`]) {
      const { status, headers } = await at.ask(line, undefined, token);
      expect([status, headers.get("www-authenticate")]).toEqual([401, expect.any(String)]);
    }
    const [method = "", path] = line.split(" ");
    const headers = { host: "localhost", authorization: `Bearer ${ADMIN}` };
    const request = new Request(`http://localhost${path}`, { method, headers });
    const answer = await at.closed(request);
    expect([answer.status, await answer.text()]).toEqual([
      401,
      expect.stringContaining("INTERLOCK_ADMIN_TOKEN"),
    ]);
    expect(hasKeyFile(at.dir)).toBe(false);
  });

  test(`is for a ${role}`, async () => {
    using at = desk();
    const { status } = await at.ask(line, undefined, VIEWER);
    if (role === "admin") expect(status).toBe(403);
    else expect([200, 404]).toContain(status);
    expect(await at.records()).toEqual([]);
  });

  test("changes nothing where the state cannot be used", async () => {
    using at = desk({ store: "the disk is full" });
    const body = line.startsWith("PUT") ? { reason: "fraud" } : { name: "x" };
    const sends = line === "POST /admin/keys" || line.startsWith("PUT");
    const { status, body: answer } = await at.ask(line, sends ? body : undefined);
    if (line.startsWith("GET /admin/keys") || line.includes("/admin/keys/")) {
      expect([200, 404]).toContain(status); // It has no key to be changed.
    } else {
      expect([status, answer.error.message]).toEqual([
        503,
        expect.stringContaining("disk is full"),
      ]);
    }
    expect(hasKeyFile(at.dir)).toBe(false);
  });
});

test("a token of one tenant is for nothing but that tenant's keys", async () => {
  using at = desk();
  const make = async (name: string, tenant?: string, token = ADMIN) =>
    at.ask("POST /admin/keys", { name, ...(tenant !== undefined && { tenant }) }, token);
  const { id: others } = (await make("k", "globex")).body;
  const { id: nobodys } = (await make("k")).body;
  const { id: theirs } = (await make("k", "acme")).body;
  const own = await make("made", undefined, ACME);
  expect(own).toMatchObject({ status: 201, body: { tenant: "acme" } });
  expect((await make("made", "globex", ACME)).status).toBe(400);
  const ids = async (line: string) =>
    (await at.ask(line, undefined, ACME)).body.keys.map((key) => (key as { id: string }).id);
  const wanted = [theirs, own.body.id].toSorted();
  expect((await ids("GET /admin/keys?all=true")).toSorted()).toEqual(wanted);
  expect(await ids("GET /admin/keys?tenant=globex")).toEqual([]);

  const before = await at.records();
  for (const id of [others, nobodys, "k", "0123456789abcdef"]) {
    for (const [line, body] of [
      [`GET /admin/keys/${id}`, undefined],
      [`DELETE /admin/keys/${id}`, undefined],
      [`POST /admin/keys/${id}/rotate`, {}],
    ] as const) {
      const { status, body: told } = await at.ask(line, body, ACME);
      expect([line, status, told.error.message]).toEqual([line, 404, `There is no key ${id}.`]);
    }
  }
  for (const [line] of CALLS.filter((each) => !each[0].includes("/admin/keys"))) {
    expect([line, (await at.ask(line, { reason: "fraud" }, ACME)).status]).toEqual([line, 403]);
  }
  for (const path of ["/metrics", "/health?detailed=true"]) {
    const headers = { host: "localhost", authorization: `Bearer ${ACME}` };
    expect((await at.handle(new Request(`http://localhost${path}`, { headers }))).status).toBe(403);
  }
  expect(await at.records()).toEqual(before);
  expect((await at.ask(`POST /admin/keys/${theirs}/rotate`, {}, ACME)).status).toBe(200);
  expect((await at.ask(`DELETE /admin/keys/${theirs}`, undefined, ACME)).status).toBe(200);
});

test("a key's life, each step written down by whose token it was", async () => {
  using at = desk();
  const limits = {
    requests_per_minute: 60,
    budget: { usd: 2.5, period: "daily" },
    privacy: "private",
    allow: ["fast"],
  };
  const made = await at.ask("POST /admin/keys", {
    name: "ci",
    tenant: "acme",
    expires: "90d",
    limits,
  });
  expect(made.status).toBe(201);
  const { key, id } = made.body;
  expect(key).toMatch(/^ilk_[0-9a-f]{16}_[0-9a-f]{64}$/);
  expect(made.body.limits).toEqual({ ...limits, budget: { usd: "2.50", period: "daily" } });
  expect((await at.ask("GET /admin/keys")).body.keys).toMatchObject([{ id, state: "active" }]);
  const rotated = await at.ask(`POST /admin/keys/${id}/rotate`, { overlap: "1h" });
  expect(rotated.body).toMatchObject({ id, overlap_ends: "2030-01-01T01:00:00Z" });
  expect(rotated.body.key).not.toBe(key);
  expect((await at.ask(`GET /admin/keys/${id}`)).body).toMatchObject({ id, secrets: 2 });
  expect((await at.ask(`DELETE /admin/keys/${id}`)).body).toEqual<object>({ id, revoked: true });
  expect((await at.ask(`DELETE /admin/keys/${id}`)).status).toBe(409);
  expect((await at.ask(`POST /admin/keys/${id}/rotate`)).status).toBe(409);
  expect((await at.ask("GET /admin/keys")).body.keys).toEqual([]);
  const all = await at.ask("GET /admin/keys?all=true&tenant=acme");
  expect(all.body.keys).toMatchObject([{ id, state: "revoked" }]);
  const told = (await at.ask("GET /admin/audit?limit=10", undefined, VIEWER)).body.records;
  expect(told).toMatchObject(
    ["key.create", "key.rotate", "key.revoke"].map((action) => ({
      ...{ action, subject: id, actor: "api:ops@127.0.0.1" },
    })),
  );
  expect(JSON.stringify(told)).not.toContain(key);
  expect((await at.ask("GET /admin/audit/verify")).body).toMatchObject({ ok: true, sound: 3 });
});

test.each([
  [{}, "name"],
  [{ name: "a b" }, "name"],
  [{ name: "x", limit: {} }, "limit"],
  [{ name: "x", limits: { requests_per_minute: 0 } }, "limits.requests_per_minute"],
  [{ name: "x", limits: { rpm: 1 } }, "limits.rpm"],
  [{ name: "x", limits: { budget: {} } }, "limits.budget"],
  [{ name: "x", limits: { budget: { usd: "many" } } }, "limits.budget.usd"],
  [{ name: "x", limits: { budget: { usd: 1, period: "often" } } }, "limits.budget.period"],
  [{ name: "x", limits: { privacy: "public" } }, "limits.privacy"],
  [{ name: "x", limits: { allow: [] } }, "limits.allow"],
  [{ name: "x", expires: "soon" }, "expires"],
  [{ name: "x", expires: "2001-01-01" }, "expires"],
  [{ name: "x", expires: "14285700w" }, "expires"],
  ['{"name":"x","__proto__":{"a":1}}', "__proto__"],
  ["[]", undefined],
  ["{", undefined],
])("%j makes no key, and %p is named", async (body, param) => {
  using at = desk();
  const { status, body: answer } = await at.ask("POST /admin/keys", body);
  expect([status, answer.error.type, answer.error.param]).toEqual([
    ...[400, "invalid_request", param],
  ]);
  expect(hasKeyFile(at.dir)).toBe(false);
  expect(await at.records()).toEqual([]);
});

test("a tenant is denied by its number and a word, and restored", async () => {
  using at = desk();
  expect((await at.ask("PUT /admin/denials/7", { reason: "fraud" })).status).toBe(200);
  const most = String(2n ** 64n - 1n);
  expect((await at.ask(`PUT /admin/denials/${most}`, { reason: "spend" })).status).toBe(200);
  expect((await at.ask("GET /admin/denials")).body.denials).toEqual(
    expect.arrayContaining([
      { tenant: "7", reason: "fraud" },
      { tenant: most, reason: "spend" },
    ]),
  );
  expect((await at.ask("DELETE /admin/denials/7")).body).toEqual<object>({
    tenant: "7",
    denied: false,
  });
  expect((await at.ask("DELETE /admin/denials/7")).status).toBe(404);
  expect((await at.records()).map(({ action, subject }) => [action, subject])).toEqual([
    ["deny.set", "7"],
    ["deny.set", most],
    ["deny.remove", "7"],
  ]);
  for (const wrong of ["x", "-1", "07", String(2n ** 64n), "1.5"]) {
    expect((await at.ask(`PUT /admin/denials/${wrong}`, { reason: "fraud" })).status).toBe(400);
  }
  for (const body of [{}, { reason: "bad mood" }, { reason: "spend", more: 1 }]) {
    expect((await at.ask("PUT /admin/denials/8", body)).status).toBe(400);
  }
});

test.each(["deadline", "full"] as const)(
  "a state that fails with %s says what is known",
  async (kind) => {
    const fails = (): never => {
      throw new StoreError(kind, "it does not go");
    };
    using at = desk({
      failing: { ...memoryStore(), engine: "memory", append: fails, view: fails },
    });
    const { status, body } = await at.ask("PUT /admin/denials/7", { reason: "fraud" });
    const known = kind === "deadline" ? "is not known" : "nothing was changed";
    expect([status, body.error.message]).toEqual([503, expect.stringContaining(known)]);
  },
);

test("where no signed keys are taken nobody is told that a tenant is shut out", async () => {
  using at = desk({ signed: false });
  expect((await at.ask("PUT /admin/denials/7", { reason: "fraud" })).status).toBe(409);
  expect(await at.records()).toEqual([]);
});

test("other paths and methods are none of ours, and a form is no JSON", async () => {
  using at = desk();
  expect((await at.ask("GET /admin/")).status).toBe(404);
  expect((await at.ask("GET /admin/keys/a/b")).status).toBe(404);
  const wrong = await at.ask("PATCH /admin/keys");
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, POST"]);
  const request = new Request("http://localhost/admin/keys", {
    method: "POST",
    headers: { host: "localhost", "x-admin-token": ADMIN, "content-type": "text/plain" },
    body: '{"name":"x"}',
  });
  expect((await at.handle(request)).status).toBe(415);
  expect(hasKeyFile(at.dir)).toBe(false);
});

test("whatever is asked is answered in JSON, and no bug shows", async () => {
  const part = fc.oneof(
    fc.constantFrom("keys", "denials", "audit", "verify", "rotate", "7", "0123456789abcdef", "%"),
    fc.stringMatching(/^[!-~]{0,12}$/).map((text) => text.replaceAll(/[?#\\]/g, "")),
  );
  const path = fc.array(part, { maxLength: 4 }).map((parts) => `/admin/${parts.join("/")}`);
  const query = fc.constantFrom(
    "",
    "?after=x",
    "?limit=-1",
    "?limit=9e9",
    "?anchor=1",
    "?all=true",
  );
  const limits = fc.record(
    { requests_per_minute: fc.jsonValue(), budget: fc.jsonValue(), allow: fc.jsonValue() },
    { requiredKeys: [] },
  );
  const body = fc.oneof(
    fc.jsonValue(),
    fc.string(),
    fc.record(
      { name: fc.oneof(fc.string(), fc.jsonValue()), expires: fc.jsonValue(), limits },
      { requiredKeys: [] },
    ),
    fc.record({ reason: fc.oneof(fc.constant("fraud"), fc.jsonValue()) }),
    fc.record({ overlap: fc.oneof(fc.constant("1h"), fc.string()) }),
  );
  const method = fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD");
  using at = desk();
  await fc.assert(
    fc.asyncProperty(method, path, query, body, async (how, where, asked, sent) => {
      const has = how !== "GET" && how !== "HEAD";
      const { status, headers } = await at.ask(`${how} ${where}${asked}`, has ? sent : undefined);
      expect([where, status]).toEqual([where, expect.any(Number)]);
      expect(status).toBeLessThan(500);
      expect(headers.get("cache-control")).toBe("no-store");
    }),
    { numRuns: 300 },
  );
  expect((await at.ask("GET /admin/audit/verify")).body).toMatchObject({ ok: true });
});
