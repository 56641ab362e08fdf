import { describe, expect, test } from "bun:test";
import { checkBooks, spentBetween } from "../../../src/state/ledger/books.ts";
import { EMBEDDED } from "../../../src/state/migrations/embedded.ts";
import { run } from "../../../src/state/migrations/migrate.ts";
import { sqlStore } from "../../../src/state/store/sql-store.ts";
import { DATABASES } from "../store/engines.ts";
import { AT, entry } from "./entries.ts";
import { killOften } from "./kill.ts";

const FULL = Bun.env["INTERLOCK_FULL"] === "1";
const KILLS = FULL ? 1000 : 40;

test(`after ${KILLS} kills nothing acknowledged is lost, nothing doubled, and the books balance`, async () => {
  let seed = 20_300_115;
  const chance = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const after = await killOften(KILLS, chance);
  console.log(`ledger, killed while writing: ${JSON.stringify(after)}`);
  expect(after).toMatchObject({
    ...{ kills: KILLS, lost: 0, doubled: 0, attemptsWithoutFact: 0, unbalanced: 0 },
    integrity: "ok",
  });
  expect(after.acknowledged).toBeGreaterThan(KILLS * 20); // It was killed at work, not before.
  expect(after.facts).toBeGreaterThanOrEqual(after.acknowledged);
}, 1_200_000);

describe.each(DATABASES)("$name", ({ missing, open }) => {
  if (missing !== undefined) {
    test.skip(missing, () => {});
    return;
  }
  test("what a key spent between two moments is its facts' sum", async () => {
    const { it: sql, close } = await open();
    await run(sql, EMBEDDED, { wall: 1 });
    const store = sqlStore(sql, { node: "n1" });
    const at = (id: string, ms: number, key: string | undefined, chargedNano: bigint) =>
      entry({ id, at: ms, key, chargedNano });
    await store.appendFacts([
      at("before", AT - 1, "k", 1n),
      ...[at("first", AT, "k", 10n), at("last", AT + 9, "k", 100n)],
      ...[
        at("after", AT + 10, "k", 1000n),
        at("other", AT, "o", 5n),
        at("none", AT, undefined, 7n),
      ],
    ]);
    expect(await spentBetween(sql, "k", { from: AT, to: AT + 10 })).toMatchObject({
      ...{ facts: 2, chargedNano: 110n },
    });
    const twice = at("twice", AT - 5, "k", 3n);
    expect(await store.appendFacts([twice, twice])).toBe(1);
    expect(await spentBetween(sql, "nobody", { from: 0, to: AT })).toMatchObject({
      chargedNano: 0n,
    });
    expect(await checkBooks(sql)).toEqual([]);
    await close();
  });
});
