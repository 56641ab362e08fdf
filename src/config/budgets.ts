import type { OnExhausted } from "../core/limits.ts";
import type { BudgetStatus } from "../core/rejection.ts";
import { choose } from "./choose.ts";
import type { BudgetsConfig } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import type { Findings } from "./findings.ts";
import type { FileConfig } from "./schema.ts";

/** What `budgets:` says of the budgets of all keys. */
export function readBudgets({ budgets }: FileConfig, findings: Findings): BudgetsConfig {
  const { status, on_exhausted } = budgets ?? {};
  return {
    onExhausted: choose<OnExhausted>(
      { path: "budgets.on_exhausted", given: on_exhausted, otherwise: DEFAULTS.onExhausted },
      findings,
    ),
    status: choose<BudgetStatus>(
      { path: "budgets.status", given: status, otherwise: DEFAULTS.budgetStatus },
      findings,
    ),
  };
}
