import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bench, do_not_optimize, group } from "mitata";
import type { Entry } from "../src/state/ledger/facts.ts";
import { sqliteSink } from "../src/state/ledger/sink.ts";
import { decodeEntry, encodeEntry } from "../src/state/ledger/wire.ts";
import { EMBEDDED } from "../src/state/migrations/embedded.ts";
import { run } from "../src/state/migrations/migrate.ts";
import { mostOf, priceOf } from "../src/state/rate-card/price.ts";
import { embeddedCard } from "../src/state/rate-card/rate-card.ts";
import { openDatabase, openSqlite } from "../src/state/store/sqlite.ts";

// What a request pays for its money: a price at admission and one at settlement, its fact made into
// bytes; and what the ledger's own process pays for each fact.

const AT = Date.UTC(2030, 0, 15);
const usage = {
  ...{ inputTokens: 1200, outputTokens: 300, cacheReadTokens: 800, cacheWriteTokens: 100 },
  ...{ cacheWriteLongTokens: 0, reasoningTokens: 50 },
};

/** One request that was answered at the first try. */
export function factOf(number: number): Entry {
  const model = "claude-sonnet-4-5-20250929";
  return {
    fact: {
      ...{ id: `fact_${number.toString(36).padStart(20, "0")}`, requestId: `req_${number}` },
      ...{ at: AT + number, tenant: "acme", key: `key_${number % 50}`, requestedModel: "fast" },
      ...{ billedModel: model, provider: "anthropic", protocol: "openai", privacy: "shareable" },
      ...{ stream: true, usage, provenance: "reported", status: 200, latencyMs: 900 },
      ...{ firstEventMs: 250, attempts: 1, chargedNano: 5_000_000n, card: "abcdef012345" },
    },
    attempts: [
      {
        ...{ n: 1, at: AT + number, provider: "anthropic", model, fault: undefined, usage },
        ...{ cost: "reported", firstEventMs: 250 },
      },
    ],
  };
}

group("price", () => {
  const card = embeddedCard();
  const sale = { provider: "anthropic", model: "claude-sonnet-4-5-20250929", usage, at: AT };
  bench("of a usage", () => do_not_optimize(priceOf(card, sale)));
  bench("the most of a reservation", () => do_not_optimize(mostOf(card, sale)));
  bench("a model nobody priced", () => {
    do_not_optimize(priceOf(card, { ...sale, model: "no-such-model" }));
  });
});

group("a fact between processes", () => {
  const fact = factOf(1);
  const bytes = encodeEntry(fact);
  bench("to bytes", () => do_not_optimize(encodeEntry(fact)));
  bench("from bytes", () => do_not_optimize(decodeEntry(bytes)));
});

const folder = mkdtempSync(join(tmpdir(), "interlock-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "ledger.db");
const schema = openSqlite({ path, deadlineMs: 1000 });
await run(schema, EMBEDDED, { wall: AT });
await schema.close();

group("the ledger, on disk (synchronous=FULL)", () => {
  const sink = sqliteSink(openDatabase({ path, deadlineMs: 1000 }), { node: "bench" });
  let number = 0;
  const facts = (count: number) => Array.from({ length: count }, () => factOf(++number));
  for (const count of [1, 25, 250]) {
    bench(`a group of ${count}`, () => do_not_optimize(sink.write(facts(count))));
  }
});
