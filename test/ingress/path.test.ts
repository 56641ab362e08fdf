import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Rejection } from "../../src/core/rejection.ts";
import { canonicalPath, checkHost, findRoute } from "../../src/ingress/path.ts";

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
  expect(findRoute("/v1/models/meta-llama/Llama-3:free")).toEqual({
    kind: "model",
    name: "meta-llama/Llama-3:free",
  });
  expect(findRoute("/v1/models/a%20b")).toEqual({ kind: "model", name: "a b" });
  expect(findRoute("/v1/models/%ff")).toBeUndefined();
  expect(findRoute("/v1/nothing")).toBeUndefined();
});
