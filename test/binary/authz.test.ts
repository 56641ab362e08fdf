import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callPaths } from "../../src/ingress/calls.ts";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { COMPLETION, providerAt } from "./config.ts";
import { eventually, type Fleet, startFleet } from "./fleet.ts";

const APP = "app-key-0123456789abcdef";
const ENDED = "ended-key-0123456789abcdef";
const ACME = "acme-key-0123456789abcdef";
const GLOBEX = "globex-key-0123456789abcdef";
const OFF = "off-key-0123456789abcdef";
const ADMIN = "admin-token-0123456789abcdef";
const OWN = "sk-callers-own-key-0123456789";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
type Method = (typeof METHODS)[number];
interface Cell {
  readonly path: string;
  readonly method: Method;
  readonly headers: Readonly<Record<string, string>>;
}
type Identities = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What each path takes. Calls are the gateway's own list: a new one is in the matrix with it. */
const CALLS: readonly string[] = [
  ...callPaths("m"),
  ...["/v1/translate", "/mock/v1/chat/completions", "/mock/v1/anything", "/p/v1/chat/completions"],
  ...["/m/v1/messages", "/mock/x/v1/messages"],
];
const LISTS: readonly string[] = ["/v1/models", "/v1/models/m", "/v1beta/models"];
const OPEN: readonly string[] = ["/health", "/healthz", "/livez", "/live", "/readyz", "/ready"];
const NOTHING: readonly string[] = ["/", "/nope", "/admin/keys", "/metrics", "/dashboard", "/v1"];
const ADMIN_PATHS: readonly string[] = [
  ...["/admin/keys", "/admin/keys/0123456789abcdef", "/admin/keys/0123456789abcdef/rotate"],
  ...["/admin/denials", "/admin/denials/7", "/admin/audit", "/admin/audit/verify", "/admin/nope"],
  ...["/metrics", "/health?detailed=true"],
];

let upstream: Faultd;
let fleet: Fleet;
let home: string;
/** Who may not come in. */
let nobody: Identities;
/** Who may. */
let somebody: Identities;

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "interlock-authz-"));
  upstream = startFaultd(() => json(COMPLETION));
  const [seed, foreign, denied] = ["seed", "foreign", "denied.log"].map((name) => join(home, name));
  fleet = await startFleet({ config: { ...base(), keys: { app: { key: APP } } } });
  const pair = JSON.parse((await run("pair", "--private-key", seed!, "--json")).trim());
  await run("pair", "--private-key", foreign!);
  appendFileSync(denied!, "deny 66 fraud\n");
  const { public_key: key } = pair as { readonly public_key: string };
  const signed_keys = { public_keys: [{ kid: 1, key }], deny: { file: denied } };
  const config = { ...base(), signed_keys, ...keysAndTenants() };
  const server = { host: "127.0.0.1", port: fleet.port, metrics_port: adminPort() };
  await Bun.write(fleet.file, JSON.stringify({ telemetry: QUIET, ...config, server }));
  expect(await fleet.run("reload")).toMatchObject({ code: 0 });
  const mint = (tenant: number, by: string, kid = "1") =>
    run(
      ...["mint", "--kid", kid, "--tenant", String(tenant), "--vpc", "0"],
      ...["--private-key", by],
    );
  const signed = await mint(7, seed!);
  const stored = await run("create", "--name", "live");
  const revoked = await run("create", "--name", "revoked");
  await run("revoke", "revoked");
  nobody = {
    none: {},
    "an empty bearer": { authorization: "Bearer " },
    "another scheme": { authorization: `Basic ${btoa(`app:${APP}`)}` },
    "an AWS claim": {
      authorization: `AWS4-HMAC-SHA256 Credential=app/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=${"0".repeat(64)}`,
    },
    unknown: bearer("unknown-key-0123456789abcdef"),
    "a digest for a key": bearer(new Bun.CryptoHasher("sha256").update(APP).digest("hex")),
    "one character less": bearer(APP.slice(0, -1)),
    expired: bearer(ENDED),
    revoked: bearer(revoked),
    "a stored key of nobody": bearer(`ilk_0123456789abcdef_${"0".repeat(64)}`),
    "signed by another": bearer(await mint(7, foreign!)),
    "signed by a kid that is none": bearer(await mint(7, seed!, "2")),
    "signed, and cut": bearer(signed.slice(0, -2)),
    "of a denied tenant": bearer(await mint(66, seed!)),
    "of a tenant that is off": bearer(OFF),
    "an admin's token": { ...bearer(ADMIN), "x-admin-token": ADMIN },
    "its own for a provider": bearer(OWN),
    "a cookie": { cookie: `session=${APP}; authorization=Bearer ${APP}` },
    "from next door": { "x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1" },
    "beside a wrong one": { ...bearer(APP), "x-interlock-key": "wrong-0123456789abcdef" },
  };
  somebody = {
    configured: bearer(APP),
    stored: { "x-api-key": stored },
    signed: { "x-goog-api-key": signed },
    "a tenant's": bearer(ACME),
  };
  await eventually("the stored key is known", async () => {
    return (
      (await answerTo({ path: "/v1/models", method: "GET", headers: somebody["stored"]! }))
        .status === 200
    );
  });
}, 60_000);
afterAll(async () => {
  await fleet[Symbol.asyncDispose]();
  upstream.stop();
  rmSync(home, { recursive: true, force: true });
});

