// Breaks the privacy guarantee in every way on the list, one at a time and in a copy of the project,
// and prints which nets noticed. Exits 1 when one that must notice does not. See README.md above.
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Mutation, type Net, PARTS } from "./list.ts";

const ROOT = resolve(import.meta.dir, "../..");
const COPIED = "src test bench build.ts package.json tsconfig.json bunfig.toml".split(" ");
const README = join(ROOT, "test/README.md");
/** What stands around the table in README.md. */
export const MARKS = { begin: "<!-- mutations -->", end: "<!-- /mutations -->" };

const REJECT = "test/types/reject.test.ts";
const PROPERTY = "test/privacy.prop.test.ts";
const FILES: Readonly<Record<string, string>> = { reject: REJECT, property: PROPERTY };

/** What the nets said of one mutation. */
interface Verdict {
  readonly mutation: Mutation;
  /** Errors of `bun check` that are not there without it. */
  readonly errorCount: number;
  readonly red: ReadonlySet<Net>;
}

function copyProject(to: string): void {
  for (const name of COPIED) {
    if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(to, name), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(to, "node_modules"));
}

function typeErrors(project: string): string[] {
  const command = [process.execPath, "check", "--no-script", "--no-pretty"];
  const check = Bun.spawnSync(command, { cwd: project, stderr: "ignore" });
  const lines = check.stdout.toString().split("\n");
  // Without the place: a mutation may move what was there before.
  return lines
    .filter((line) => / error TS\d+: /.test(line))
    .map((line) => line.replace(/\(.*?\)/, ""));
}

/** The names of a test file's failing tests; one of no test when it does not even load. */
function failuresOf(project: string, net: Net): ReadonlySet<string> {
  const command = [process.execPath, "test", "--timeout=60000", FILES[net] ?? net];
  const tests = Bun.spawnSync(command, { cwd: project, stdout: "ignore" });
  if (tests.success) return new Set();
  const found = tests.stderr.toString().matchAll(/^\(fail\) (.*?)(?: \[[\d.]+ms\])?$/gm);
  const names = new Set([...found].map(([, name = ""]) => name));
  return names.size > 0 ? names : new Set(["(did not load)"]);
}

/** Applies a mutation and returns how to take it back. @throws when its text is not there once. */
function mutate(project: string, { what, edits }: Mutation): () => void {
  const originals = new Map<string, string>();
  for (const { file, replace, by, all } of edits) {
    const path = join(project, file);
    const text = readFileSync(path, "utf8");
    const places = text.split(replace).length - 1;
    if (all ? places === 0 : places !== 1) {
      throw new Error(`${what}: ${file} holds its text ${places} times`);
    }
    if (!originals.has(path)) originals.set(path, text);
    writeFileSync(
      path,
      text.replaceAll(replace, () => by),
    );
  }
  return () => {
    for (const [path, text] of originals) writeFileSync(path, text);
  };
}

/** What fails without any mutation, so that only what is new is put down to one. */
interface Before {
  readonly errors: readonly string[];
  readonly failures: ReadonlyMap<Net, ReadonlySet<string>>;
}

function judge(project: string, mutation: Mutation, before: Before): Verdict {
  const restore = mutate(project, mutation);
  const known = [...before.errors];
  const errors = typeErrors(project).filter((line) => {
    const at = known.indexOf(line);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
  const tests = new Set<Net>(["reject", "property", ...mutation.caughtBy]);
  tests.delete("check");
  const red = new Set<Net>(errors.length > 0 ? ["check"] : []);
  for (const net of tests) {
    const failing = before.failures.get(net);
    if ([...failuresOf(project, net)].some((name) => !failing?.has(name))) red.add(net);
  }
  restore();
  return { mutation, errorCount: errors.length, red };
}

/** What is wrong with a verdict; undefined when it is as the list says. */
function complaint({ mutation, red }: Verdict): string | undefined {
  const { what, caughtBy, equivalent } = mutation;
  if (equivalent !== undefined) {
    return red.size === 0
      ? undefined
      : `${what}: is not equivalent, ${[...red].join(", ")} noticed`;
  }
  const blind = caughtBy.filter((net) => !red.has(net));
  if (blind.length > 0) return `${what}: not noticed by ${blind.join(", ")}`;
  return red.size === 0 ? `${what}: survives` : undefined;
}

function row({ mutation, errorCount, red }: Verdict): string {
  const { what, equivalent } = mutation;
  const cell = (net: Net): string => (red.has(net) ? "red" : "–");
  const others = [...red]
    .filter((net) => net.includes("/"))
    .map((net) => net.slice("test/".length));
  const last = equivalent === undefined ? others.join(", ") || "–" : `equivalent: ${equivalent}`;
  return `| ${what} | ${errorCount || "–"} | ${cell("reject")} | ${cell("property")} | ${last} |`;
}

const HEAD = [
  "| mutation | `bun check` | reject | property | other tests |",
  "| --- | --- | --- | --- | --- |",
];

/** Every part's table, and what is not as the list says. */
function run(project: string, wanted: string | undefined) {
  const parts = PARTS.map(({ title, mutations }) => ({
    title,
    mutations: mutations.filter(({ what }) => wanted === undefined || what.includes(wanted)),
  })).filter(({ mutations }) => mutations.length > 0);
  const named = parts.flatMap(({ mutations }) => mutations.flatMap(({ caughtBy }) => caughtBy));
  const nets = new Set<Net>(["reject", "property", ...named]);
  nets.delete("check");
  const before: Before = {
    errors: typeErrors(project),
    failures: new Map([...nets].map((net) => [net, failuresOf(project, net)])),
  };
  const complaints = [...before.failures]
    .filter(([, failing]) => failing.size > 0)
    .map(([net, failing]) => `${net} is red before anything is broken: ${[...failing].join(", ")}`);
  if (before.errors.length > 0) complaints.push("bun check is red before anything is broken");
  const lines: string[] = [];
  for (const { title, mutations } of parts) {
    lines.push(`**${title}**`, "", ...HEAD);
    for (const mutation of mutations) {
      const verdict = judge(project, mutation, before);
      lines.push(row(verdict));
      const wrong = complaint(verdict);
      if (wrong !== undefined) complaints.push(wrong);
      process.stderr.write(wrong === undefined ? "." : "!");
    }
    lines.push("");
  }
  process.stderr.write("\n");
  return { table: lines.join("\n"), complaints };
}

function writeTable(table: string): void {
  const text = readFileSync(README, "utf8");
  const [before = ""] = text.split(MARKS.begin);
  const after = text.split(MARKS.end)[1] ?? "";
  writeFileSync(README, `${before}${MARKS.begin}\n\n${table}\n${MARKS.end}${after}`);
}

if (import.meta.main) {
  const [first] = process.argv.slice(2);
  const copy = mkdtempSync(join(tmpdir(), "interlock-mutations-"));
  const project = join(copy, "main");
  try {
    copyProject(project);
    const { table, complaints } = run(project, first === "--write" ? undefined : first);
    console.log(table);
    if (first === "--write") writeTable(table);
    for (const line of complaints) console.error(line);
    process.exitCode = complaints.length > 0 ? 1 : 0;
  } finally {
    rmSync(copy, { recursive: true });
  }
}
