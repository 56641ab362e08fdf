import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { EMBEDDED } from "../state/migrations/embedded.ts";
import {
  type MigrationFile,
  newMigrationFiles,
  readMigrationFiles,
} from "../state/migrations/files.ts";
import { type Outcome, revert, run, status, type Step } from "../state/migrations/migrate.ts";
import type { Migration } from "../state/migrations/migration.ts";
import { openState, openStateToRead, type StatePlace } from "../state/store/open.ts";
import { type Sql, StoreError } from "../state/store/sql.ts";
import { sqlStore } from "../state/store/sql-store.ts";
import { misread } from "./arguments.ts";
import { textTable } from "./bench/text-table.ts";
import { ledgerMeant } from "./cost-ledger.ts";
import { DATABASE_OPTIONS, type DatabaseOptions } from "./database.ts";
import { EXIT, type Io } from "./io.ts";
import { whoami } from "./place.ts";

const USAGE = `Usage: interlock migrate run | revert [--steps N] [--force] | status | create NAME

The schema of the state database: the SQLite file in the state directory, or a Postgres.

  run               Apply what is pending
  revert            Take the last step back, or the last N; --force also where it holds data
  status            Where every step stands
  create NAME       Write two empty files for a step of your own

      --database-url URL  A Postgres instead of the SQLite file
  -c, --config FILE       The one that this file names
      --state-dir DIR     Where the SQLite file and your own steps are
      --json              For machines
`;

interface Request extends DatabaseOptions {
  readonly part: "run" | "revert" | "status" | "create";
  readonly name: string | undefined;
  readonly steps: number;
  readonly force: boolean;
  readonly json: boolean;
  readonly stateDir: string | undefined;
}

/** `interlock migrate …`: the same steps for both engines. */
export async function migrate(argv: readonly string[], io: Io, place: StatePlace): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    io.stdout(USAGE);
    return EXIT.ok;
  }
  const request = readRequest(argv);
  if (typeof request === "string") {
    io.stderr(`interlock: ${request}\n${USAGE}`);
    return EXIT.usage;
  }
  const at = await ledgerMeant(place, request, io);
  if (typeof at === "string") {
    io.stderr(`interlock: ${at}\n`);
    return EXIT.failed;
  }
  if (request.part === "create") return create(request, io, at);
  const known = await knownMigrations(at.dir);
  if (typeof known === "string") {
    io.stderr(`interlock: ${known}\n`);
    return EXIT.failed;
  }
  try {
    if (request.part === "status") return await showStatus(request, io, { at, known });
    return await change(request, io, { at, known });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    io.stderr(`interlock: the database cannot be used: ${error.message}\n`);
    return EXIT.failed;
  }
}

function readRequest(argv: readonly string[]): Request | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: {
        steps: { type: "string", default: "1" },
        force: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        ...DATABASE_OPTIONS,
        "state-dir": { type: "string" },
      },
      strict: true,
      allowPositionals: true,
    });
    const [word, name, more] = positionals;
    const part = PARTS.find((each) => each === word);
    if (part === undefined) return word === undefined ? "a part is missing" : `no part '${word}'`;
    if (more !== undefined || (name !== undefined && part !== "create")) {
      return `${more ?? name} is too much`;
    }
    if (part === "create" && name === undefined) return "create needs a name";
    const steps = /^[1-9]\d{0,3}$/.test(values.steps) ? Number(values.steps) : undefined;
    if (steps === undefined) return `--steps ${values.steps} is no number of steps`;
    const { force, json } = values;
    const { config, "database-url": url, "state-dir": stateDir } = values;
    return { part, name, steps, force, json, config, "database-url": url, stateDir };
  } catch (error) {
    return misread(error);
  }
}

const PARTS = ["run", "revert", "status", "create"] as const;

interface Target {
  readonly at: StatePlace;
  readonly known: readonly Migration[];
}

