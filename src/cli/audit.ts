import { parseArgs } from "node:util";
import type { AuditHead, AuditRecord } from "../state/audit/chain.ts";
import { verifyAudit, type Verdict } from "../state/audit/verify.ts";
import { momentText } from "../state/keys/key-json.ts";
import { EMBEDDED } from "../state/migrations/embedded.ts";
import { unfit } from "../state/migrations/migrate.ts";
import { openStateToRead, type StatePlace } from "../state/store/open.ts";
import { StoreError } from "../state/store/sql.ts";
import { sqlStore } from "../state/store/sql-store.ts";
import type { Store } from "../state/store/store.ts";
import { misread } from "./arguments.ts";
import { databaseOf } from "./database.ts";
import { EXIT, type Io } from "./io.ts";

const USAGE = `Usage: interlock audit list [OPTIONS] | verify [OPTIONS]

Every administrative change, each record sealed to the one before it: keys made, renewed and ended,
tenants shut out, configurations reloaded, schemas changed.

  list      The newest records, oldest first
  verify    Whether a record was edited, removed, put elsewhere or added beside the program

Options of list:
      --limit N           How many [default: 50]
      --action ACTION     Only key.create, key.revoke, deny.set, config.reload …
      --actor ACTOR       Only this one's
      --subject SUBJECT   Only what was done to this key, tenant …

Options of verify:
      --anchor SEQ:HASH   A head that verify printed before and you kept: shows also a log that was
                          cut off, or written anew as a whole

Options of both:
      --state-dir DIR     Where the state is
  -c, --config FILE       Whose database it is, as --database-url URL or DATABASE_URL
      --json              For machines
`;

interface Request {
  readonly part: "list" | "verify";
  readonly limit: number;
  readonly anchor: AuditHead | undefined;
  readonly json: boolean;
  readonly wanted: Readonly<Record<"action" | "actor" | "subject", string | undefined>>;
  readonly place: {
    readonly "database-url": string | undefined;
    readonly config: string | undefined;
    readonly "state-dir": string | undefined;
  };
}

/** `interlock audit list | verify`. */
export async function audit(argv: readonly string[], io: Io, place: StatePlace): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    io.stdout(USAGE);
    return EXIT.ok;
  }
  const request = readRequest(argv);
  if (typeof request === "string") {
    io.stderr(`interlock: ${request}\nMore: interlock audit --help\n`);
    return EXIT.usage;
  }
  const at = await placeOf(request, io, place);
  if (typeof at === "string") return complain(io, at);
  try {
    return await within(at, (store) =>
      request.part === "list" ? list(store, request, io) : verify(store, request, io),
    );
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return complain(io, `the state cannot be read: ${error.message}`);
  }
}

type AuditStore = Pick<Store, "auditHead" | "auditRecords">;

/** Where there is no state yet, nothing was done. */
const EMPTY: AuditStore = {
  auditHead: async () => ({ seq: 0, hash: "0".repeat(64) }),
  auditRecords: async () => [],
};

async function within<T>(at: StatePlace, work: (store: AuditStore) => Promise<T>): Promise<T> {
  const sql = openStateToRead(at);
  if (sql === undefined) return work(EMPTY);
  try {
    const problem = await unfit(sql, EMBEDDED);
    if (problem !== undefined) throw new StoreError("refused", problem);
    return await work(sqlStore(sql, { node: "" }));
  } finally {
    await sql.close();
  }
}

async function placeOf(
  { place }: Request,
  io: Io,
  { clock, dir }: StatePlace,
): Promise<StatePlace | string> {
  const own = { clock, dir: place["state-dir"] ?? dir };
  if (place["state-dir"] !== undefined && place["database-url"] === undefined) return own;
  const found = await databaseOf(place, io);
  if (typeof found === "string") return found;
  return { ...own, databaseUrl: found.databaseUrl?.expose() };
}

const PAGE = 1000;

