import type { Ms } from "../../core/units.ts";
import type { Migration } from "./migration.ts";

/** `20301231235959_add_usage_tracking.up.sql`. */
const FILE = /^(\d{14})_([a-z0-9_]+)\.(up|down)\.sql$/;
const NAME = /^[a-z0-9][a-z0-9_]{0,63}$/;

export interface MigrationFile {
  readonly name: string;
  readonly text: string;
}

/** Migrations that an operator added beside ours; a sentence when a file has no other half. */
export function readMigrationFiles(files: readonly MigrationFile[]): readonly Migration[] | string {
  const halves = new Map<string, Partial<Record<"up" | "down", string>>>();
  for (const { name, text } of files) {
    const match = FILE.exec(name);
    if (match === null) continue;
    const [, version = "", title = "", half] = match;
    const id = `${version}_${title}`;
    const known = halves.get(id) ?? {};
    halves.set(id, half === "up" ? { ...known, up: text } : { ...known, down: text });
  }
  const found: Migration[] = [];
  for (const [id, { up, down }] of [...halves].sort()) {
    if (up === undefined) return `${id}.up.sql is missing`;
    if (down === undefined) return `${id}.down.sql is missing`;
    const version = Number(id.slice(0, 14));
    if (found.some((each) => each.version === version)) return `two migrations are ${version}`;
    found.push({ version, name: id.slice(15), up, down, holds: [] });
  }
  return found;
}

/** The two files of a new migration; a sentence when the name cannot be one. */
export function newMigrationFiles(
  name: string,
  { wall }: { readonly wall: Ms },
): readonly MigrationFile[] | string {
  const title = name.toLowerCase().replaceAll("-", "_").replaceAll(" ", "_");
  if (!NAME.test(title)) return `${name} cannot name a migration: use letters, digits and _`;
  const stem = `${new Date(wall).toISOString().replace(/\D/g, "").slice(0, 14)}_${title}`;
  const words = "-- $int, $serial and $strict are spelled for SQLite and for Postgres.\n";
  return [
    { name: `${stem}.up.sql`, text: words },
    { name: `${stem}.down.sql`, text: words },
  ];
}