async function showStatus({ json }: Request, io: Io, { at, known }: Target): Promise<number> {
  const sql = openStateToRead(at);
  const steps = sql === undefined ? pendingAll(known) : await using(sql, () => status(sql, known));
  if (json) {
    const rows = steps.map(({ version, name, state, appliedAt }) => ({
      ...{ version, name, state },
      applied_at: appliedAt === undefined ? null : new Date(appliedAt).toISOString(),
    }));
    io.stdout(`${JSON.stringify(rows)}\n`);
  } else {
    io.stdout(statusTable(steps));
  }
  const isSound = steps.every(({ state }) => state === "applied" || state === "pending");
  return isSound ? EXIT.ok : EXIT.failed;
}

function pendingAll(known: readonly Migration[]): readonly Step[] {
  return known.map(({ version, name }) => ({
    ...{ version, name, state: "pending", appliedAt: undefined },
  }));
}

function statusTable(steps: readonly Step[]): string {
  const rows = steps.map(({ version, name, state, appliedAt }) => [
    `${version} ${name}`,
    state === "foreign" ? "unknown to this program" : state,
    appliedAt === undefined ? "" : new Date(appliedAt).toISOString(),
  ]);
  return textTable(["migration", "state", "applied"], rows);
}

async function change(request: Request, io: Io, { at, known }: Target): Promise<number> {
  const sql = openState(at);
  const outcome = await using(sql, async () => {
    const done = await (request.part === "run"
      ? run(sql, known, { wall: at.clock.wall() })
      : revert(sql, known, { steps: request.steps, force: request.force }));
    if (done.ok && done.steps.length > 0) await writeDown(sql, { part: request.part, done, at });
    return done;
  });
  if (!outcome.ok) {
    io.stderr(`interlock: ${outcome.why}\n`);
    return EXIT.failed;
  }
  io.stdout(request.json ? jsonOf(outcome) : textOf(outcome, request.part));
  return EXIT.ok;
}

type Done = Extract<Outcome, { readonly ok: true }>;

interface Changed {
  readonly part: Request["part"];
  readonly done: Done;
  readonly at: StatePlace;
}

/** Puts it into the audit log, unless that is what was taken back. */
async function writeDown(sql: Sql, { part, done, at }: Changed): Promise<void> {
  const has = await status(sql, EMBEDDED);
  if (has.find(({ name }) => name === AUDIT_STEP)?.state !== "applied") return;
  await sqlStore(sql, { node: "" }).audit({
    at: Math.floor(at.clock.wall()),
    actor: whoami(),
    action: `migrate.${part}`,
    subject: "schema",
    detail: JSON.stringify({ steps: done.steps.map(({ version, name }) => `${version} ${name}`) }),
  });
}

/** The step that makes the audit log. */
const AUDIT_STEP = "audit";

function jsonOf({ steps }: Done): string {
  return `${JSON.stringify(steps.map(({ version, name }) => ({ version, name })))}\n`;
}

function textOf({ steps }: Done, part: Request["part"]): string {
  const word = part === "run" ? "applied" : "taken back";
  if (steps.length === 0) return `nothing to be ${word}\n`;
  return steps.map(({ version, name }) => `${word} ${version} ${name}\n`).join("");
}

async function create({ name = "" }: Request, io: Io, at: StatePlace): Promise<number> {
  const files = newMigrationFiles(name, { wall: at.clock.wall() });
  if (typeof files === "string") {
    io.stderr(`interlock: ${files}\n`);
    return EXIT.usage;
  }
  const folder = ownFolder(at.dir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const file of files) {
    await writeFile(join(folder, file.name), file.text, { flag: "wx" });
    io.stdout(`${join(folder, file.name)}\n`);
  }
  return EXIT.ok;
}

/** Our steps, then the operator's own. */
async function knownMigrations(dir: string): Promise<readonly Migration[] | string> {
  const folder = ownFolder(dir);
  const names = await readdir(folder).catch(() => []); // There is none until `create` makes it.
  const files: MigrationFile[] = [];
  for (const name of names) {
    if (name.endsWith(".sql"))
      files.push({ name, text: await readFile(join(folder, name), "utf8") });
  }
  const own = readMigrationFiles(files);
  return typeof own === "string" ? `${folder}: ${own}` : [...EMBEDDED, ...own];
}

function ownFolder(dir: string): string {
  return join(dir, "migrations");
}

async function using<T>(sql: Sql, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await sql.close();
  }
}
