import { expect, test } from "bun:test";
import fc from "fast-check";
import { listedNames } from "../../../src/state/rate-card/model-names.ts";

test.each([
  ["gpt-4o", "gpt-4o", false],
  ["gpt-4o-2024-08-06", "gpt-4o", false],
  ["claude-sonnet-4-5-20250929", "claude-sonnet-4-5", false],
  ["claude-sonnet-4-5@20250929", "claude-sonnet-4-5", false],
  ["models/gemini-2.0-flash-001", "gemini-2.0-flash", false],
  ["us.anthropic.claude-sonnet-4-20250514-v1:0", "anthropic.claude-sonnet-4", true],
  ["global.anthropic.claude-sonnet-4-20250514-v1:0", "anthropic.claude-sonnet-4", false],
  [
    "arn:aws:bedrock:us-east-1:1:inference-profile/us-gov.amazon.nova-pro-v1:0",
    "amazon.nova-pro",
    true,
  ],
  ["openai/gpt-oss-120b", "openai/gpt-oss-120b", false],
  ["Mistral-Large-Latest", "mistral-large", false],
])("%s is a build of %s", (model, family, regional) => {
  const found = listedNames(model);
  expect(found.names.at(-1)).toBe(family);
  expect(found.regional).toBe(regional);
});

test.each(["gpt-4o-mini", "gpt-5.4-nano", "o3-pro", "mistral-large-2411", "qwen/qwen3-32b"])(
  "of %s nothing is a build",
  (model) => {
    expect(listedNames(model).names).toEqual([model]);
  },
);

test("the name itself comes first, and none is empty", () => {
  fc.assert(
    fc.property(fc.string(), (model) => {
      const { names } = listedNames(model);
      expect(names.slice(1)).not.toContain("");
      expect(model.toLowerCase().endsWith(names[0]!)).toBe(true);
    }),
  );
});
