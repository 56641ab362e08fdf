import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { KeyConfig } from "../../src/config/config.ts";
import { UNLIMITED } from "../../src/core/limits.ts";
import { Rejection } from "../../src/core/rejection.ts";
import { Secret } from "../../src/core/secret.ts";
import { prove } from "../../src/ingress/signature.ts";
import { signRequest } from "../../src/wire/sigv4.ts";
import { ANONYMOUS, authenticate, keyRing } from "../../src/ingress/authenticate.ts";

const SECRET = "app-key-0123456789";
const digestOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");
const app: KeyConfig = {
  id: "app",
  digest: digestOf(SECRET),
  privacy: "private",
  allow: ["fast"],
  secret: new Secret("a-key-that-signs-0123456789"),
  streamFailure: undefined,
  onLoss: undefined,
  limits: UNLIMITED,
};
const wall = (): number => Date.parse("2026-11-20T12:00:00Z");
const ring = keyRing([app], { wall });

describe("a known key is found in each of the three headers", () => {
  test.each([
    { authorization: `Bearer ${SECRET}` },
    { authorization: `bearer ${SECRET}` },
    { "x-api-key": SECRET },
    { "x-goog-api-key": SECRET },
  ])("%p", (headers) => {
    expect(authenticate(new Headers(headers as Record<string, string>), ring)).toMatchObject({
      id: "app",
      privacy: "private",
    });
  });
});

test("Bearer goes before x-api-key: a wrong first one is not saved by a right second", () => {
  const headers = new Headers({ authorization: "Bearer wrong", "x-api-key": SECRET });
  expect(authenticate(headers, ring)).toBeInstanceOf(Rejection);
});

test("no other text is accepted in its place", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
      fc.pre(text.trim() !== SECRET);
      const headers = new Headers({ "x-api-key": text });
      const refused = authenticate(headers, ring);
      expect(refused instanceof Rejection && refused.reason.kind).toBe("unauthenticated");
    }),
  );
});

test("the digest itself is not a key", () => {
  const headers = new Headers({ authorization: `Bearer ${app.digest}` });
  expect(authenticate(headers, ring)).toBeInstanceOf(Rejection);
});

test("without any key configured everybody is the anonymous key", () => {
  expect(authenticate(new Headers(), keyRing([], { wall }))).toBe(ANONYMOUS);
});

describe("a request signed by AWS's Signature Version 4", () => {
  const secret = "a-key-that-signs-0123456789";
  const at = Date.parse("2026-11-20T12:00:00Z");
  const body = new TextEncoder().encode('{"messages":[]}');
  const ring = keyRing([{ ...app, id: "app", secret: new Secret(secret) }], { wall });

  /** The claim a request makes, and what its proof says. */
  function judged({ id = "app", secretAccessKey = secret, sent = body, seenAt = at } = {}) {
    const path = "/model/m%3A0/converse";
    const request = {
      ...{ method: "POST", host: "127.0.0.1:8080", path, query: "", body },
      headers: { "content-type": "application/json" },
    };
    const credentials = { accessKeyId: id, secretAccessKey };
    const added = signRequest(request, {
      credentials,
      region: "us-east-1",
      service: "bedrock",
      at,
    });
    const http = new Request(`http://127.0.0.1:8080${path}`, {
      method: "POST",
      headers: { host: request.host, ...request.headers, ...added },
    });
    const key = authenticate(http.headers, ring);
    if (key instanceof Rejection) return key;
    return prove(key.claim!, http, { body: sent, at: seenAt }) ?? key.id;
  }

  test("is the key's whose id is the access key and whose text is the secret", () => {
    expect(judged()).toBe("app");
  });

  test.each([
    ["with another secret", { secretAccessKey: "another-secret-0123456789" }],
    ["over another body", { sent: new TextEncoder().encode('{"messages":[1]}') }],
    ["ten minutes ago", { seenAt: at + 600_000 }],
    ["with a key nobody has", { id: "nobody" }],
  ])("%s is refused as unauthenticated", (_, how) => {
    const refused = judged(how);
    expect(refused instanceof Rejection && refused.reason.kind).toBe("unauthenticated");
  });
});
