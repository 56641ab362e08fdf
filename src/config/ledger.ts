import { choose } from "./choose.ts";
import type { LedgerConfig } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import { type Findings, finding } from "./findings.ts";
import { NANO_PER_USD } from "./limits.ts";
import type { FileConfig } from "./schema.ts";

const BOUNDS = ["grace_seconds", "grace_usd"] as const;

/** What `ledger:` says of facts of usage, and of the time when they cannot be written. */
export function readLedger(file: FileConfig, findings: Findings): LedgerConfig {
  const ledger = file.ledger ?? {};
  const number = (name: (typeof BOUNDS)[number], otherwise: number): number =>
    choose({ path: `ledger.${name}`, given: ledger[name], otherwise }, findings);
  const enabled = choose(
    { path: "ledger.enabled", given: ledger.enabled, otherwise: true },
    findings,
  );
  const mode = choose<"strict" | "grace">(
    { path: "ledger.on_failure", given: ledger.on_failure, otherwise: "strict" },
    findings,
  );
  const isWanted = enabled && (ledger.enabled ?? ledger.on_failure) !== undefined;
  if (mode === "strict") {
    for (const name of BOUNDS) {
      if (ledger[name] === undefined) continue;
      const fix = "say on_failure: grace, or remove it";
      findings.errors.push(finding(`ledger.${name}`, "bounds nothing without grace", fix));
    }
    return { enabled, isWanted, onFailure: { mode } };
  }
  const graceMs = number("grace_seconds", DEFAULTS.ledgerGraceSeconds) * 1000;
  const capNano = Math.round(number("grace_usd", DEFAULTS.ledgerGraceUsd) * NANO_PER_USD);
  return { enabled, isWanted, onFailure: { mode, graceMs, capNano } };
}
