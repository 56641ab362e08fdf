import { Database } from "bun:sqlite";
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { factsIn } from "./books-trade.ts";
import { chatBody, COMPLETION, configFor } from "./config.ts";
import { eventually, type Fleet, startFleet } from "./fleet.ts";

// While usage cannot be written down: who may start, who is told, and what is in the books after.

const KEY = "sk-trouble-0123456789abcdef";
const upstream: Faultd = startFaultd(() => json(COMPLETION));
const cleanups: (() => void)[] = [];
afterEach(() => {
  upstream.forget();
  for (const clean of cleanups.splice(0).toReversed()) clean();
});
afterAll(() => upstream.stop());

/** A place for state, and a way to make its disk take nothing and take it again. */
interface Disk {
  readonly state: string;
  fail(): void;
  mend(): void;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "interlock-trouble-"));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const run = (...command: string[]) =>
  Bun.spawnSync(command, { stdout: "ignore", stderr: "ignore" });

function mount(path: string): boolean {
  if (process.getuid?.() !== 0 || Bun.which("mount") === null) return false;
  if (run("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", path).exitCode !== 0) return false;
  cleanups.push(() => void run("umount", "-l", path));
  return true;
}

/** A disk of 64 MB, which another program fills. */
function smallDisk(): Disk {
  const state = folder();
  if (!mount(state)) throw new Error("no tmpfs can be mounted");
  const filler = join(state, "filler");
  return {
    state,
    fail() {
      const file = openSync(filler, "w");
      for (const size of [1 << 20, 1 << 12, 1]) fillBy(file, size);
      closeSync(file);
    },
    mend: () => rmSync(filler),
  };
}

function fillBy(file: number, size: number): void {
  const bytes = new Uint8Array(size);
  try {
    while (writeSync(file, bytes) === size);
  } catch {
    // It is full, for writes of this size.
  }
}

/** A file that another program locks and does not let go. */
function lockedFile(): Disk {
  const state = folder();
  let holder: Database | undefined;
  const release = (): void => {
    holder?.close();
    holder = undefined;
  };
  cleanups.push(release);
  return {
    state,
    fail() {
      holder = new Database(join(state, "interlock.db"));
      holder.run("PRAGMA busy_timeout = 5000");
      holder.run("BEGIN IMMEDIATE");
    },
    mend: release,
  };
}

const canMount = ((): boolean => {
  const mounted = mount(folder());
  for (const clean of cleanups.splice(0).toReversed()) clean();
  return mounted;
})();

function start({ state }: Disk, rest: object): Promise<Fleet> {
  const base = configFor({ upstream, models: ["m"] });
  return startFleet({ config: { ...base, ...rest }, env: { INTERLOCK_STATE_DIR: state } });
}

