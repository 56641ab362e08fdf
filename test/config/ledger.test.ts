import { expect, test } from "bun:test";
import { resolve } from "../../src/config/resolve.ts";

function ledgerOf(said: string) {
  const resolved = resolve(`providers: { ollama: {} }\nledger: ${said}\n`, {
    ...{ path: "test.yaml", env: {} },
  });
  return resolved.ok ? resolved.config.ledger : resolved.errors.map(({ path }) => path);
}

test.each([
  ["{}", { enabled: true, isWanted: false, onFailure: { mode: "strict" } }],
  ["{ enabled: false }", { enabled: false, isWanted: false, onFailure: { mode: "strict" } }],
  ["{ enabled: true }", { enabled: true, isWanted: true, onFailure: { mode: "strict" } }],
  [
    "{ on_failure: grace }",
    {
      enabled: true,
      isWanted: true,
      onFailure: { mode: "grace", graceMs: 300_000, capNano: 1_000_000_000 },
    },
  ],
  [
    "{ on_failure: grace, grace_seconds: 60, grace_usd: 0.25 }",
    {
      enabled: true,
      isWanted: true,
      onFailure: { mode: "grace", graceMs: 60_000, capNano: 250_000_000 },
    },
  ],
])("ledger: %s", (said, expected) => expect(ledgerOf(said)).toEqual(expected as never));

test.each([
  ["{ grace_seconds: 60 }", ["ledger.grace_seconds"]],
  ["{ on_failure: strict, grace_usd: 1 }", ["ledger.grace_usd"]],
  ["{ on_failure: never }", ["ledger.on_failure"]],
  ["{ on_failure: grace, grace_usd: -1 }", ["ledger.grace_usd"]],
])("what bounds nothing or means nothing is refused where it stands: %s", (said, paths) => {
  expect(ledgerOf(said)).toEqual(paths as never);
});
