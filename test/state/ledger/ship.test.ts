import { describe, expect, test } from "bun:test";
import { checkBooks } from "../../../src/state/ledger/books.ts";
import { checkShipped, shipFacts, unshipped } from "../../../src/state/ledger/ship.ts";
import { EMBEDDED } from "../../../src/state/migrations/embedded.ts";
import { run } from "../../../src/state/migrations/migrate.ts";
import { type Sql, StoreError } from "../../../src/state/store/sql.ts";
import { sqlStore } from "../../../src/state/store/sql-store.ts";
import { DATABASES } from "../store/engines.ts";
import { entry } from "./entries.ts";

describe.each(DATABASES)("to $name", ({ missing, open }) => {
  if (missing !== undefined) {
    test.skip(missing, () => {});
    return;
  }

  test("every fact arrives once, however often the store goes away in the middle", async () => {
    const [ledger, shared] = [await DATABASES[0]!.open(), await open()];
    for (const { it } of [ledger, shared]) await run(it, EMBEDDED, { wall: 1 });
    const here = sqlStore(ledger.it, { node: "n1" });
    const store = sqlStore(shared.it, { node: "n1" });
    const batch = Array.from({ length: 1200 }, (_, n) =>
      entry({ id: `f${n}`, key: `k${n % 3}`, requestedModel: `m\0${n}` }, [
        { cost: "unknown" },
        {},
      ]),
    );
    await here.appendFacts(batch);

    const outbox = { ledger: ledger.it, to: "shared" };
    expect(await unshipped(outbox)).toBe(1200);
    let calls = 0;
    const flaky = {
      async appendFacts(entries: Parameters<typeof store.appendFacts>[0]) {
        calls++;
        if (calls % 3 === 1) throw new StoreError("deadline", "before");
        const fresh = await store.appendFacts(entries);
        if (calls % 3 === 2) throw new StoreError("deadline", "after it was done");
        return fresh;
      },
    };
    for (let tries = 0; ; tries++) {
      expect(tries).toBeLessThan(30);
      try {
        if ((await shipFacts(outbox, flaky)).done) break;
      } catch (error) {
        expect(error).toBeInstanceOf(StoreError);
      }
    }
    expect(await shipFacts(outbox, store)).toEqual({ shipped: 0, done: true });
    const compare =
      "SELECT id, request_id, requested_model, charged_nano, attempts FROM usage_fact ORDER BY id";
    expect(await texts(shared.it, compare)).toEqual(await texts(ledger.it, compare));
    const attempts = "SELECT fact_id, n, cost, input_tokens FROM attempt_fact ORDER BY fact_id, n";
    expect(await texts(shared.it, attempts)).toEqual(await texts(ledger.it, attempts));
    expect(await checkBooks(shared.it)).toEqual([]);
    expect(await unshipped(outbox)).toBe(0);
    await ledger.close();
    await shared.close();
  });

  test("a store that was made anew, or lost its last facts, is given all of them again", async () => {
    const [ledger, shared] = [await DATABASES[0]!.open(), await open()];
    for (const { it } of [ledger, shared]) await run(it, EMBEDDED, { wall: 1 });
    const store = sqlStore(shared.it, { node: "n1" });
    const outbox = { ledger: ledger.it, to: "shared" };
    await checkShipped(outbox, shared.it);
    const here = sqlStore(ledger.it, { node: "n1" });
    await here.appendFacts(["a", "b", "c"].map((id) => entry({ id })));
    await shipFacts(outbox, store);
    await checkShipped(outbox, shared.it);
    expect(await unshipped(outbox)).toBe(0);
    await shared.it.rows("DELETE FROM usage_fact WHERE id <> 'a'");
    await checkShipped(outbox, shared.it);
    expect(await unshipped(outbox)).toBe(3);
    await shipFacts(outbox, store);
    const ids = await shared.it.rows("SELECT id FROM usage_fact ORDER BY id");
    expect(ids.map(({ id }) => id)).toEqual(["a", "b", "c"]);
    await ledger.close();
    await shared.close();
  });
});

async function texts(sql: Sql, query: string): Promise<readonly string[]> {
  return (await sql.rows(query)).map((row) => Object.values(row).map(String).join("|"));
}
