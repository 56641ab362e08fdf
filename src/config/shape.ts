import type * as z from "zod/mini";
import type { Diagnostic } from "./config.ts";
import { entriesOf } from "./entries.ts";
import { nearest } from "./nearest.ts";
import { type Path, quote, say } from "./path.ts";
import { FILE, type FileConfig } from "./schema.ts";
import { everyPlaceOf, namesAt } from "./schema-walk.ts";
import { isTree, type Tree } from "./tree.ts";

/** A tree held against the schema. */
export interface Shape {
  /** What has the right shape; the rest is left out and stands in `errors`. */
  readonly file: FileConfig;
  readonly errors: readonly Diagnostic[];
}

/** Fields whose value is never shown, not even when it is of the wrong kind. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "api_key",
  "key",
  "key_sha256",
  "sha256",
  "encryption_key",
  "proxy",
  "database_url",
  "url",
  "webhook_url",
  "webhook_secret",
]);
const SHOWN_LENGTH_MAX = 24;

/** Holds a tree against the schema. `written` tells which values came from the environment. */
export function readShape(tree: Tree, written: ReadonlyMap<string, string>): Shape {
  const first = FILE.safeParse(tree);
  if (first.success) return { file: first.data, errors: [] };
  const errors = first.error.issues.flatMap((issue) => describe(issue, tree, written));
  for (const issue of first.error.issues) cutOut(tree, issue);
  // Nothing in the schema is required, so what is left after the cut fits.
  return { file: FILE.parse(tree), errors };
}

function describe(
  issue: z.core.$ZodIssue,
  tree: Tree,
  written: ReadonlyMap<string, string>,
): readonly Diagnostic[] {
  const path = pathOf(issue);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key));
  const at = say(path);
  const expected = issue.code === "invalid_type" ? kindWanted(issue.expected) : issue.message;
  const got = written.get(at) ?? kindGot(valueAt(tree, path), path);
  const fix = fixFor(valueAt(tree, path), expected);
  return [{ path: at, reason: `expected ${expected}, got ${got}`, fix }];
}

function unknownKey(path: Path, key: string): Diagnostic {
  const names = namesAt(path);
  const near = nearest(key, names);
  const elsewhere = everyPlaceOf(key);
  const fix =
    near !== undefined
      ? `did you mean ${near}?`
      : elsewhere !== undefined
        ? `it belongs to ${elsewhere}`
        : `known here: ${names.join(", ")}`;
  return { path: say([...path, key]), reason: `${quote(key)} is not known here`, fix };
}

function fixFor(value: unknown, expected: string): string {
  if (value === null) return "give it a value, or remove the line";
  if (expected === "text" && typeof value === "number") return "put it in quotes";
  if (expected === "text" && value === "") return "give it a value, or remove the line";
  return `write ${expected}`;
}

function kindWanted(expected: string): string {
  if (expected === "array") return "a list";
  return "a mapping of `name: value` lines";
}

/** What stands there, for the reader's eyes: never all of a long text, nothing of a secret. */
function kindGot(value: unknown, path: Path): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (isTree(value)) return "a mapping";
  const secret = path.some((part) => typeof part === "string" && SECRET_FIELDS.has(part));
  if (typeof value === "string") {
    if (value.trim() === "") return "an empty text";
    return secret || value.length > SHOWN_LENGTH_MAX ? "a text" : quote(value);
  }
  return secret ? `a ${typeof value}` : String(value);
}

/** Takes what an issue is about out of the tree, so that the rest can be judged. */
function cutOut(tree: Tree, issue: z.core.$ZodIssue): void {
  const path = pathOf(issue);
  if (issue.code === "unrecognized_keys") {
    const holder = valueAt(tree, path);
    if (isTree(holder)) for (const key of issue.keys) delete holder[key];
    return;
  }
  const last = path.at(-1);
  const holder = valueAt(tree, path.slice(0, -1));
  if (typeof last === "number" && Array.isArray(holder)) holder[last] = undefined;
  else if (typeof last === "string" && isTree(holder)) delete holder[last];
}

function pathOf(issue: z.core.$ZodIssue): Path {
  return issue.path.map((part) => (typeof part === "number" ? part : String(part)));
}

function valueAt(tree: unknown, path: Path): unknown {
  let value = tree;
  for (const part of path) value = entriesOf(value).get(part);
  return value;
}
