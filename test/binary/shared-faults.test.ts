import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL } from "bun";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { type FrozenLink, frozenLink } from "../state/keys/frozen-link.ts";
import { chatBody, COMPLETION, configFor } from "./config.ts";
import { missing, named, type OwnDatabase, ownDatabase, POSTGRES_URL } from "./database.ts";
import { type Binary, isFull, startBinary } from "./harness.ts";

const upstream: Faultd = startFaultd(() => json(JSON.parse(COMPLETION)));
const folders: string[] = [];
afterAll(() => {
  upstream.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
const program = process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock");
const KEY = "sk-shared-faults-0123456789abcdef";
const SOON_MS = 60_000;
/** Half of the shortest deadline of the database: an answer that waited for it would take longer. */
const WAITED_MS = 2000;

interface World {
  readonly database: OwnDatabase;
  readonly link: FrozenLink;
  /** One statement as who owns the server. */
  admin(text: string): Promise<void>;
}
interface Fault {
  readonly name: string;
  break(world: World): Promise<void> | void;
  mend(world: World): Promise<void> | void;
  /** Whether a node is to notice; a slow database may be kept up with. */
  readonly isTold: boolean;
}

const nameOf = ({ database }: World): string => new URL(database.url).pathname.slice(1);
const kick = (world: World): Promise<void> =>
  world.admin(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${nameOf(world)}'`,
  );
const slowness = { timer: undefined as Timer | undefined };

const FAULTS: readonly Fault[] = [
  {
    name: "it is frozen",
    break: ({ link }) => link.freeze(),
    mend: ({ link }) => link.thaw(),
    isTold: true,
  },
  {
    name: "the link drops everything and loses its connections",
    break: ({ link }) => {
      link.freeze();
      link.cut();
    },
    mend: ({ link }) => {
      link.thaw();
      link.cut();
    },
    isTold: true,
  },
  {
    name: "it answers half a second late, always",
    break: ({ link }) => {
      let isFrozen = false;
      slowness.timer = setInterval(() => {
        isFrozen = !isFrozen;
        if (isFrozen) link.freeze();
        else link.thaw();
      }, 500);
    },
    mend: ({ link }) => {
      clearInterval(slowness.timer);
      link.thaw();
    },
    isTold: false,
  },
  {
    name: "it lets nobody in",
    async break(world) {
      await world.admin(`ALTER DATABASE ${nameOf(world)} ALLOW_CONNECTIONS false`);
      await kick(world);
    },
    mend: (world) => world.admin(`ALTER DATABASE ${nameOf(world)} ALLOW_CONNECTIONS true`),
    isTold: true,
  },
  {
    name: "it can be read only",
    async break(world) {
      await world.admin(`ALTER DATABASE ${nameOf(world)} SET default_transaction_read_only = on`);
      await kick(world);
    },
    async mend(world) {
      await world.admin(`ALTER DATABASE ${nameOf(world)} SET default_transaction_read_only = off`);
      await kick(world);
    },
    isTold: true,
  },
  {
    name: "its tables are gone for a while",
    async break(world) {
      await own(world, "ALTER TABLE event_log RENAME TO event_log_then");
      await own(world, "ALTER TABLE usage_fact RENAME TO usage_fact_then");
    },
    async mend(world) {
      await own(world, "ALTER TABLE event_log_then RENAME TO event_log");
      await own(world, "ALTER TABLE usage_fact_then RENAME TO usage_fact");
    },
    isTold: true,
  },
  {
    name: "its connections are ended again and again",
    async break(world) {
      for (let count = 0; count < 5; count++) await kick(world);
    },
    mend: kick,
    isTold: false,
  },
];

async function own({ database }: World, text: string): Promise<void> {
  const sql = new SQL(database.url, { max: 1 });
  await sql.unsafe(text);
  await sql.close({ timeout: 0 });
}

async function key(url: string, ...args: readonly string[]): Promise<string> {
  const env = { PATH: "/usr/bin:/bin", HOME: tmpdir() };
  const child = Bun.spawn([program, "key", ...args, "--database-url", url], {
    env,
    stderr: "ignore",
  });
  const out = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(`key ${args.join(" ")} failed`);
  return out.trim();
}

async function ask({ origin }: Binary, secret: string): Promise<number> {
  const answer = await fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
    body: chatBody({ max_tokens: 5 }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

async function soon(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const from = performance.now(); performance.now() - from < SOON_MS;) {
    if (await holds()) return;
    await Bun.sleep(20);
  }
  throw new Error(`it did not come to pass: ${what}`);
}

async function standing({ adminOrigin }: Binary): Promise<Record<string, unknown>> {
  const answer = await fetch(`${adminOrigin}/readyz`);
  expect(answer.status).toBe(200); // Whatever the database does, nobody is turned away.
  return ((await answer.json()) as { database: Record<string, unknown> }).database;
}

async function factsIn(url: string): Promise<number> {
  const sql = new SQL(url, { max: 1 });
  const [row] = await sql.unsafe("SELECT count(*)::int AS n FROM usage_fact");
  await sql.close({ timeout: 0 });
  return row.n;
}

/** Two of them each day; all of them when asked for. */
const today = Math.floor(Date.now() / 86_400_000);
const chosen = isFull ? FAULTS : [0, 3].map((step) => FAULTS[(today + step) % FAULTS.length]!);

describe.skipIf(missing !== undefined)(named("a node whose database fails"), () => {
  test.each(chosen)(
    "$name: it serves on at once, loses no fact, and is in step when that is over",
    async (fault) => {
      await using database = await ownDatabase();
      using link = frozenLink(database.server);
      const server = new SQL(POSTGRES_URL ?? "", { max: 1 });
      const world: World = {
        database,
        link,
        admin: async (text) => void (await server.unsafe(text)),
      };
      const state = mkdtempSync(join(tmpdir(), "interlock-faults-"));
      folders.push(state);
      const rest = {
        keys: { app: { key: "${APP_KEY}", budget: { tokens: 1_000_000, period: "monthly" } } },
        state: { database_url: "${PG}" },
      };
      const config = configFor({ upstream, models: ["m"], rest });
      const env = { INTERLOCK_STATE_DIR: state, PG: database.through(link.port), APP_KEY: KEY };
      await using running = await startBinary({ config, env });
      const stored = await key(database.url, "create", "--name", "stored");
      await soon("the key is known", async () => (await ask(running, stored)) === 200);
      await soon("in step", async () => (await standing(running))["status"] === "in_step");
      const before = await factsIn(database.url);
      await soon("a share is held", async () => (await ask(running, KEY)) === 200);

      await fault.break(world);
      let slowest = 0;
      const serve = async (times: number): Promise<void> => {
        for (let count = 0; count < times; count++) {
          const from = performance.now();
          const statuses = [await ask(running, KEY), await ask(running, stored)];
          slowest = Math.max(slowest, performance.now() - from);
          expect(statuses).toEqual([200, 200]);
        }
      };
      await serve(50);
      if (fault.isTold) {
        await soon("told", async () => (await standing(running))["status"] === "behind");
      }
      await serve(50);
      expect(slowest).toBeLessThan(WAITED_MS);
      console.log(`${fault.name}: slowest pair of answers ${Math.round(slowest)} ms`);

      await fault.mend(world);
      await soon("in step again", async () => (await standing(running))["status"] === "in_step");
      await soon("every fact", async () => (await factsIn(database.url)) >= before + 201);
      const late = await key(database.url, "create", "--name", "late");
      await soon("what is set there", async () => (await ask(running, late)) === 200);
      await server.close({ timeout: 0 });
    },
    180_000,
  );
});
