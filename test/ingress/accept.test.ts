import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Rejection } from "../../src/core/rejection.ts";
import { accept } from "../../src/ingress/accept.ts";
import { configOf } from "../sim/gateway.ts";

const { server } = configOf(`
providers: { gpu: { protocol: openai, base_url: "http://127.0.0.1:8000/v1" } }
models: { m: { provider: gpu } }
`);

/** A request head as the server in front hands it over; any method, which the web class forbids. */
function head(method: string, path: string, more: Record<string, string> = {}) {
  const headers = new Headers({ host: "127.0.0.1:8080", ...more });
  return { method, url: `http://127.0.0.1:8080${path}`, headers } as globalThis.Request;
}
const reasonOf = (result: unknown) => (result instanceof Rejection ? result.reason : undefined);

describe("a route takes its own methods and no other", () => {
  const methods = fc.oneof(
    fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", ""),
    fc.string({ unit: fc.constantFrom(..."GETHADPOS, "), maxLength: 5 }),
  );
  test.each([
    ["/v1/chat/completions", ["POST"]],
    ["/v1/embeddings", ["POST"]],
    ["/v1/models", ["GET", "HEAD"]],
    ["/health", ["GET", "HEAD"]],
  ])("%s", (path, allowed) => {
    fc.assert(
      fc.property(methods, (method) => {
        const reason = reasonOf(accept(head(method, path), server));
        if (allowed.includes(method)) expect(reason).toBeUndefined();
        else expect(reason).toEqual({ kind: "method_not_allowed", allow: allowed.join(", ") });
      }),
    );
  });
});

describe("a header that may be said once is refused when it was said twice", () => {
  test.each(["authorization", "x-api-key", "x-goog-api-key", "content-type", "content-length"])(
    "%s",
    (name) => {
      const twice = head("POST", "/v1/chat/completions", { [name]: "1, 1" });
      expect(reasonOf(accept(twice, server))).toMatchObject({ kind: "malformed", param: name });
    },
  );
});

test("an AWS signature has commas of its own, and is refused when it was said twice", () => {
  const authorization =
    "AWS4-HMAC-SHA256 Credential=AKID/20261120/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=ab";
  const reason = (value: string) =>
    reasonOf(accept(head("POST", "/model/m/converse", { authorization: value }), server));
  expect(reason(authorization)).toBeUndefined();
  for (const twice of [`${authorization}, ${authorization}`, `${authorization}, Bearer x`]) {
    expect(reason(twice)).toMatchObject({ kind: "malformed", param: "authorization" });
  }
});

test("a path nobody serves is told apart from a method nobody takes", () => {
  expect(reasonOf(accept(head("POST", "/v1/nothing"), server))).toEqual({
    kind: "not_found",
    path: "/v1/nothing",
  });
});
