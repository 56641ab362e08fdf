import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cost } from "../../src/cli/cost.ts";
import { latency } from "../../src/cli/latency.ts";
import { tokenUsage } from "../../src/cli/token-usage.ts";
import { embeddedCard } from "../../src/state/rate-card/rate-card.ts";
import { openState } from "../../src/state/store/open.ts";
import { entry, usage } from "../state/ledger/entries.ts";
import { ledgerOf, NOW } from "./cost-place.ts";

const HOUR = 3_600_000;
const million = usage({
  inputTokens: 1_000_000,
  outputTokens: 1_000_000,
  reasoningTokens: 400_000,
});
const FACTS = [
  entry({ id: "a", at: NOW - 1, tenant: "acme", billedModel: "gpt-4o-2024-08-06", usage: million }),
  entry({
    id: "b",
    at: NOW - 2 * HOUR,
    tenant: "umbrella",
    billedModel: "gpt-4o-mini",
    usage: million,
  }),
  entry(
    {
      id: "c",
      at: NOW - 2 * HOUR,
      tenant: "acme",
      provider: "anthropic",
      billedModel: "claude-haiku-4-5",
      usage: usage({ inputTokens: 1_000_000, cacheReadTokens: 1_000_000 }),
    },
    [{ provider: "openai", fault: "server_error", cost: "unknown", usage: usage({}) }, {}],
  ),
  entry({ id: "d", at: NOW - 30 * HOUR, tenant: undefined, usage: million }),
  entry({
    id: "e",
    at: NOW - 3 * HOUR,
    tenant: "acme",
    provider: "mine",
    billedModel: "mystery",
    usage: usage({ inputTokens: 1200, outputTokens: 30 }),
  }),
];
const VERSION = embeddedCard().version;

let ledger: Awaited<ReturnType<typeof ledgerOf>>;
beforeAll(async () => {
  ledger = await ledgerOf(FACTS);
});
afterAll(() => ledger.remove());

describe.each([
  ["cost", cost],
  ["token-usage", tokenUsage],
  ["latency", latency],
] as const)("%s", (_, command) => {
  test("of a gateway that never ran says so, and makes up nothing", async () => {
    const nothing = await ledgerOf(undefined);
    expect(await nothing.ask(command)).toEqual({ code: 0, out: "no data\n", err: "" });
    expect(await nothing.ask(command, "--json")).toEqual({ code: 0, out: "[]\n", err: "" });
    expect(await nothing.ask(command, "--csv")).toEqual({ code: 0, out: "", err: "" });
    nothing.remove();
  });

  test("of a ledger without facts, or a window without any, says so too", async () => {
    const empty = await ledgerOf([]);
    expect((await empty.ask(command)).out).toBe("no data\n");
    empty.remove();
    expect((await ledger.ask(command, "-p", "nobody", "-w", "all")).out).toBe("no data\n");
    expect(await ledger.json(command, "-m", "none")).toEqual([]);
  });

  test.each([
    [["--window", "soon"], "--window soon is no duration"],
    [["-w", "0h"], "--window 0h is no duration"],
    [["-g", "colour"], "--group-by colour is none of provider, model, tenant, key, hour, day"],
    [["--json", "--csv"], "two outputs"],
    [["--nonsense"], "nonsense"],
    [["extra"], "extra"],
    [["-p"], "-p"],
  ])("%p is not understood, and says what would be", async (argv, why) => {
    const { code, out, err } = await ledger.ask(command, ...argv);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(why);
    expect(err).toContain("Usage: interlock");
  });

  test("takes the program's own options, and says which it has no use for", async () => {
    const { code, err } = await ledger.ask(
      command,
      "-vv",
      "-u",
      "http://localhost:8080",
      "-k",
      "x",
    );
    expect(code).toBe(0);
    expect(err).toContain("--url is not used here");
    expect(err).toContain("--api-key is not used here");
  });

  test("explains itself", async () => {
    const { code, out } = await ledger.ask(command, "--help");
    expect(code).toBe(0);
    for (const option of ["-p", "-m", "-t", "-w", "-g", "--json", "--csv", "--state-dir"]) {
      expect(out).toContain(option);
    }
  });

  test("does not read a state that a newer release made", async () => {
    const newer = await ledgerOf(FACTS);
    const sql = openState(newer.place);
    await sql.rows("INSERT INTO schema_migration VALUES (99, 'tomorrow', 'x', 1)");
    await sql.close();
    const { code, err } = await newer.ask(command);
    expect(code).toBe(1);
    expect(err).toContain("99 tomorrow");
    newer.remove();
  });
});

