import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { AuthScheme } from "../../src/core/backend.ts";
import type { DialectId } from "../../src/core/ids.ts";
import { Secret } from "../../src/core/secret.ts";
import { relayedHeaders, upstreamHeaders } from "../../src/upstream/headers.ts";
import { backendOf } from "./pieces.ts";

const OURS = ["content-type", "accept-encoding", "user-agent", "accept"];
const CLIENTS = ["accept", "openai-beta", "idempotency-key"];
const OPENAI = {
  host: undefined,
  userAgent: "interlock/1",
  wire: "openai",
  operation: "chat",
} as const;
const CREDENTIALS = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];

/** Names a client, a proxy or a cloud puts on requests, none of which is an upstream's business. */
const NEVER = `authorization proxy-authorization x-api-key api-key x-goog-api-key cookie cookie2
  x-privacy x-interlock-route x-request-id connection keep-alive proxy-connection te trailer
  transfer-encoding upgrade http2-settings expect content-length content-encoding host origin referer
  forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-real-ip via cf-connecting-ip
  true-client-ip metadata-flavor x-aws-ec2-metadata-token x_privacy openai-organization
  openai-project x-stainless-lang traceparent baggage range if-none-match`.split(/\s+/);

const token = fc.string({
  unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz0123456789-_"),
  minLength: 1,
  maxLength: 24,
});
const name = fc.oneof(token, fc.constantFrom(...NEVER, ...CLIENTS));
const value = fc
  .string({ unit: fc.constantFrom(..."abcXYZ019 ,;=/"), minLength: 1 })
  .map((text) => `v${text}v`);
const headersOf = fc.array(fc.tuple(name, value)).map((pairs) => new Headers(pairs));

function upstream(client: Headers, auth: AuthScheme = "none", credential?: string) {
  const secret = credential === undefined ? undefined : new Secret(credential);
  const backend = backendOf({ auth, credential: secret });
  return upstreamHeaders(client, backend, { ...OPENAI, translated: false });
}

test("of a client's headers only those on the list go upstream, as they came", () => {
  fc.assert(
    fc.property(headersOf, (client) => {
      const sent = upstream(client);
      for (const [header, text] of Object.entries(sent)) {
        const given = client.get(header);
        if (CLIENTS.includes(header) && given !== null) expect(text).toBe(given);
        else expect(OURS).toContain(header);
      }
      for (const listed of CLIENTS) {
        if (client.has(listed)) expect(sent[listed]).toBe(client.get(listed)!);
      }
    }),
  );
});

test.each(NEVER)("%s never goes upstream", (header) => {
  const sent = upstream(new Headers([[header, "canary"]]));
  expect(JSON.stringify(sent)).not.toContain("canary");
});

test("what a client says of its own software, encoding and type is replaced", () => {
  const client = new Headers({
    "user-agent": "canary",
    "accept-encoding": "gzip, br",
    "content-type": "application/json; canary",
  });
  expect(upstream(client)).toEqual({
    "content-type": "application/json",
    "accept-encoding": "identity",
    "user-agent": "interlock/1",
    accept: "*/*",
  });
});

test("what means something to one protocol goes to its own backends only", () => {
  const client = new Headers({
    "anthropic-beta": "b",
    "openai-beta": "o",
    "anthropic-version": "v",
  });
  const to = (wire: DialectId, translated = false) =>
    upstreamHeaders(client, backendOf(), { ...OPENAI, wire, translated });
  expect(to("anthropic")).toMatchObject({ "anthropic-beta": "b", "anthropic-version": "v" });
  expect(to("anthropic")["openai-beta"]).toBeUndefined();
  expect(to("openai")["anthropic-beta"]).toBeUndefined();
  expect(to("cohere")["openai-beta"]).toBeUndefined();
  // A translated call says nothing of the caller's; what the target insists on is said for it.
  expect(to("anthropic", true)["anthropic-version"]).toBe("2023-06-01");
  expect(to("anthropic", true)["anthropic-beta"]).toBeUndefined();
});

test("a backend dialled by address is told its name", () => {
  const options = { ...OPENAI, host: "gpu.lan:8000", translated: false };
  const sent = upstreamHeaders(new Headers({ host: "canary" }), backendOf(), options);
  expect(sent["host"]).toBe("gpu.lan:8000");
});

describe("the credential", () => {
  const client = new Headers(CREDENTIALS.map((header) => [header, "client-canary"]));
  test.each<[AuthScheme, Record<string, string>]>([
    ["bearer", { authorization: "Bearer ours" }],
    ["x-api-key", { "x-api-key": "ours" }],
    ["api-key", { "api-key": "ours" }],
    ["x-goog-api-key", { "x-goog-api-key": "ours" }],
    ["none", {}],
  ])("is ours alone, in the one header of the scheme %s", (auth, wanted) => {
    const sent = upstream(client, auth, "ours");
    const shown = Object.entries(sent).filter(([header]) => CREDENTIALS.includes(header));
    expect(Object.fromEntries(shown)).toEqual(wanted);
  });
  test("is nobody's where the backend has none", () => {
    const sent = upstream(client, "bearer");
    expect(CREDENTIALS.filter((header) => header in sent)).toEqual([]);
  });
});

describe("of an upstream's headers", () => {
  const listed = `content-type content-encoding retry-after retry-after-ms request-id
    openai-processing-ms openai-version x-ratelimit-limit-requests x-ratelimit-remaining-tokens
    x-ratelimit-reset-requests x-ratelimit-limit x-ratelimit-remaining x-ratelimit-reset`.split(
    /\s+/,
  );

  test("those on the list go to the client", () => {
    const given = Object.fromEntries(listed.map((header) => [header, "v"]));
    expect(relayedHeaders(new Headers(given), "openai")).toEqual(given);
  });

  test("no other does", () => {
    const allowed =
      /^(?:content-(?:type|encoding)|retry-after(?:-ms)?|request-id|openai-(?:processing-ms|version)|x-ratelimit-.*|x-should-retry)$/;
    const named = fc.oneof(
      token,
      fc.constantFrom(
        ...`set-cookie server via alt-svc strict-transport-security connection keep-alive
        transfer-encoding content-length location www-authenticate access-control-allow-origin
        openai-organization x-request-id x-interlock-route cf-ray`.split(/\s+/),
      ),
    );
    const headers = fc.array(fc.tuple(named, value));
    fc.assert(
      fc.property(headers, (pairs) => {
        for (const header of Object.keys(relayedHeaders(new Headers(pairs), "openai"))) {
          expect(header).toMatch(allowed);
        }
      }),
    );
  });

  test("a value longer than any of them needs is dropped", () => {
    const relayed = (length: number) =>
      relayedHeaders(new Headers({ "request-id": "x".repeat(length) }), "openai");
    expect(Object.keys(relayed(1024))).toEqual(["request-id"]);
    expect(relayed(1025)).toEqual({});
  });
});
