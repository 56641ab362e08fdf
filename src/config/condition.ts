import type { ModelCondition } from "./config.ts";

const CONDITION = /^\s*model\s+([a-z_]+|==)\s+('(?:[^']|'')*'|"(?:[^"]|"")*")\s*$/;
const TESTS: ReadonlyMap<string, ModelCondition["test"]> = new Map([
  ["starts_with", "starts_with"],
  ["ends_with", "ends_with"],
  ["contains", "contains"],
  ["equals", "equals"],
  ["==", "equals"],
]);

/** What a condition may look like, for messages. */
export const CONDITION_FORM = "model starts_with 'x' (or ends_with, contains, equals, ==)";

/** Reads `model starts_with 'claude'`. A quote inside the quotes is written twice. */
export function readCondition(text: string): ModelCondition | undefined {
  const [, word = "", quoted = ""] = CONDITION.exec(text) ?? [];
  const test = TESTS.get(word);
  const mark = quoted.slice(0, 1);
  const value = quoted.slice(1, -1).replaceAll(mark + mark, mark);
  return test === undefined || value === "" ? undefined : { test, value };
}

/** Whether a rule with this condition is for `model`. */
export function meetsCondition({ test, value }: ModelCondition, model: string): boolean {
  switch (test) {
    case "starts_with":
      return model.startsWith(value);
    case "ends_with":
      return model.endsWith(value);
    case "contains":
      return model.includes(value);
    case "equals":
      return model === value;
  }
}

/** The text that `readCondition` reads as this condition. */
export function printCondition({ test, value }: ModelCondition): string {
  return `model ${test} '${value.replaceAll("'", "''")}'`;
}
