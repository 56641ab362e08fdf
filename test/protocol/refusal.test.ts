import { expect, test } from "bun:test";
import { Rejection } from "../../src/core/rejection.ts";
import { refusalOf } from "../../src/protocol/refusal.ts";

test("a budget that is too small for a request is not called used up alone", () => {
  const reason = { kind: "budget_exhausted", status: 429, retryAfterMs: undefined } as const;
  const { message } = refusalOf(new Rejection(reason));
  expect(message).toStartWith("You exceeded your current quota: ");
  expect(message).toContain("less than this request may use");
});
