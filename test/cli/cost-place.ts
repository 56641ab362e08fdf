import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LedgerPlace } from "../../src/cli/cost-ledger.ts";
import type { Io } from "../../src/cli/io.ts";
import type { Entry } from "../../src/state/ledger/facts.ts";
import { EMBEDDED } from "../../src/state/migrations/embedded.ts";
import { run } from "../../src/state/migrations/migrate.ts";
import { openState } from "../../src/state/store/open.ts";
import { sqlStore } from "../../src/state/store/sql-store.ts";
import { SimClock } from "../sim/clock.ts";
import { temporaryFolder } from "../state/store/engines.ts";

/** A moment after which no fact of a test is. */
export const NOW = Date.UTC(2030, 0, 15, 12, 30);

type Command = (argv: readonly string[], io: Io, place: LedgerPlace) => Promise<number>;

/** A state directory of a gateway that served `entries`; without them, of one that never ran. */
export async function ledgerOf(entries: readonly Entry[] | undefined) {
  const folder = temporaryFolder();
  const clock = Object.assign(new SimClock(), { wall: () => NOW });
  const place: LedgerPlace = { dir: join(folder.path, "state"), clock };
  if (entries !== undefined) {
    const sql = openState(place);
    await run(sql, EMBEDDED, { wall: 1 });
    const store = sqlStore(sql, { node: "n1" });
    await store.appendFacts(entries);
    await store.close();
  }
  return {
    place,
    remove: folder.remove,
    file(name: string, text: string): string {
      const path = join(folder.path, name);
      writeFileSync(path, text);
      return path;
    },
    async ask(command: Command, ...argv: string[]) {
      const out: string[] = [];
      const err: string[] = [];
      const io: Io = {
        env: {},
        stdout: (text) => out.push(text),
        stderr: (text) => err.push(text),
        readFile: (path) => Bun.file(path).text(),
      };
      const code = await command(argv, io, place);
      return { code, out: out.join(""), err: err.join("") };
    },
    async json(command: Command, ...argv: string[]) {
      const { code, out, err } = await this.ask(command, "--json", ...argv);
      if (code !== 0) throw new Error(`${code}: ${err}`);
      return JSON.parse(out) as Record<string, unknown>[];
    },
  };
}
