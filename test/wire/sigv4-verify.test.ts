import { describe, expect, test } from "bun:test";
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import fc from "fast-check";
import type { SignableRequest } from "../../src/wire/sigv4-canonical.ts";
import {
  isSigV4,
  readAuthorization,
  type SignatureCheck,
  verifyRequest,
} from "../../src/wire/sigv4-verify.ts";
import { signRequest } from "../../src/wire/sigv4.ts";

const NOW = Date.UTC(2026, 10, 20, 12, 0, 0);
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const REQUEST: SignableRequest = {
  method: "POST",
  host: "gateway.test:8443",
  path: "/model/amazon.nova-lite-v1%3A0/converse",
  query: "a=1&b=%C3%A9",
  headers: { "content-type": "application/json", "x-amzn-bedrock-trace": "ENABLED" },
  body: utf8('{"messages":[]}'),
};
function signed(request: SignableRequest, at = NOW): SignableRequest {
  const added = signRequest(request, {
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: SECRET },
    region: "eu-west-1",
    service: "bedrock",
    at,
    sendContentHash: true,
  });
  return { ...request, headers: { ...request.headers, ...added } };
}
const check = (request: SignableRequest, change: object = {}): SignatureCheck =>
  verifyRequest(request, { secretAccessKey: SECRET, at: NOW, service: "bedrock", ...change });
const why = (request: SignableRequest, change: object = {}) => {
  const result = check(request, change);
  return result.ok ? "ok" : result.why;
};
const withHeader = (request: SignableRequest, name: string, value: string): SignableRequest => ({
  ...request,
  headers: { ...request.headers, [name]: value },
});

const name = fc.stringMatching(/^x-[a-z]{1,8}$/);
const visible = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
const anyRequest = fc.record({
  method: fc.constantFrom("GET", "POST"),
  host: fc.constantFrom("gateway.test", "127.0.0.1:8443"),
  path: fc.webPath({ size: "small" }).map((path) => `/${path}`),
  query: fc.webQueryParameters({ size: "small" }),
  headers: fc.dictionary(name, visible, { maxKeys: 4 }),
  body: fc.option(fc.uint8Array({ maxLength: 64 }), { nil: undefined }),
});

describe("a signature", () => {
  test("that was made for a request holds for it, whatever it is", () => {
    fc.assert(fc.property(anyRequest, (request) => expect(why(signed(request))).toBe("ok")));
  });
  test("names its key before anything is proven", () => {
    const result = check(signed(REQUEST));
    expect(result.ok && result.authorization).toMatchObject({
      accessKeyId: "AKIDEXAMPLE",
      scope: { date: "20261120", region: "eu-west-1", service: "bedrock" },
    });
  });
  test("holds for no other secret", () =>
    expect(why(signed(REQUEST), { secretAccessKey: "another" })).toBe("mismatch"));
  test("holds for no other service", () =>
    expect(why(signed(REQUEST), { service: "s3" })).toBe("wrong_scope"));

  const changedText = (text: string, at: number) => {
    const index = at % text.length;
    const other = text[index] === "x" ? "y" : "x";
    return text.slice(0, index) + other + text.slice(index + 1);
  };
  test("fails when one character of the path is another", () => {
    fc.assert(
      fc.property(fc.nat(200), (at) => {
        const request = signed(REQUEST);
        const path = `/${changedText(request.path.slice(1), at)}`;
        expect(why({ ...request, path })).toBe("mismatch");
      }),
    );
  });
  test("fails when one character of the query is another", () => {
    const request = signed(REQUEST);
    for (let at = 0; at < REQUEST.query.length; at++) {
      expect(why({ ...request, query: changedText(REQUEST.query, at) })).toBe("mismatch");
    }
  });
  test("fails when one byte of the body is another", () => {
    fc.assert(
      fc.property(fc.nat(14), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const body = REQUEST.body!.slice();
        body[at]! ^= change;
        expect(why({ ...signed(REQUEST), body })).toBe("mismatch");
      }),
    );
  });
  test("fails when the body is gone", () =>
    expect(why({ ...signed(REQUEST), body: undefined })).toBe("mismatch"));
  test("fails when the method or the host is another", () => {
    expect(why({ ...signed(REQUEST), method: "PUT" })).toBe("mismatch");
    expect(why({ ...signed(REQUEST), host: "gateway.test" })).toBe("mismatch");
  });
  test("fails when one character of a signed header is another, or the header is gone", () => {
    const request = signed(REQUEST);
    for (const key of ["content-type", "x-amzn-bedrock-trace", "x-amz-content-sha256"]) {
      const value = request.headers[key]!;
      for (let at = 0; at < value.length; at++) {
        expect(why(withHeader(request, key, changedText(value, at)))).toBe("mismatch");
      }
      const { [key]: _, ...headers } = request.headers;
      expect(why({ ...request, headers })).toBe("mismatch");
    }
  });
  test("fails when any character of itself is another", () => {
    const request = signed(REQUEST);
    const { authorization = "" } = request.headers;
    for (let at = authorization.indexOf("Signature=") + 10; at < authorization.length; at++) {
      const other = authorization[at] === "0" ? "1" : "0";
      const changed = authorization.slice(0, at) + other + authorization.slice(at + 1);
      expect(why(withHeader(request, "authorization", changed))).toBe("mismatch");
    }
  });
  test("holds beside headers that were added on the way", () =>
    expect(why(withHeader(signed(REQUEST), "x-forwarded-for", "10.0.0.1"))).toBe("ok"));
  test("holds whatever the case of a header's name and the spaces around its value", () => {
    const { "content-type": type, ...headers } = signed(REQUEST).headers;
    expect(why({ ...REQUEST, headers: { ...headers, "Content-Type": `  ${type}\t` } })).toBe("ok");
  });
});

