import { expect, test } from "bun:test";
import type { CallHead } from "../../../src/core/request.ts";
import { anthropic } from "../../../src/protocol/anthropic/dialect.ts";

function pathOf(head: Partial<CallHead>): string {
  const given = { operation: "chat", tail: "/x", query: "", model: undefined, stream: undefined };
  const whole = { ...given, ...head } as CallHead;
  return anthropic.upstreamPath({ head: whole, model: "m", stream: false });
}

test("every call goes below the host, its query kept", () => {
  expect(pathOf({ query: "beta=true" })).toBe("/v1/messages?beta=true");
  expect(pathOf({ operation: "count_tokens" })).toBe("/v1/messages/count_tokens");
  expect(pathOf({ operation: "completions", tail: "/complete" })).toBe("/v1/complete");
  expect(pathOf({ operation: "native", tail: "/v1/files", query: "limit=1" })).toBe(
    "/v1/files?limit=1",
  );
});
test("every stream tells its usage unasked, and ends like a stream of events", () => {
  expect(anthropic.usageOnRequest).toBeUndefined();
  expect([anthropic.streamType, anthropic.brokenEnd]).toEqual(["text/event-stream", "close"]);
});
