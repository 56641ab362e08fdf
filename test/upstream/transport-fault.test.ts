import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Fault } from "../../src/core/fault.ts";
import { systemNetwork } from "../../src/runtime/network.ts";
import { transportFault } from "../../src/upstream/transport-fault.ts";
import { startFaultd } from "../faultd/faultd.ts";
import type { Script } from "../faultd/script.ts";

const NOT_SENT: Fault = { kind: "network", sent: false };
const SENT: Fault = { kind: "network", sent: true };

/** What a real fetch over a real socket ends in. */
async function faultOf(origin: string): Promise<Fault | "answered" | undefined> {
  const session = systemNetwork.session({
    proxy: undefined,
    unix: undefined,
    serverName: undefined,
  });
  const init = { method: "POST", body: "{}", redirect: "manual", proxy: false } as const;
  try {
    const response = await session.fetch(`${origin}/v1`, { ...init, keepalive: false });
    await response.bytes();
    return "answered";
  } catch (error) {
    return transportFault(error);
  } finally {
    session.close();
  }
}
async function faultAfter(script: Script): Promise<Fault | "answered" | undefined> {
  using upstream = startFaultd(() => script);
  return await faultOf(upstream.origin);
}

test("a port where nobody listens: the request was not sent", async () => {
  const upstream = startFaultd(() => ({ raw: "", then: "fin" }));
  const { origin } = upstream;
  upstream.stop();
  expect(await faultOf(origin)).toEqual(NOT_SENT);
});

test.each<[string, Script]>([
  ["a connection closed without a word", { raw: "", then: "fin" }],
  ["a connection reset without a word", { raw: "", then: "rst" }],
  ["a body cut short of its length", { body: "{}", declaredLength: 9, cut: { at: 1, how: "fin" } }],
  ["a reset inside the body", { body: "{}", cut: { at: 1, how: "rst" } }],
])("%s: the request was sent and may have run", async (_, script) => {
  expect(await faultAfter(script)).toEqual(SENT);
});

test.each<[string, Script]>([
  ["bytes that are no status line", { raw: "220 smtp.example ESMTP\r\n", then: "fin" }],
  [
    "a chunk size that is no number",
    { raw: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", then: "fin" },
  ],
])("%s: the far end does not speak HTTP", async (_, script) => {
  expect(await faultAfter(script)).toMatchObject({ kind: "protocol" });
});

test("a whole answer is no fault", async () => {
  expect(await faultAfter({ body: "{}" })).toBe("answered");
});

test("what is thrown with any other code counts as a request that may have run", () => {
  const known = /^(Invalid|Malformed|Unrequested|ResponseHeadersTooLarge|HTTP2|Zlib|EPROTO)/;
  const code = fc.string().filter((text) => !known.test(text));
  const thrown = fc.record({ code: fc.oneof(code, fc.nat()) });
  fc.assert(fc.property(thrown, (error) => expect(transportFault(error)).toEqual(SENT)));
});

test("what has no code is no fault of an upstream: it is ours", () => {
  const bare = fc.constant({ code: Object.create(null) as object });
  const thrown = fc.oneof(fc.string(), fc.constant(undefined), fc.date(), bare);
  fc.assert(fc.property(thrown, (error) => expect(transportFault(error)).toBeUndefined()));
});

test.each([
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
])("%s: the far end is not who it should be", (code) =>
  expect(transportFault(Object.assign(new Error(), { code }))).toEqual({ kind: "tls" }),
);

test.each(["ConnectionRefused", "ENOTFOUND"])(
  "%s comes before any byte of the request can have left",
  (code) => expect(transportFault(Object.assign(new Error(), { code }))).toEqual(NOT_SENT),
);