const QUIET = { logging: { level: "warn" } };
const adminPort = (): number => Number(new URL(fleet.adminOrigin).port);

function base() {
  return {
    privacy: { default: "shareable" },
    providers: { mock: providerAt(upstream) },
    models: { m: { provider: "mock" } },
    pools: { p: { members: [{ model: "m" }] } },
  };
}
function keysAndTenants() {
  const secret = { secret: { provider: "mock" } };
  return {
    keys: { app: { key: APP }, ended: { key: ENDED, expires: "2020-01-01" } },
    tenants: {
      acme: {
        ...{ models: secret, keys: { k: { key: ACME } }, own_keys: ["mock"] },
        pools: { hidden: { members: [{ model: "secret" }] } },
      },
      globex: { keys: { k: { key: GLOBEX } } },
      off: { enabled: false, keys: { k: { key: OFF } } },
    },
    admin: { tokens: { ops: { token: ADMIN } } },
  };
}

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await fleet.run("key", ...args);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

const BODY = {
  ...{ model: "m", max_tokens: 5, messages: [{ role: "user", content: "hi" }], input: "hi" },
  ...{ prompt: "hi", from: "openai", body: {}, query: "q", documents: ["d"], texts: ["t"] },
};

interface Seen {
  readonly status: number;
  readonly text: string;
}
async function answerTo(cell: Cell, origin = fleet.origin, body: object = BODY): Promise<Seen> {
  const { path, method, headers } = cell;
  const hasBody = method !== "GET" && method !== "HEAD";
  const answer = await fetch(origin + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(hasBody && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

/** Each cell in turn, so many at once. */
async function each(cells: readonly Cell[], judge: (cell: Cell) => Promise<void>): Promise<void> {
  const left = cells.values();
  const work = async () => {
    for (const cell of left) await judge(cell);
  };
  await Promise.all(Array.from({ length: 16 }, work));
}

/** Every path by every method. */
function cellsOf(paths: readonly string[], headers: Cell["headers"]): Cell[] {
  return paths.flatMap((path) => METHODS.map((method) => ({ path, method, headers })));
}

const shown = ({ path, method }: Cell, { status }: Seen) => `${method} ${path}: ${status}`;

describe("the data port", () => {
  test("serves nobody who has no key, whatever they show and ask", async () => {
    const open: string[] = [];
    let asked = 0;
    for (const [who, headers] of Object.entries(nobody)) {
      const isShut = who === "of a denied tenant" || who === "of a tenant that is off";
      await each(cellsOf([...CALLS, ...LISTS, ...NOTHING], headers), async (cell) => {
        const seen = await answerTo(cell);
        asked++;
        const own = LISTS.includes(cell.path) ? "GET" : "POST";
        const isOwn = cell.method === own && !NOTHING.includes(cell.path);
        // Bedrock's own word for a bad credential is 403.
        const wanted = isShut || cell.path.startsWith("/model/") ? 403 : 401;
        const isRight = isOwn ? seen.status === wanted : seen.status >= 400;
        if (!isRight) open.push(`${who}: ${shown(cell, seen)}`);
      });
    }
    expect(open).toEqual([]);
    expect(asked).toBeGreaterThan(6000);
    expect(upstream.received).toBe(0);
  }, 120_000);

  test("tells them that it lives, and no more", async () => {
    for (const [who, headers] of Object.entries(nobody)) {
      for (const path of [...OPEN, "/health?detailed=true"]) {
        const { status, text } = await answerTo({ path, method: "GET", headers });
        expect([who, path, status, text.includes("mock")]).toEqual([who, path, 200, false]);
      }
    }
  }, 60_000);

  test("knows whoever has one, at every path", async () => {
    const shut: string[] = [];
    for (const [who, headers] of Object.entries(somebody)) {
      const cells: readonly Cell[] = [
        ...CALLS.map((path) => ({ path, method: "POST" as const, headers })),
        ...LISTS.map((path) => ({ path, method: "GET" as const, headers })),
      ];
      await each(cells, async (cell) => {
        const seen = await answerTo(cell);
        if ([401, 402, 403].includes(seen.status)) shut.push(`${who}: ${shown(cell, seen)}`);
      });
    }
    expect(shut).toEqual([]);
    expect(upstream.received).toBeGreaterThan(0);
  }, 60_000);

  test("serves no tenant another's names, at any path", async () => {
    upstream.forget();
    const open: string[] = [];
    for (const name of ["secret", "hidden"]) {
      const paths = [
        ...callPaths(name),
        ...["/v1/chat/completions", "/v1/messages", "/v1/anything"].map(
          (rest) => `/${name}${rest}`,
        ),
        "/v1/translate",
      ];
      for (const headers of [bearer(GLOBEX), bearer(APP)]) {
        const cells = paths.map((path) => ({ path, method: "POST" as const, headers }));
        await each(cells, async (cell) => {
          const seen = await answerTo(cell, fleet.origin, { ...BODY, model: name });
          if (seen.status < 400 || seen.status === 403) open.push(shown(cell, seen));
        });
        const { status } = await answerTo({ path: `/v1/models/${name}`, method: "GET", headers });
        expect(status).toBe(404);
      }
    }
    expect(open).toEqual([]);
    expect(upstream.exchanges).toHaveLength(0);
    const own = { path: "/v1/chat/completions", method: "POST", headers: bearer(ACME) } as const;
    expect((await answerTo(own, fleet.origin, { ...BODY, model: "hidden" })).status).toBe(200);
  }, 60_000);
});

test("the admin port serves nobody but who has one of its tokens", async () => {
  const open: string[] = [];
  const { "an admin's token": _, ...others } = { ...nobody, ...somebody };
  for (const [who, headers] of Object.entries(others)) {
    await each(cellsOf(ADMIN_PATHS, headers), async (cell) => {
      const seen = await answerTo(cell, fleet.adminOrigin);
      const isOwn = cell.method === "GET" || cell.path.startsWith("/admin/");
      if (isOwn ? seen.status !== 401 : seen.status < 400)
        open.push(`${who}: ${shown(cell, seen)}`);
    });
  }
  expect(open).toEqual([]);
  const admin = { path: "/admin/keys", method: "GET", headers: bearer(ADMIN) } as const;
  expect((await answerTo(admin, fleet.adminOrigin)).status).toBe(200);
}, 60_000);
