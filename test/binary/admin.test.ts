import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { configFor } from "./config.ts";
import { missing, named, ownDatabase } from "./database.ts";
import { frozenLink } from "../state/keys/frozen-link.ts";
import { answersTo, eventuallyAll, newSigner, sample, type Signer } from "./denials.ts";
import { eventually, type Fleet, startFleet } from "./fleet.ts";

const ANSWER = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
};
const TOKEN = "admin-token-0123456789abcdef";
const VIEWER = "viewer-token-0123456789abcdef";
const upstream: Faultd = startFaultd(() => json(ANSWER));
let signer: Signer;
const folders: string[] = [];
beforeAll(async () => void (signer = await newSigner()));
afterAll(() => {
  upstream.stop();
  signer[Symbol.dispose]();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newState(): string {
  const folder = mkdtempSync(join(tmpdir(), "interlock-admin-"));
  folders.push(folder);
  return folder;
}

interface Node {
  readonly state: string;
  readonly workers?: number;
  readonly rest?: object;
  readonly env?: Readonly<Record<string, string>>;
}
function start({ state, workers = 2, rest, env }: Node): Promise<Fleet> {
  const config = { ...configFor({ upstream, models: ["m"] }), ...rest };
  return startFleet({ config, workers, env: { INTERLOCK_STATE_DIR: state, ...env } });
}

interface Told {
  readonly status: number;
  readonly body: {
    readonly id: string;
    readonly key: string;
    readonly keys: readonly { readonly id: string }[];
    readonly records: readonly { readonly action: string; readonly actor: string }[];
    readonly ok: boolean;
    readonly error: { readonly message: string };
  };
}

async function call(fleet: Fleet, line: string, body?: object, token = TOKEN): Promise<Told> {
  const [method = "", path = ""] = line.split(" ");
  const answer = await fetch(fleet.adminOrigin + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Told["body"] };
}

const ENV = { INTERLOCK_ADMIN_TOKEN: TOKEN };

describe("the admin API", () => {
  test.each([1, 2])(
    "makes, renews and ends keys that %d workers take, and each step is in the audit log",
    async (workers) => {
      const state = newState();
      await using fleet = await start({ state, workers, env: ENV });
      expect(await answersTo(fleet, "nothing-in-particular")).toEqual([200]); // It is open.
      expect((await call(fleet, "GET /admin/keys")).body.keys).toEqual([]);
      expect(await answersTo(fleet, "nothing-in-particular")).toEqual([200]); // And so it stays.
      const made = await call(fleet, "POST /admin/keys", {
        name: "ci",
        limits: { requests_per_minute: 10_000 },
      });
      expect(made.status).toBe(201);
      const { id, key } = made.body;
      await eventuallyAll(fleet, "nothing-in-particular", 401);
      await eventuallyAll(fleet, key, 200);
      const { body: renewed } = await call(fleet, `POST /admin/keys/${id}/rotate`, {
        overlap: "0",
      });
      await eventuallyAll(fleet, renewed.key, 200);
      await eventuallyAll(fleet, key, 401);
      const listed = await fleet.run("key", "list", "--json");
      expect(JSON.parse(listed.stdout)).toMatchObject([{ id, name: "ci", state: "active" }]);
      expect((await call(fleet, `DELETE /admin/keys/${id}`)).status).toBe(200);
      await eventuallyAll(fleet, renewed.key, 401);
      expect((await fleet.run("key", "create", "--name", "typed")).code).toBe(0);
      const told = JSON.parse((await fleet.run("audit", "list", "--json")).stdout);
      expect(told).toMatchObject([
        { action: "key.create", subject: id, actor: "api:INTERLOCK_ADMIN_TOKEN@127.0.0.1" },
        { action: "key.rotate", subject: id },
        { action: "key.revoke", subject: id },
        { action: "key.create", actor: expect.stringContaining("cli:") },
      ]);
      expect(JSON.stringify(told)).not.toContain("ilk_");
      expect((await call(fleet, "GET /admin/audit/verify")).body).toMatchObject({ ok: true });
      expect(await fleet.run("audit", "verify")).toMatchObject({ code: 0 });
    },
    60_000,
  );

  test("a row that is edited, removed or put elsewhere beside a running gateway is found", async () => {
    const state = newState();
    await using fleet = await start({ state, workers: 1, env: ENV });
    const names = ["a", "b", "c", "d"];
    for (const name of names) await call(fleet, "POST /admin/keys", { name });
    const tampered = async (...statements: readonly string[]) => {
      using db = new Database(join(state, "interlock.db"));
      db.run("PRAGMA busy_timeout = 5000");
      const rows = db.query("SELECT * FROM audit_log").values();
      for (const statement of statements) db.run(statement);
      const { code, stdout } = await fleet.run("audit", "verify", "--json");
      const api = await call(fleet, "GET /admin/audit/verify");
      db.run("DELETE FROM audit_log");
      const restore = db.query("INSERT INTO audit_log VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
      for (const row of rows) restore.run(...(row as string[]));
      return { code, ...JSON.parse(stdout), api: api.body.ok };
    };
    expect(await tampered()).toMatchObject({ code: 0, ok: true, api: true });
    for (const [statements, broken] of [
      [["UPDATE audit_log SET actor = 'nobody' WHERE seq = 2"], 2],
      [["UPDATE audit_log SET detail = '{}' WHERE seq = 4"], 4],
      [["DELETE FROM audit_log WHERE seq = 3"], 3],
      [["DELETE FROM audit_log WHERE seq = 4"], 4],
      [
        [
          "UPDATE audit_log SET seq = 9 WHERE seq = 1",
          "UPDATE audit_log SET seq = 1 WHERE seq = 2",
          "UPDATE audit_log SET seq = 2 WHERE seq = 9",
        ],
        1,
      ],
    ] as const) {
      const found = await tampered(...statements);
      expect(found).toMatchObject({ code: 1, ok: false, broken, sound: broken - 1, api: false });
    }
    expect(await tampered()).toMatchObject({ code: 0, ok: true });
  }, 60_000);

  test("without a token it is closed, and a new one counts from the reload on", async () => {
    const state = newState();
    const tokens = { ops: { token: TOKEN }, grafana: { token_env: "VIEWER", role: "viewer" } };
    const rest = { admin: { tokens } };
    await using fleet = await start({ state, rest, env: { VIEWER } });
    expect((await fetch(`${fleet.adminOrigin}/metrics`)).status).toBe(401);
    expect((await call(fleet, "GET /admin/keys", undefined, VIEWER)).status).toBe(200);
    expect((await call(fleet, "POST /admin/keys", { name: "x" }, VIEWER)).status).toBe(403);
    expect((await call(fleet, "GET /admin/keys", undefined, "wrong-token-0123456789")).status).toBe(
      401,
    );
    expect((await fetch(`${fleet.origin}/admin/keys`)).status).toBe(404); // Not on the data port.
    const tree = JSON.parse(await Bun.file(fleet.file).text());
    tree.admin = undefined;
    await Bun.write(fleet.file, JSON.stringify(tree));
    expect(await fleet.run("reload")).toMatchObject({ code: 0 });
    const closed = await call(fleet, "GET /admin/keys");
    expect([closed.status, closed.body.error.message]).toEqual([
      401,
      expect.stringContaining("INTERLOCK_ADMIN_TOKEN"),
    ]);
    expect((await fetch(`${fleet.adminOrigin}/metrics`)).status).toBe(200);
    await eventually("a record", async () => {
      const { stdout } = await fleet.run("audit", "list", "--json");
      return stdout.includes('"config.reload"') && stdout.includes('"cli:reload"');
    });
  }, 60_000);

  test("a change that cannot be written down is not made", async () => {
    const state = newState();
    await using fleet = await start({ state, workers: 1, env: ENV });
    await call(fleet, "POST /admin/keys", { name: "first" });
    using db = new Database(join(state, "interlock.db"));
    db.run("ALTER TABLE audit_log RENAME TO gone");
    const { status, body } = await call(fleet, "POST /admin/keys", { name: "second" });
    expect([status, body.error.message]).toEqual([503, expect.stringContaining("nothing was")]);
    db.run("ALTER TABLE gone RENAME TO audit_log");
    expect((await call(fleet, "GET /admin/keys?all=true")).body.keys.length).toBe(1);
    for (const name of readdirSync(state)) {
      const { mode } = statSync(join(state, name));
      if (name.endsWith(".sqlite")) expect(mode & 0o077).toBe(0);
    }
  }, 60_000);
});

describe("denials by the admin API", () => {
  const signed = () => ({ signed_keys: { public_keys: [{ kid: 1, key: signer.publicKey }] } });

  test("are in force in every worker, over a restart, and until they are taken back", async () => {
    const state = newState();
    const key = await signer.mint(7);
    await using fleet = await start({ state, rest: signed(), env: ENV });
    expect(await answersTo(fleet, key)).toEqual([200]);
    expect((await call(fleet, "PUT /admin/denials/7", { reason: "fraud" })).status).toBe(200);
    await eventuallyAll(fleet, key, 403);
    expect(await answersTo(fleet, await signer.mint(8))).toEqual([200]);
    expect((await fleet.run("restart")).code).toBe(0);
    expect(await answersTo(fleet, key)).toEqual([403]);
    await call(fleet, "PUT /admin/denials/7", { reason: "spend" });
    await eventuallyAll(fleet, key, 402);
    expect((await call(fleet, "DELETE /admin/denials/7")).status).toBe(200);
    await eventuallyAll(fleet, key, 200);
    const { records } = (await call(fleet, "GET /admin/audit")).body;
    expect(records.map(({ action }) => action)).toEqual(["deny.set", "deny.set", "deny.remove"]);
  }, 60_000);

  test.skipIf(missing !== undefined)(
    named("reach the other nodes of a database, as keys do"),
    async () => {
      await using database = await ownDatabase();
      const rest = { ...signed(), state: { database_url: "${PG}" } };
      const env = { ...ENV, PG: database.url };
      await using one = await start({ state: newState(), rest, env });
      await using two = await start({ state: newState(), rest, env });
      const [key, open] = [await signer.mint(7), await signer.mint(8)];
      await eventuallyAll(two, key, 200);
      await eventually("the schema", async () => {
        const { status } = await call(one, "PUT /admin/denials/7", { reason: "fraud" });
        return status === 200;
      });
      await eventuallyAll(one, key, 403);
      await eventuallyAll(two, key, 403);
      expect(await answersTo(two, open)).toEqual([200]);
      const { body } = await call(two, "POST /admin/keys", { name: "shared" });
      await eventuallyAll(one, body.key, 200);
      await call(one, `DELETE /admin/keys/${body.id}`);
      await eventuallyAll(two, body.key, 401);
      await call(two, "DELETE /admin/denials/7");
      await eventuallyAll(one, key, 200);
      const told = (await call(two, "GET /admin/audit")).body.records;
      const actions = told.map(({ action }) => action).filter((action) => action !== "migrate.run");
      expect(actions.slice(-4)).toEqual(["deny.set", "key.create", "key.revoke", "deny.remove"]);
      expect((await call(one, "GET /admin/audit/verify")).body.ok).toBe(true);
      const typed = await one.run("audit", "verify", "--database-url", database.url);
      expect(typed).toMatchObject({ code: 0 });
    },
    90_000,
  );

  test("a database that only a variable names shuts nobody out while it is away", async () => {
    const rest = { signed_keys: { ...signed().signed_keys, deny: { max_staleness_seconds: 1 } } };
    const env = { DATABASE_URL: "postgres://nobody@127.0.0.1:9/nothing" };
    await using fleet = await start({ state: newState(), workers: 1, rest, env });
    await eventually("longer than that", async () => {
      const away = await sample(fleet, 'gateway_deny_set_connected{source="admin"}');
      const health = (await fleet.health()) as unknown as { uptime_seconds: number };
      return away === 0 && health.uptime_seconds >= 3;
    });
    expect(await answersTo(fleet, await signer.mint(1))).toEqual([200]);
  }, 60_000);

  test.skipIf(missing !== undefined)(
    named("hold while the database is frozen, and nobody knows of new ones for so long"),
    async () => {
      await using database = await ownDatabase();
      using link = frozenLink(database.server);
      const deny = { max_staleness_seconds: 4 };
      const rest = {
        signed_keys: { ...signed().signed_keys, deny },
        state: { database_url: "${PG}" },
      };
      const env = { ...ENV, PG: database.through(link.port) };
      await using fleet = await start({ state: newState(), rest, env });
      const [key, open] = [await signer.mint(7), await signer.mint(8)];
      await eventually("the schema", async () => {
        const { status } = await call(fleet, "PUT /admin/denials/7", { reason: "fraud" });
        return status === 200;
      });
      await eventuallyAll(fleet, key, 403);
      expect(await answersTo(fleet, open)).toEqual([200]);
      link.freeze();
      expect((await call(fleet, "PUT /admin/denials/8", { reason: "spend" })).status).toBe(503);
      await eventuallyAll(fleet, open, 503);
      expect(await answersTo(fleet, key)).toEqual([403]);
      link.thaw();
      link.cut();
      await eventually("an answer", async () => {
        return (await call(fleet, "DELETE /admin/denials/7")).status === 200;
      });
      await eventuallyAll(fleet, key, 200);
    },
    90_000,
  );
});
