import { expect, test } from "bun:test";
import type { Operation } from "../../../src/core/ids.ts";
import { cohere } from "../../../src/protocol/cohere/dialect.ts";

test.each<[Operation, string, string, string]>([
  ["chat", "/v2/chat", "", "/v2/chat"],
  ["chat", "/chat/completions", "", "/v2/chat"],
  ["chat", "/v2/chat", "a=1&b", "/v2/chat?a=1&b"],
  ["embeddings", "/v2/embed", "", "/v2/embed"],
  ["embeddings", "/v1/embed", "", "/v1/embed"],
  ["embeddings", "/embeddings", "", "/v2/embed"],
  ["rerank", "/v2/rerank", "", "/v2/rerank"],
  ["rerank", "/v1/rerank", "", "/v1/rerank"],
  ["rerank", "/rerank", "", "/v2/rerank"],
  ["native", "/v1/tokenize", "", "/v1/tokenize"],
  ["native", "/v2/datasets", "page=2", "/v2/datasets?page=2"],
])("%s at %s?%s goes to %s", (operation, tail, query, path) => {
  const head = { operation, tail, query, model: undefined, stream: undefined };
  expect(cohere.upstreamPath({ head, model: "m", stream: false })).toBe(path);
});

test("a stream that broke ends with a reset, and usage comes unasked", () => {
  expect([cohere.id, cohere.brokenEnd, cohere.usageOnRequest]).toEqual([
    "cohere",
    "reset",
    undefined,
  ]);
});
