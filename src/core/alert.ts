import type { Whose } from "./rejection.ts";

/** That so much of a budget is used up. Names, words and numbers: nothing that a caller sent. */
export interface BudgetAlert {
  /** The same for the same telling, so that who gets it twice can know. */
  readonly id: string;
  readonly whose: Whose;
  /** The key's or the tenant's. */
  readonly name: string;
  readonly percent: number;
  readonly unit: "usd" | "tokens";
  /** In nano-dollars or tokens. */
  readonly spent: number;
  readonly limit: number;
  readonly period: string;
  /** Which one: `2026-11`, `total`. */
  readonly periodName: string;
  /** A call was refused, as what is left is less than it may need. */
  readonly refused: boolean;
}
