/** How hard a model should think, in the words of OpenAI's `reasoning_effort`, weakest first. */
export type Effort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";
export const EFFORTS = [
  "none",
  "minimal",
  "low",
  "medium",
  "high",
  "xhigh",
  "max",
] as const satisfies readonly Effort[];
