import { join } from "node:path";
import { checkBooks } from "../../../src/state/ledger/books.ts";
import { EMBEDDED } from "../../../src/state/migrations/embedded.ts";
import { run } from "../../../src/state/migrations/migrate.ts";
import { openSqlite } from "../../../src/state/store/sqlite.ts";
import { int, str } from "../../../src/state/store/sql.ts";
import { temporaryFolder } from "../store/engines.ts";

/** What many kills left. */
export interface Aftermath {
  readonly kills: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly facts: number;
  readonly doubled: number;
  readonly attemptsWithoutFact: number;
  readonly unbalanced: number;
  readonly integrity: string;
}

/** Kills a writing process again and again at chance moments, then reads what is there. */
export async function killOften(kills: number, chance: () => number): Promise<Aftermath> {
  const folder = temporaryFolder();
  const path = join(folder.path, "a.db");
  const sql = openSqlite({ path, deadlineMs: 10_000 });
  await run(sql, EMBEDDED, { wall: 1 });
  const acknowledged = new Map<string, number>();
  for (let n = 0; n < kills; n++) {
    // Every third run begins with the names of the one before: what it sends again must count once.
    const name = `r${n % 3 === 2 ? n - 1 : n}`;
    const through = await killOne(path, { name, seed: n, chance });
    acknowledged.set(name, Math.max(acknowledged.get(name) ?? 0, through));
  }
  const stored = new Set<string>();
  let facts = 0;
  for (const row of await sql.rows("SELECT id FROM usage_fact")) {
    facts++;
    stored.add(str(row["id"]));
  }
  let [told, lost] = [0, 0];
  for (const [name, through] of acknowledged) {
    told += through;
    for (let at = 0; at < through; at++) if (!stored.has(`${name}-${at}`)) lost++;
  }
  const orphans =
    "SELECT count(*) AS n FROM attempt_fact WHERE fact_id NOT IN (SELECT id FROM usage_fact)";
  const after: Aftermath = {
    kills,
    acknowledged: told,
    lost,
    facts,
    doubled: facts - stored.size,
    attemptsWithoutFact: int((await sql.rows(orphans))[0]?.["n"]),
    unbalanced: (await checkBooks(sql)).length,
    integrity: str((await sql.rows("PRAGMA integrity_check"))[0]?.["integrity_check"]),
  };
  await sql.close();
  folder.remove();
  return after;
}

interface Victim {
  readonly name: string;
  readonly seed: number;
  readonly chance: () => number;
}

/** How many facts it said were on disk before it was killed. */
async function killOne(path: string, { name, seed, chance }: Victim): Promise<number> {
  const child = Bun.spawn(
    [process.execPath, `${import.meta.dir}/kill-child.ts`, path, name, `${seed}`],
    {
      ...{ stdin: "ignore", stdout: "pipe", stderr: "inherit" },
    },
  );
  const begun = Promise.withResolvers<void>();
  const said = listen(child.stdout, begun.resolve);
  // Most while it writes, some while it still opens the file.
  if (seed % 5 !== 0) await begun.promise;
  await Bun.sleep(chance() * 80);
  child.kill("SIGKILL");
  await child.exited;
  // A number that was cut off by the kill is not taken for a smaller one: it has no line's end.
  const lines = (await said).split("\n").slice(0, -1);
  return Number(lines.at(-1) ?? 0);
}

async function listen(stdout: ReadableStream<Uint8Array>, begun: () => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stdout) {
    text += decoder.decode(chunk, { stream: true });
    begun();
  }
  begun(); // It ended without a word: whoever waits goes on and counts nothing.
  return text;
}