async function list(store: AuditStore, request: Request, io: Io): Promise<number> {
  const { limit, wanted, json } = request;
  const { seq: end } = await store.auditHead();
  const isAll = Object.values(wanted).every((value) => value === undefined);
  let found: AuditRecord[] = [];
  for (let after = isAll ? Math.max(0, end - limit) : 0; ;) {
    const page = await store.auditRecords(after, PAGE);
    const last = page.at(-1);
    if (last === undefined) break;
    found = [...found, ...page.filter((record) => isWanted(record, wanted))].slice(-limit);
    after = last.seq;
  }
  io.stdout(json ? jsonOf(found) : tableOf(found));
  return EXIT.ok;
}

function isWanted(record: AuditRecord, wanted: Request["wanted"]): boolean {
  return (["action", "actor", "subject"] as const).every(
    (name) => wanted[name] === undefined || wanted[name] === record[name],
  );
}

function jsonOf(records: readonly AuditRecord[]): string {
  return `${JSON.stringify(records.map((each) => ({ ...each, at: momentText(each.at) })))}\n`;
}

function tableOf(records: readonly AuditRecord[]): string {
  if (records.length === 0) return "Nothing was changed yet.\n";
  const rows = [
    ["SEQ", "WHEN", "WHO", "WHAT", "OF", "DETAIL"],
    ...records.map(({ seq, at, actor, action, subject, detail }) => [
      ...[String(seq), momentText(at), actor, action, subject],
      detail === "{}" ? "" : detail,
    ]),
  ].map((row) => row.map(printable));
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** Whoever wrote into the database must not write to this terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, "?");
}

const WHY: Readonly<Record<NonNullable<Verdict["broken"]>["why"], string>> = {
  missing: "it was removed",
  changed: "it, or its link to the one before, was changed",
  out_of_order: "it is not where it was written",
  cut_off: "it and whatever followed were removed",
  beyond_head: "it was not written by this program",
};

async function verify(store: AuditStore, { anchor, json }: Request, io: Io): Promise<number> {
  const { sound, broken, head } = await verifyAudit(store, { key: undefined, anchor });
  if (json) {
    const rest = broken === undefined ? {} : { broken: broken.seq, why: broken.why };
    const { seq, hash } = head;
    io.stdout(
      `${JSON.stringify({ ok: broken === undefined, sound, head: { seq, hash }, ...rest })}\n`,
    );
  } else if (broken === undefined) {
    io.stdout(`${sound} records, all sound.\nHead: ${head.seq}:${head.hash}\n`);
  } else {
    io.stdout(`Record ${broken.seq} is not sound: ${WHY[broken.why]}.\n`);
    io.stdout(`Those before it are: ${sound}.\n`);
  }
  return broken === undefined ? EXIT.ok : EXIT.failed;
}

function readRequest(argv: readonly string[]): Request | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: {
        limit: { type: "string", default: "50" },
        action: { type: "string" },
        actor: { type: "string" },
        subject: { type: "string" },
        anchor: { type: "string" },
        "state-dir": { type: "string" },
        "database-url": { type: "string" },
        config: { type: "string", short: "c" },
        json: { type: "boolean", default: false },
      },
      strict: true,
      allowPositionals: true,
    });
    const [part, more] = positionals;
    if (part !== "list" && part !== "verify") {
      return part === undefined ? "say list or verify" : `no part '${part}': list or verify`;
    }
    if (more !== undefined) return `${more} is too much`;
    const limit = /^[1-9]\d{0,5}$/.test(values.limit) ? Number(values.limit) : undefined;
    if (limit === undefined) return `--limit ${values.limit}: give a whole number from 1 on`;
    const anchor = values.anchor === undefined ? undefined : readAnchor(values.anchor);
    if (anchor === "malformed") return "--anchor: give the SEQ:HASH that verify printed";
    const { action, actor, subject, json, config } = values;
    const place = {
      ...{ "database-url": values["database-url"], "state-dir": values["state-dir"], config },
    };
    return { part, limit, anchor, json, wanted: { action, actor, subject }, place };
  } catch (error) {
    return misread(error);
  }
}

function readAnchor(text: string): AuditHead | "malformed" {
  const [, seq, hash = ""] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  return seq === undefined ? "malformed" : { seq: Number(seq), hash };
}

function complain(io: Io, why: string): number {
  io.stderr(`interlock: ${why}\n`);
  return EXIT.failed;
}
