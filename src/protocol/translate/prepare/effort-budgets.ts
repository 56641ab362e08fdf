import { EFFORTS, type Effort } from "../../../core/effort.ts";

/** How many tokens of thinking a word stands for: protocols.md §3.8. `none` is none at all. */
export const BUDGET_OF: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 1024,
  low: 4096,
  medium: 8192,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768,
};

/** The word whose budget is nearest, in proportion; never `none`. */
export function effortOf(budgetTokens: number): Effort {
  let nearest: Effort = "minimal";
  for (const effort of EFFORTS) {
    if (effort === "none" || effort === "max") continue;
    if (distance(effort, budgetTokens) <= distance(nearest, budgetTokens)) nearest = effort;
  }
  return nearest;
}

function distance(effort: Effort, budgetTokens: number): number {
  return Math.abs(Math.log(BUDGET_OF[effort] / Math.max(1, budgetTokens)));
}

/** The word of `known` that comes nearest, the weaker of two; undefined when it knows none. */
export function nearestEffort(effort: Effort, known: readonly Effort[]): Effort | undefined {
  if (known.includes(effort)) return effort;
  const wanted = EFFORTS.indexOf(effort);
  let nearest: Effort | undefined;
  let gapMin = Number.POSITIVE_INFINITY;
  for (const word of known) {
    // To think a little where thinking was asked for is nearer than not to think at all.
    if (word === "none") continue;
    const gap = Math.abs(EFFORTS.indexOf(word) - wanted);
    if (gap < gapMin) [nearest, gapMin] = [word, gap];
  }
  return nearest;
}
