import { expect, test } from "bun:test";
import fc from "fast-check";
import { checkHost } from "../../src/admin/host.ts";

test("addresses, localhost and names we were told are ours are let in", () => {
  const ours = ["127.0.0.1", "127.0.0.1:9090", "[::1]:9090", "10.1.2.3", "localhost:9090"];
  for (const host of [...ours, "LOCALHOST", "Gateway.Example:9090"]) {
    expect(checkHost(host, ["gateway.example"])).toBe("ok");
  }
});

test("no name a stranger can register is let in, which is what DNS rebinding needs", () => {
  const foreign = fc.domain().filter((name) => name !== "localhost");
  fc.assert(
    fc.property(foreign, fc.option(fc.integer({ min: 1, max: 65535 })), (name, port) => {
      const host = port === null ? name : `${name}:${port}`;
      expect(checkHost(host, ["gateway.example"])).toBe("not_allowed");
    }),
  );
  for (const host of ["127.0.0.1.evil.example", "localhost.evil.example", "x-localhost"]) {
    expect(checkHost(host, [])).toBe("not_allowed");
  }
});

test("what is no host at all is malformed", () => {
  const bad = ["", " ", "a, b", "localhost, localhost", "a@b", "a/metrics?x=", "a#", "a\\b", "a b"];
  for (const host of [null, ...bad, "localhost:9090x", "[::1", "::1", "a..b", ".", "localhost:"]) {
    expect(checkHost(host, [])).toBe(host === "localhost:" ? "ok" : "malformed");
  }
});

test("the verdict takes linear time on the longest header there can be", () => {
  // A pattern that backtracks would not come back from this one within the test's time limit.
  const long = `${"a-".repeat(8000)}!`;
  for (const host of [long, "a.".repeat(8000) + "!", `${"1".repeat(16000)}:x`]) {
    expect(checkHost(host, [])).toBe("malformed");
  }
});