describe("the clock", () => {
  const minutes = (count: number) => count * 60_000;
  test("may be five minutes off either way and no more", () => {
    for (const off of [minutes(5), -minutes(5), 0]) {
      expect(why(signed(REQUEST, NOW + off))).toBe("ok");
    }
    for (const off of [minutes(5) + 1000, -minutes(5) - 1000]) {
      expect(why(signed(REQUEST, NOW + off))).toBe("skew");
    }
  });
  test("is not told to whoever has no secret", () =>
    expect(why(signed(REQUEST, 0), { secretAccessKey: "x" })).toBe("mismatch"));
  test("says midnight: the scope's day is that of the stamp", () => {
    const request = withHeader(signed(REQUEST), "x-amz-date", "20261121T000000Z");
    expect(why(request)).toBe("wrong_scope");
  });
});

describe("a header", () => {
  const { authorization = "" } = signed(REQUEST).headers;
  test("that leaves the host or the date unsigned is refused", () => {
    const without = (part: string) =>
      withHeader(signed(REQUEST), "authorization", authorization.replace(part, ""));
    expect(why(without("host;"))).toBe("host_unsigned");
    expect(why(without(";x-amz-date"))).toBe("date_unsigned");
  });
  test.each([
    ["none at all", ""],
    ["a bearer", "Bearer x"],
    ["no scope", authorization.replace("/aws4_request", "")],
    ["an odd signature", authorization.slice(0, -1)],
    ["names out of order", authorization.replace("content-type;host", "host;content-type")],
    ["capitals in a name", authorization.replace("content-type", "Content-Type")],
    ["endless", `${authorization.replace("AKID", "A".repeat(5000))}`],
  ])("is not read: %s", (_, header) => {
    expect(readAuthorization(header)).toBeUndefined();
    expect(why(withHeader(signed(REQUEST), "authorization", header))).toBe("malformed");
  });
  test("of this scheme is told by its first word", () => {
    expect(isSigV4(authorization)).toBe(true);
    expect(isSigV4("Bearer AWS4-HMAC-SHA256 ")).toBe(false);
  });
  test("of any kind is survived", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (header, stamp) => {
        const odd = { ...REQUEST, headers: { authorization: header, "x-amz-date": stamp } };
        expect(check(odd).ok).toBe(false);
      }),
    );
  });
});

/** What the SDK hands to its transport. */
interface SdkRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

test("what the AWS SDK signs holds, and not after a byte was changed", async () => {
  const seen: SdkRequest[] = [];
  const client = new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint: "http://gateway.test:8080",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: SECRET, sessionToken: "TOKEN" },
    maxAttempts: 1,
    requestHandler: {
      handle(request: SdkRequest) {
        seen.push(request);
        return Promise.reject(new Error("seen"));
      },
    },
  });
  const modelId = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.claude-v1:0";
  const sent = client.send(new ConverseCommand({ modelId, messages: [] }));
  expect(await sent.catch(String)).toContain("seen");
  const [{ method, path, query, headers, body }] = seen as [SdkRequest];
  const request: SignableRequest = {
    method,
    host: headers["host"]!,
    path,
    query: new URLSearchParams(query).toString(),
    headers,
    body: typeof body === "string" ? utf8(body) : body,
  };
  const stamp = headers["x-amz-date"]!;
  const at = Date.parse(stamp.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
  expect(why(request, { at })).toBe("ok");
  expect(why({ ...request, path: path.replace("claude", "claudf") }, { at })).toBe("mismatch");
  expect(why({ ...request, body: utf8("{}") }, { at })).toBe("mismatch");
});