function ask({ origin }: Fleet): Promise<Response> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${KEY}` };
  const url = `${origin}/v1/chat/completions`;
  return fetch(url, { method: "POST", headers, body: chatBody() });
}

/** Asks until it is so, counting what was answered. */
async function askUntil(fleet: Fleet, so: (answer: Response) => boolean | Promise<boolean>) {
  let served = 0;
  for (;;) {
    const answer = await ask(fleet);
    await answer.clone().arrayBuffer();
    if (answer.status === 200) served++;
    if (await so(answer)) return { served, answer };
  }
}

const stateOf = async (fleet: Fleet): Promise<string | undefined> =>
  /gateway_ledger_state\{state="(\w+)"\} 1\n/.exec(await fleet.metrics())?.[1];
/** Whether the first facts are written: from then on the file is there. */
const hasWritten = async (fleet: Fleet): Promise<boolean> =>
  /gateway_ledger_facts_written_total [1-9]/.test(await fleet.metrics());
const readiness = async ({ origin, adminOrigin }: Fleet): Promise<unknown[]> => {
  const answers = [await fetch(`${origin}/readyz`), await fetch(`${adminOrigin}/readyz`)];
  return Promise.all(answers.map(async (answer) => [answer.status, await answer.json()]));
};
const told = (status: number, said: string) => [status, { status: said }];

const keys = { app: { key: KEY } };
const troubles = [
  {
    what: "its disk is full",
    make: smallDisk,
    state: "full",
    said: "ledger_full",
    words: /ledger +its disk is full/,
    needsRoot: true,
  },
  {
    what: "another program locks it",
    make: lockedFile,
    state: "busy",
    said: "ledger_failing",
    words: /ledger +another program holds its file/,
  },
] as const;

describe.each(troubles)("while the ledger takes nothing as $what", (trouble) => {
  const { make, state, said, words } = trouble;
  const skip = "needsRoot" in trouble && !canMount;

  test.skipIf(skip)(
    "strict starts nothing for a key, says why, and goes on by itself",
    async () => {
      const disk = make();
      await using fleet = await start(disk, { keys });
      let served = (await askUntil(fleet, () => hasWritten(fleet))).served;
      expect(await readiness(fleet)).toEqual([told(200, "ready"), told(200, "ready")]);
      disk.fail();
      const refused = await askUntil(fleet, ({ status }) => status !== 200);
      served += refused.served;
      expect(refused.answer.status).toBe(503);
      expect(Number(refused.answer.headers.get("retry-after"))).toBeGreaterThan(0);
      const { error } = (await refused.answer.json()) as { error: { message: string } };
      expect(error.message).toContain("cannot account for usage now");
      expect(await stateOf(fleet)).toBe(state);
      expect(await readiness(fleet)).toEqual([told(503, said), told(503, said)]);
      expect((await fleet.health()).status).toBe("degraded");
      expect((await fleet.run("status")).stdout).toMatch(words);
      disk.mend();
      served += (await askUntil(fleet, ({ status }) => status === 200)).served;
      expect(await readiness(fleet)).toEqual([told(200, "ready"), told(200, "ready")]);
      await stop(fleet);
      expect(factsIn(disk.state).length).toBe(served);
    },
    60_000,
  );

  test.skipIf(skip)(
    "grace lets a key go on, and nothing of that is lost",
    async () => {
      const disk = make();
      const ledger = { on_failure: "grace", grace_seconds: 3600 };
      await using fleet = await start(disk, { keys, ledger });
      let served = (await askUntil(fleet, () => hasWritten(fleet))).served;
      disk.fail();
      served += (await askUntil(fleet, async () => (await stateOf(fleet)) === state)).served;
      for (let n = 0; n < 20; n++) served += Number((await ask(fleet)).status === 200);
      expect(await readiness(fleet)).toEqual([told(503, said), told(503, said)]);
      expect(served).toBeGreaterThanOrEqual(21);
      disk.mend();
      await eventually("the ledger takes facts", async () => (await stateOf(fleet)) === "ok");
      await stop(fleet);
      expect(factsIn(disk.state).length).toBe(served);
    },
    60_000,
  );

  test.skipIf(skip)(
    "where there are no keys everybody goes on",
    async () => {
      const disk = make();
      await using fleet = await start(disk, {});
      await askUntil(fleet, () => hasWritten(fleet));
      disk.fail();
      await askUntil(fleet, async () => (await stateOf(fleet)) === state);
      for (let n = 0; n < 20; n++) expect((await ask(fleet)).status).toBe(200);
      disk.mend();
    },
    60_000,
  );
});

describe("where state has no place", () => {
  const none: Disk = { state: "/dev/null/state", fail() {}, mend() {} };

  test("a ledger that was asked for lets no key start, and readiness says so", async () => {
    await using fleet = await start(none, { keys, ledger: { enabled: true } });
    expect((await ask(fleet)).status).toBe(503);
    const told = await fetch(`${fleet.origin}/readyz`);
    expect([told.status, await told.json()]).toEqual([503, { status: "ledger_failing" }]);
  });

  test("one that nobody asked for is not missed", async () => {
    await using fleet = await start(none, { keys });
    expect((await ask(fleet)).status).toBe(200);
    expect((await fetch(`${fleet.origin}/readyz`)).status).toBe(200);
  });
});

async function stop(fleet: Fleet): Promise<void> {
  process.kill(fleet.firstPid, "SIGTERM");
  expect(await fleet.exited).toBe(0);
}