describe("cost", () => {
  test("prices the window's facts now, and names the card and what it has no price for", async () => {
    const { code, out } = await ledger.ask(cost);
    expect(code).toBe(0);
    expect(out).toContain("Cost of the last 24h, 2030-01-14 12:30 to 2030-01-15 12:30 UTC");
    expect(out).toContain(`by rate card ${VERSION}`);
    // 2.50 + 10 for gpt-4o, 0.15 + 0.60 for mini, 0.10 for a million cached tokens of haiku.
    expect(out).toMatch(/all +4 +3,001,200 +2,000,030 +\$13\.35 \+ \?/);
    expect(out).toContain("No price is known for mine/mystery: 1 request(s), 1,200 input and 30");
  });

  test.each([
    ["provider", { anthropic: "0.1", mine: null, openai: "13.25" }],
    [
      "model",
      {
        "claude-haiku-4-5": "0.1",
        "gpt-4o-2024-08-06": "12.5",
        "gpt-4o-mini": "0.75",
        mystery: null,
      },
    ],
    ["tenant", { acme: "12.6", umbrella: "0.75" }],
    ["key", { app: "13.35" }],
    [
      "hour",
      { "2030-01-15T09:00Z": null, "2030-01-15T10:00Z": "0.85", "2030-01-15T12:00Z": "12.5" },
    ],
    ["day", { "2030-01-15": "13.35" }],
  ])("by %s", async (groupBy, costs) => {
    const rows = await ledger.json(cost, "-g", groupBy);
    expect(Object.fromEntries(rows.map((row) => [row[groupBy], row["cost_usd"]]))).toEqual(costs);
    for (const row of rows) expect(row["rate_card"]).toBe(VERSION);
  });

  test.each([
    [["-p", "openai"], "13.25"],
    [["-m", "gpt-4o-mini"], "0.75"],
    [["-t", "acme"], "12.6"],
    [["-w", "1h"], "12.5"],
    [["-w", "2d"], "25.85"],
    [["-w", "all", "-p", "openai", "-t", "umbrella"], "0.75"],
  ])("%p costs $%s", async (argv, dollars) => {
    expect(await ledger.json(cost, ...argv)).toMatchObject([{ cost_usd: dollars }]);
  });

  test("taken apart it shows each kind of token, and what retries cost", async () => {
    const [row] = await ledger.json(cost, "--breakdown", "-m", "gpt-4o-2024-08-06");
    expect(row).toMatchObject({
      input_usd: "2.5",
      output_usd: "6",
      reasoning_usd: "4",
      fees_usd: "0",
    });
    const { out } = await ledger.ask(cost, "--breakdown");
    expect(out).toContain("Over all attempts providers are owed $13.35: $0.00 more");
    expect(out).toContain("of 1 attempt(s) nobody knows the cost");
  });

  test("a row without a price says so in itself, for machines too", async () => {
    const rows = await ledger.json(cost, "-g", "provider");
    expect(rows.find(({ provider }) => provider === "mine")).toMatchObject({
      ...{ requests: 1, unpriced_requests: 1, cost_usd: null },
    });
  });

  test("a file's prices go over the embedded ones and change the card's name", async () => {
    const file = ledger.file(
      "card.json",
      JSON.stringify({
        providers: { mine: { models: { mystery: { input: "1000", output: "0" } } } },
      }),
    );
    const [row] = await ledger.json(cost, "--rate-card", file, "-p", "mine");
    expect(row).toMatchObject({ cost_usd: "1.2", unpriced_requests: 0 });
    expect(row?.["rate_card"]).not.toBe(VERSION);
  });

  test.each([
    ["{", "cannot be read"],
    [
      '{"providers":{"p":{"models":{"m":{"input":"x","output":"1"}}}}}',
      "x is no amount of dollars",
    ],
  ])("a rate card of %j is refused", async (text, why) => {
    const { code, err } = await ledger.ask(cost, "--rate-card", ledger.file("bad.json", text));
    expect(code).toBe(1);
    expect(err).toContain(why);
  });

  test("as CSV it is the same rows under their names", async () => {
    const { out } = await ledger.ask(cost, "--csv", "-g", "tenant", "-w", "all");
    expect(out.split("\n").slice(0, 4)).toEqual([
      "tenant,requests,input_tokens,output_tokens,cost_usd,unpriced_requests,rate_card",
      `,1,1000000,1000000,12.5,0,${VERSION}`,
      `acme,3,2001200,1000030,12.6,1,${VERSION}`,
      `umbrella,1,1000000,1000000,0.75,0,${VERSION}`,
    ]);
  });

  test("reads the state directory it is told", async () => {
    const other = await ledgerOf([entry({ id: "z", at: NOW, usage: million })]);
    const [row] = await ledger.json(cost, "--state-dir", other.place.dir);
    expect(row).toMatchObject({ requests: 1 });
    other.remove();
  });
});
