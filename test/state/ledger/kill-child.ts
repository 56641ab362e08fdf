// Brings facts from a ring to the real ledger until it is killed. Prints, once they are on disk, how
// many of its facts are. Arguments: the database, this run's name, its seed.
import { writeSync } from "node:fs";
import { systemClock } from "../../../src/runtime/clock.ts";
import { sqliteSink } from "../../../src/state/ledger/sink.ts";
import { openDatabase } from "../../../src/state/store/sqlite.ts";
import { entry, usage } from "./entries.ts";
import { ringsTo } from "./rings.ts";

const [path = "", run = "", seed = "1"] = process.argv.slice(2);
const KEYS = ["app", "batch", "eval"];
const sink = sqliteSink(openDatabase({ path, deadlineMs: 2000 }), { node: run });
const { publish, drain } = ringsTo(sink, systemClock);

let [made, written] = [0, 0];
for (;;) {
  for (let n = 0; n < 20; n++) {
    const number = made++;
    const tokens = (number * 7919 + Number(seed)) % 5000;
    publish(
      entry(
        {
          id: `${run}-${number}`,
          key: KEYS[number % KEYS.length],
          usage: usage({ inputTokens: tokens, outputTokens: number % 100 }),
          chargedNano: BigInt(tokens * 1000),
        },
        number % 5 === 0 ? [{ fault: "server_error", cost: "none" }, {}] : [{}],
      ),
    );
  }
  const turn = await drain.turn();
  if (turn.kind === "written") {
    written += turn.facts;
    writeSync(1, `${written}\n`);
  }
}
