import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Rejection } from "../../src/core/rejection.ts";
import { canonicalPath, checkHost, findRoute } from "../../src/ingress/path.ts";

function routeOf(target: string, headers: Record<string, string> = {}) {
  const path = canonicalPath(`http://127.0.0.1:8080${target}`);
  if (path instanceof Rejection) throw new Error(path.reason.kind);
  return findRoute(path, new Headers(headers));
}
const pathOf = (target: string) => canonicalPath(`http://127.0.0.1:8080${target}`);

test("an ordinary path passes as it is, its query apart", () => {
  expect(pathOf("/v1/chat/completions?a=b?c")).toEqual({
    path: "/v1/chat/completions",
    query: "a=b?c",
  });
  expect(pathOf("")).toEqual({ path: "/", query: "" });
});

describe("a path that two readers may read differently is refused, saying what and how to mend", () => {
  test.each([
    ["/v1//chat/completions", "ends in '/'"],
    ["//v1/chat/completions", "ends in '/'"],
    ["/v1/chat%2fcompletions", "encoded slash"],
    ["/v1/chat%2Fcompletions", "encoded slash"],
    ["/v1%5cchat", "backslash"],
    ["/v1/%2e%2e/admin", "dot"],
    ["/v1/%252e%252e/admin", "percent"],
    ["/v1/chat%00", "NUL"],
    ["/v1\\chat", "backslash"],
    ["/v1/chat;x=1/completions", "semicolon"],
    ["/v1/../admin", "dot segment"],
    ["/v1/./chat", "dot segment"],
    ["/v1/..", "dot segment"],
    ["/v1/50%", "encodes nothing"],
  ])("%s", (target, words) => {
    const refused = pathOf(target);
    expect(refused).toBeInstanceOf(Rejection);
    const { reason } = refused as Rejection;
    expect(reason.kind === "bad_path" && reason.detail).toContain(words);
  });
});

test("every path that passes is one that URL parsing leaves alone", () => {
  const segment = fc.string({ unit: fc.constantFrom(..."ab.%2e25fF/\\;:@-_~"), maxLength: 12 });
  fc.assert(
    fc.property(segment, (text) => {
      const canonical = canonicalPath(`http://h/${text}`);
      if (canonical instanceof Rejection) return;
      expect(new URL(`http://h/${text}`).pathname).toBe(canonical.path);
      expect(unescape(canonical.path).split("/")).not.toContain("..");
    }),
    { numRuns: 5000 },
  );
});

describe("Host must be one well-formed name or address (RFC 9112 §3.2)", () => {
  test.each(["localhost", "127.0.0.1:8080", "[::1]:8080", "gpu-box.lan", "A.Example.com:1"])(
    "%s passes",
    (host) => expect(checkHost(host, [])).toBeUndefined(),
  );
  test.each(["", " ", "a, b", "a b", "a@b", "a/admin?x=", "a#", "a\\b", "[::1", "a:b", "-a", null])(
    "%p is refused",
    (host) => expect(checkHost(host, [])?.reason.kind).toBe("malformed"),
  );
  test("with allowed_hosts only those pass, whatever their case and port", () => {
    expect(checkHost("API.example.com:8443", ["api.example.com"])).toBeUndefined();
    expect(checkHost("evil.example.com", ["api.example.com"])?.reason.kind).toBe("malformed");
  });
});

test("a model's name may hold slashes and encoded characters", () => {
  const named = (name: string) => ({ kind: "models", dialect: "openai", name }) as const;
  expect(routeOf("/v1/models/meta-llama/Llama-3:free")).toEqual(named("meta-llama/Llama-3:free"));
  expect(routeOf("/v1/models/a%20b")).toEqual(named("a b"));
  expect(routeOf("/v1/models/%ff")).toBeUndefined();
  expect(routeOf("/v1/nothing")).toBeUndefined();
});

describe("a path says which protocol is spoken, and in two of them the model and the framing", () => {
  test.each([
    ["/v1/chat/completions", "openai", "chat", undefined, undefined],
    ["/v1/responses", "responses", "chat", undefined, undefined],
    ["/v1/messages", "anthropic", "chat", undefined, undefined],
    ["/v1/messages/count_tokens", "anthropic", "count_tokens", undefined, undefined],
    ["/v2/chat", "cohere", "chat", undefined, undefined],
    ["/v1beta/models/gemini-x:generateContent", "gemini", "chat", "gemini-x", false],
    ["/v1/models/gemini-x:streamGenerateContent", "gemini", "chat", "gemini-x", true],
    [
      "/v1/projects/p/locations/eu/publishers/google/models/g:streamGenerateContent",
      ...["gemini", "chat", "g", true],
    ],
    ["/model/anthropic.claude-v1%3A0/converse", "bedrock", "chat", "anthropic.claude-v1:0", false],
    [
      "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x/converse-stream",
      ...["bedrock", "chat", "arn:aws:bedrock:us-east-1:1:inference-profile/us.x", true],
    ],
    ["/model/m/invoke-with-response-stream", "bedrock", "invoke", "m", true],
  ] as const)("%s", (path, dialect, operation, model, stream) => {
    const route = routeOf(path);
    expect(route).toMatchObject({ kind: "call", dialect, head: { operation } });
    if (route?.kind !== "call") throw new Error("no call");
    expect(route.head.model).toBe(model as string | undefined);
    expect(route.head.stream).toBe(stream as boolean | undefined);
  });
});

test("a first segment that is not ours may be a provider's, a pool's or a model's name", () => {
  expect(routeOf("/groq/openai/v1/chat/completions")).toEqual({
    ...{ kind: "named", name: "groq", rest: "/openai/v1/chat/completions", query: "" },
    dialect: "openai",
  });
  for (const path of ["/v2/nothing", "/admin/x", "/model/x", "/v1beta", "/metrics"]) {
    expect(routeOf(path)).toBeUndefined();
  }
});

test("a Gemini key in the query is for us: it is in no query that goes on", () => {
  const route = routeOf("/v1beta/models/g:generateContent?key=canary&alt=sse");
  expect(JSON.stringify(route)).not.toContain("canary");
  expect(route).toMatchObject({ head: { query: "alt=sse" } });
});
