import { hostname } from "node:os";
import { parseArgs, type ParseArgsConfig } from "node:util";
import type { Ms, Nano } from "../core/units.ts";
import type { Period } from "../core/limits.ts";
import { PERIOD_WORDS, readPeriod as parsePeriod } from "../core/period-text.ts";
import { fileKeyBook, type KeyBook } from "../state/keys/key-book.ts";
import type { KeyRefusal } from "../state/keys/key-store.ts";
import {
  isLabel,
  LABEL,
  parseDollars,
  parseDuration,
  parseExpiry,
} from "../state/keys/key-words.ts";
import { DATABASE_OPTIONS, databaseOf, type DatabaseOptions } from "./database.ts";
import { EXIT, type Io } from "./io.ts";
import type { KeyContext } from "./key.ts";
import { StateStore } from "./state-store.ts";

/** What was typed is not what the command takes. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
/** What was typed is fine and cannot be done. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** Options every key command has. */
export const COMMON_OPTIONS = {
  "state-dir": { type: "string" },
  ...DATABASE_OPTIONS,
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const satisfies ParseArgsConfig["options"];

/** One key command: its help, and what it does with what was typed. */
export interface KeyCommand {
  readonly name: string;
  readonly help: string;
  readonly act: () => void | Promise<void>;
}

/** Runs a command: its errors in words on standard error, and the exit code that goes with them. */
export async function runKeyCommand(
  { name, help, act }: KeyCommand,
  argv: readonly string[],
  io: Io,
): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    io.stdout(help);
    return EXIT.ok;
  }
  try {
    await act();
    return EXIT.ok;
  } catch (error) {
    const [why] = (error instanceof Error ? error.message : "unknown reason").split(". ");
    if (!isUsage(error)) {
      io.stderr(`interlock: ${why}\n`);
      return EXIT.failed;
    }
    io.stderr(`interlock: ${why}\n${help.split("\n", 1)[0]}\nMore: interlock key ${name} --help\n`);
    return EXIT.usage;
  }
}

/** The argument parser's own errors are about what was typed too. */
function isUsage(error: unknown): boolean {
  if (error instanceof UsageError) return true;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && code.startsWith("ERR_PARSE_ARGS");
}

/** Reads a command's options, with those every key command has. */
export function readOptions<const T extends NonNullable<ParseArgsConfig["options"]>>(
  argv: readonly string[],
  options: T,
) {
  return parseArgs({
    args: [...argv],
    options: { ...COMMON_OPTIONS, ...options },
    strict: true,
    allowPositionals: true,
  });
}

/** The one name or id a command is about. */
export function onlyKey(positionals: readonly string[]): string {
  const [named, more] = positionals;
  if (named === undefined || more !== undefined) {
    throw new UsageError("name one key, by its id or its name");
  }
  return named;
}

export function noPositionals(positionals: readonly string[]): void {
  const [first] = positionals;
  if (first !== undefined) throw new UsageError(`'${first}' belongs to no option`);
}

export interface BookWork<T> {
  readonly io: Io;
  readonly context: KeyContext;
  readonly work: (book: KeyBook) => Promise<T>;
}

/** What was typed about where keys are kept. */
export interface BookPlace extends DatabaseOptions {
  readonly "state-dir"?: string | undefined;
}

/** Works on the keys of the database, or of the state directory where there is none. */
export async function withBook<T>(place: BookPlace, options: BookWork<T>): Promise<T> {
  const book = await openBook(place, options);
  try {
    return await options.work(book);
  } finally {
    await book.close().catch(() => {}); // What was done is done, and what failed was told.
  }
}

async function openBook(
  place: BookPlace,
  { io, context }: Pick<BookWork<unknown>, "io" | "context">,
): Promise<KeyBook> {
  const directory = place["state-dir"];
  if (directory === undefined || place["database-url"] !== undefined) {
    const found = await databaseOf(place, io);
    if (typeof found === "string") throw new CommandError(found);
    if (found.databaseUrl !== undefined) {
      const { openSharedBook } = await import("../state/keys/shared-book.ts");
      const { clock, random, by } = context;
      return openSharedBook({
        ...{ url: found.databaseUrl.expose(), isNamed: found.isNamed, clock, random, by },
        ...{ node: hostname(), deadlineMs: DATABASE_MS },
      });
    }
  }
  return ownBook(directory ?? context.stateDir, context);
}

/** The keys of a state directory, with its audit log. */
function ownBook(directory: string, { clock, random, by }: KeyContext): KeyBook {
  const state = new StateStore({ directory, clock, random, deadlineMs: DATABASE_MS });
  const book = fileKeyBook({ directory, random, by, audit: () => state.get() });
  return {
    ...book,
    async close() {
      await book.close();
      await state.close();
    },
  };
}

/** A person waits. */
const DATABASE_MS: Ms = 10_000;

/** Why a key was not changed, in words. */
export function refusalText(named: string, refusal: KeyRefusal): string {
  switch (refusal.refused) {
    case "unknown":
      return `no key '${named}'. Those there are: interlock key list`;
    case "ambiguous":
      return `several keys are called '${named}', give an id: ${refusal.ids.join(", ")}`;
    case "revoked":
      return `the key ${refusal.id} is revoked already`;
    case "expired":
      return `the key ${refusal.id} has expired: make a new one`;
    case "unreadable":
      return `the key ${refusal.id} cannot be read: ${refusal.why}`;
  }
}

/** `90d`, `12h`, `30m`, `45s`, `2w`; `0` is none at all. */
export function readDuration(option: string, text: string): Ms {
  const duration = parseDuration(text);
  if (duration !== undefined) return duration;
  throw new UsageError(`--${option} ${text}: give a duration such as 12h or 90d`);
}

/** A duration from `now` on, or a moment that says its zone. */
export function readExpiry(text: string, now: Ms): Ms {
  const at = parseExpiry(text, now);
  if (typeof at === "number") return at;
  if (at === "past") throw new UsageError(`--expires ${text}: this is past`);
  throw new UsageError(`--expires ${text}: give 90d, 2027-01-31 or 2027-01-31T12:00:00Z`);
}

/** A whole number from 1 on. */
export function readCount(option: string, text: string): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (count > 0) return count;
  throw new UsageError(`--${option} ${text}: give a whole number from 1 on`);
}

/** Dollars in decimal to billionths of one, through no fraction. */
export function readDollars(option: string, text: string): Nano {
  const nano = parseDollars(text);
  if (nano !== undefined) return nano;
  throw new UsageError(`--${option} ${text}: give US dollars such as 50 or 0.25, below 9 million`);
}

/** `monthly` and its like, or `rolling:7d`. */
export function readPeriod(text: string): Period {
  const period = parsePeriod(text);
  if (period !== undefined) return period;
  throw new UsageError(`--budget-period ${text}: give one of ${PERIOD_WORDS}`);
}

/** Names from an option that can be repeated and takes several with commas between. */
export function readNames(option: string, texts: readonly string[]): readonly string[] {
  const names = texts.flatMap((text) => text.split(",")).map((name) => name.trim());
  if (names.every((name) => name !== "")) return [...new Set(names)];
  throw new UsageError(`--${option}: a name is empty`);
}

/** Names and tenants of keys stand in logs and labels. */
export function readLabel(option: string, text: string): string {
  if (isLabel(text)) return text;
  throw new UsageError(`--${option}: give ${LABEL}`);
}
