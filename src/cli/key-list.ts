import type { Ms } from "../core/units.ts";
import type { KeyBook } from "../state/keys/key-book.ts";
import { keyState, listedJson, momentText } from "../state/keys/key-json.ts";
import type { ListedKey } from "../state/keys/key-store.ts";
import type { Io } from "./io.ts";
import type { KeyContext } from "./key.ts";
import { noPositionals, readOptions, runKeyCommand, withBook } from "./key-options.ts";
import { limitsText } from "./key-print.ts";

const HELP = `Usage: interlock key list [OPTIONS]

Lists the stored keys, the oldest first. Those of the configuration file: interlock config show.

Options:
      --tenant TENANT  Only this one's
      --all            Revoked and expired ones too
      --state-dir DIR  Where the store is
  -c, --config FILE    Whose database to use, as --database-url URL or DATABASE_URL
      --json           Print a JSON array
`;

const OPTIONS = { tenant: { type: "string" }, all: { type: "boolean", default: false } } as const;

/** `interlock key list`. */
export function keyList(argv: readonly string[], io: Io, context: KeyContext): Promise<number> {
  const act = async (): Promise<void> => {
    const { values, positionals } = readOptions(argv, OPTIONS);
    noPositionals(positionals);
    const now = context.clock.wall();
    const work = (book: KeyBook) => book.list(now);
    const keys = (await withBook(values, { io, context, work })).filter(
      (key) =>
        (values.tenant === undefined || key.tenant === values.tenant) &&
        (values.all || keyState(key, now) === "active"),
    );
    io.stdout(values.json ? jsonOf(keys, now) : tableOf(keys, now));
  };
  return runKeyCommand({ name: "list", help: HELP, act }, argv, io);
}

function jsonOf(keys: readonly ListedKey[], now: Ms): string {
  return `${JSON.stringify(keys.map((key) => listedJson(key, now)))}
`;
}

function tableOf(keys: readonly ListedKey[], now: Ms): string {
  if (keys.length === 0) return "No keys. Make one: interlock key create --name NAME\n";
  const head = ["ID", "NAME", "TENANT", "STATE", "CREATED", "EXPIRES", "LIMITS"];
  const rows = [
    head,
    ...keys.map((key) => [
      key.id,
      key.name,
      key.tenant ?? "-",
      key.secrets > 1 ? `${keyState(key, now)}, rotating` : keyState(key, now),
      momentText(key.created).slice(0, 10),
      key.expires === undefined ? "never" : momentText(key.expires).slice(0, 10),
      limitsText(key.limits),
    ]),
  ];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}
