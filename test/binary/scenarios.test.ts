import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { DIALECT_IDS, type DialectId } from "../../src/core/ids.ts";
import type { Client } from "./clients/client.ts";
import { CLIENTS } from "./clients/clients.ts";
import { differences } from "./clients/verdict.ts";
import { unexcused } from "./scenarios/excuses.ts";
import { type Cell, Kitchen, type Outcome } from "./scenarios/kitchen.ts";
import { type Scenario, SCENARIOS } from "./scenarios/scenarios.ts";

/** One SDK for each protocol: the newer where there are two. */
const ORACLES = new Map<DialectId, Client>(
  CLIENTS.map((client) => [client.dialect, client] as const).toReversed(),
);

/** By scenario and loss, the ways it is lost on; `INTERLOCK_UPDATE=1` and `bun fmt` write it. */
type Table = Record<string, Record<string, string[]>>;
const TABLE = join(import.meta.dir, "scenarios/losses.json");
const isUpdate = process.env["INTERLOCK_UPDATE"] === "1";
const expected: Table = isUpdate ? {} : JSON.parse(readFileSync(TABLE, "utf8"));
const found: Table = {};

let kitchen: Kitchen;
beforeAll(async () => {
  kitchen = await Kitchen.open(ORACLES);
});
afterAll(async () => {
  await kitchen[Symbol.asyncDispose]();
  if (isUpdate) writeFileSync(TABLE, `${JSON.stringify(found, undefined, 2)}\n`);
});

describe("what a user of one SDK does, on a backend of each protocol", () => {
  for (const scenario of SCENARIOS) {
    test(
      scenario.name,
      async () => {
        const wrong: string[] = [];
        const lost = new Map<string, string[]>();
        for (const client of ORACLES.values()) {
          for (const backend of DIALECT_IDS) {
            const way = `${client.dialect}>${backend}`;
            const { whole, streamed } = await both(scenario, { client, backend });
            if (whole === undefined || streamed === undefined) continue;
            const told = isRefused(whole) ? "400" : whole.losses.join(" ");
            if (told !== "") lost.set(told, [...(lost.get(told) ?? []), way]);
            wrong.push(...faults(whole, client).map((fault) => `${way}: ${fault}`));
            wrong.push(...faults(streamed, client).map((fault) => `${way} streamed: ${fault}`));
            wrong.push(...disagreements(whole, streamed).map((each) => `${way}: ${each}`));
          }
        }
        expect(wrong).toEqual([]);
        found[scenario.name] = Object.fromEntries([...lost].toSorted());
        if (!isUpdate) expect(found[scenario.name]).toEqual(expected[scenario.name]!);
      },
      60_000,
    );
  }
});

async function both(scenario: Scenario, cell: Omit<Cell, "stream">) {
  const whole = await kitchen.serve(scenario, { ...cell, stream: false });
  const streamed = whole && (await kitchen.serve(scenario, { ...cell, stream: true }));
  return { whole, streamed };
}

/** Refused in the caller's own protocol, before anything went up. */
function isRefused({ sent, result }: Outcome): boolean {
  return sent === undefined && !result.ok && result.error.status === 400;
}

function faults(outcome: Outcome, client: Client): string[] {
  const { straight, result, asked, sent, losses, isOwn } = outcome;
  if (!straight.ok) return [`the vendor's own SDK threw ${straight.error.message}`];
  if (isRefused(outcome)) return [];
  if (sent === undefined) return ["nothing was sent", JSON.stringify(result)];
  if (isOwn) return outcome.isVerbatim ? [] : ["bytes of its own protocol were changed"];
  return [...unexcused(asked, sent, losses), ...differences(straight.seen, result, client.dialect)];
}

/** A stream tells what the whole answer does, and loses the same of the request. */
function disagreements(whole: Outcome, streamed: Outcome): string[] {
  const wrong: string[] = [];
  if (!isDeepStrictEqual(whole.sent, streamed.sent)) wrong.push("a stream is asked otherwise");
  const more = streamed.losses.filter((code) => !whole.losses.includes(code));
  if (more.length > 0) wrong.push(`a stream loses ${more.join(" ")} as well`);
  if (!whole.result.ok || !streamed.result.ok) {
    return whole.result.ok === streamed.result.ok ? wrong : [...wrong, "one of the two threw"];
  }
  if (!isDeepStrictEqual(whole.result.seen, streamed.result.seen)) {
    wrong.push(
      `${JSON.stringify(whole.result.seen)} streamed ${JSON.stringify(streamed.result.seen)}`,
    );
  }
  return wrong;
}
