import { afterAll, beforeAll, expect, test } from "bun:test";
import { reconcile } from "../../src/cli/reconcile.ts";
import { entry, usage } from "../state/ledger/entries.ts";
import { ledgerOf, NOW } from "./cost-place.ts";

const used = usage({ inputTokens: 1000, outputTokens: 100, cacheReadTokens: 200 });
const FACTS = [
  entry({ id: "a", at: NOW, usage: used }, [
    { fault: "server_error", cost: "none", usage: usage({}) },
    { fault: "timeout", cost: "estimated", usage: usage({ inputTokens: 50 }) },
    {},
  ]),
  entry({ id: "b", at: NOW - 1000, usage: used }),
  entry({ id: "c", at: NOW, provider: "anthropic", billedModel: "claude-haiku-4-5", usage: used }),
];
const HEADER =
  "start_time_iso,model,num_model_requests,input_tokens,input_cached_tokens,output_tokens";

let ledger: Awaited<ReturnType<typeof ledgerOf>>;
beforeAll(async () => {
  ledger = await ledgerOf(FACTS);
});
afterAll(() => ledger.remove());

async function run(rows: string, ...argv: string[]) {
  const file = ledger.file("export.csv", `${HEADER}\n${rows}`);
  return ledger.ask(reconcile, "--provider", "openai", "--csv", file, ...argv);
}

test("an export that agrees differs in nothing: all attempts count, and no other provider's", async () => {
  const { code, out } = await run("2030-01-15T00:00:00Z,gpt-4o-2024-08-06,3,2050,400,200\n");
  expect(out).toContain("No difference in 1 model(s) and day(s).");
  expect(out).toContain("day = start_time_iso");
  expect(code).toBe(0);
});

test("what differs is listed with both sides, and the exit code says so", async () => {
  const { code, out } = await run("2030-01-15T00:00:00Z,gpt-4o,2,2000,400,300\n");
  expect(code).toBe(1);
  expect(out).toMatch(/2030-01-15 +gpt-4o-2024-08-06 +requests +3 +2 +\+50\.0 %/);
  expect(out).toMatch(/input +2,050 +2,000 +\+2\.5 %/);
  expect(out).toMatch(/output +200 +300 +-33\.3 %/);
  expect((await run("2030-01-15,gpt-4o,3,2000,400,200\n", "--tolerance", "2.5")).code).toBe(0);
});

test("for machines the same, with amounts as exact dollars", async () => {
  const file = ledger.file("cost.csv", "date,model,cost\n2030-01-15,gpt-4o,1.5\n2030-01-15,o3,2\n");
  const { code, out } = await ledger.ask(reconcile, "-p", "openai", "--csv", file, "--json");
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    ...{ ok: false, compared: 2, theirs_usd: "3.5", ours_usd: "0.006625" },
    differences: [
      { model: "gpt-4o-2024-08-06", measure: "cost_usd", ours: "0.006625", theirs: "1.5" },
      { model: "o3", measure: "cost_usd", ours: null, theirs: "2" },
    ],
    columns: { day: "date", model: "model", cost: "cost" },
  });
});

test("a row that cannot be read is told, and the books are not called equal", async () => {
  const { code, out } = await run("2030-01-15,gpt-4o,3,2050,400,200\nsometime,gpt-4o,1,1,1,1\n");
  expect(out).toContain("row 3 was left out: sometime is no day");
  expect(code).toBe(1);
});

test("columns with other names can be told", async () => {
  const file = ledger.file("own.csv", "Tag;Modell;Eingabe\n2030-01-15;gpt-4o;2050\n");
  const columns = ["day=Tag", "model=Modell", "input=Eingabe"].flatMap((c) => ["--column", c]);
  const { code } = await ledger.ask(reconcile, "-p", "openai", "--csv", file, ...columns);
  expect(code).toBe(0);
  const { err } = await ledger.ask(reconcile, "-p", "openai", "--csv", file);
  expect(err).toContain(
    "no column is the day: name it with --column day=NAME (Tag, Modell, Eingabe)",
  );
});

test("against a ledger that is not there, everything is the provider's alone", async () => {
  const nothing = await ledgerOf(undefined);
  const file = nothing.file("x.csv", `${HEADER}\n2030-01-15,gpt-4o,3,2050,400,200\n`);
  const { code, out } = await nothing.ask(reconcile, "-p", "openai", "--csv", file);
  expect(code).toBe(1);
  expect(out).toMatch(/input +nothing +2,050/);
  nothing.remove();
});

test("an export without rows is no data", async () => {
  expect(await run("")).toMatchObject({ code: 0, out: "no data\n" });
});

test.each([
  [["--csv", "x"], "--provider is missing"],
  [["-p", "x"], "--csv is missing"],
  [["-p", "x", "--csv", "y", "--column", "colour=z"], "expected one of"],
  [["-p", "x", "--csv", "y", "--tolerance", "some"], "is no percentage"],
])("%p is not understood", async (argv, why) => {
  const { code, err } = await ledger.ask(reconcile, ...argv);
  expect(code).toBe(2);
  expect(err).toContain(why);
});

test("a file that is not there is told", async () => {
  const { code, err } = await ledger.ask(reconcile, "-p", "x", "--csv", "/nowhere/x.csv");
  expect(code).toBe(1);
  expect(err).toContain("/nowhere/x.csv cannot be read");
});
