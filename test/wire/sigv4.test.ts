import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { canonicalHeaders, canonicalRequest } from "../../src/wire/sigv4-canonical.ts";
import type { SignableRequest } from "../../src/wire/sigv4-canonical.ts";
import { regionOfHost, signingKey, signRequest, timestamp } from "../../src/wire/sigv4.ts";
import { fixture, haveRecordings, NO_RECORDINGS } from "../faultd/recordings.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A raw HTTP request of AWS's suite: folded and repeated headers, a target that may hold spaces. */
function parseRequest(text: string): SignableRequest & { readonly date: string | undefined } {
  const [head = "", ...bodies] = text.replaceAll("\r\n", "\n").split("\n\n");
  const [start = "", ...lines] = head.trimEnd().split("\n");
  const method = start.slice(0, start.indexOf(" "));
  const target = start.slice(method.length + 1, start.lastIndexOf(" HTTP/"));
  const mark = target.indexOf("?");
  const headers: Record<string, string> = {};
  let last = "";
  for (const line of lines) {
    if (/^\s/.test(line)) {
      headers[last] += `\n${line}`;
      continue;
    }
    last = line.slice(0, line.indexOf(":"));
    const value = line.slice(last.length + 1);
    headers[last] = headers[last] === undefined ? value : `${headers[last]},${value}`;
  }
  const { Host: host = "", ...others } = headers;
  const date = others["X-Amz-Date"] ?? others["X-amz-date"];
  delete others["X-Amz-Date"];
  delete others["X-amz-date"];
  const body = bodies.join("\n\n");
  return {
    method,
    host,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? "" : target.slice(mark + 1),
    headers: others,
    body: body === "" ? undefined : utf8(body),
    date,
  };
}

interface SuiteContext {
  readonly credentials: {
    readonly access_key_id: string;
    readonly secret_access_key: string;
    readonly token?: string;
  };
  readonly normalize: boolean;
  readonly region: string;
  readonly service: string;
  readonly sign_body: boolean;
  readonly timestamp: string;
  readonly omit_session_token?: boolean;
}

/** The canonical request that our signer makes: what it hashes, by its own two functions. */
function canonicalOf(
  request: SignableRequest,
  options: Parameters<typeof signRequest>[1],
): string | undefined {
  const added = signRequest(request, options);
  const names = /SignedHeaders=([^,]+)/.exec(added["authorization"]!)![1]!.split(";");
  const { authorization: _, ...others } = added;
  const headers = canonicalHeaders({ ...request, headers: { ...request.headers, ...others } });
  const payloadHash = new Bun.CryptoHasher("sha256").update(request.body ?? "").digest("hex");
  return canonicalRequest(request, { headers, names, payloadHash, rules: options });
}

describe.skipIf(!haveRecordings)(`AWS's own vectors ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const folder = fixture("sigv4");
  const names = haveRecordings ? readdirSync(folder) : [];
  const read = (name: string, file: string): string | undefined => {
    const path = `${folder}/${name}/${file}`;
    return existsSync(path) ? readFileSync(path, "utf8").replaceAll("\r\n", "\n") : undefined;
  };
  test("there are forty of them", () => expect(names).toHaveLength(40));

  for (const name of names.filter((one) => read(one, "context.json") !== undefined)) {
    test(name, () => {
      const context: SuiteContext = JSON.parse(read(name, "context.json")!);
      const { credentials: known } = context;
      const options = {
        credentials: {
          accessKeyId: known.access_key_id,
          secretAccessKey: known.secret_access_key,
          // That one vector adds the token to a request signed without it.
          sessionToken: context.omit_session_token === true ? undefined : known.token,
        },
        region: context.region,
        service: context.service,
        at: Date.parse(context.timestamp),
        normalizePath: context.normalize,
        sendContentHash: context.sign_body,
      };
      const request = parseRequest(read(name, "request.txt")!);
      expect(canonicalOf(request, options)).toBe(read(name, "header-canonical-request.txt")!);
      const { authorization } = signRequest(request, options);
      expect(authorization).toEndWith(`Signature=${read(name, "header-signature.txt")!.trim()}`);
      const signed = /^Authorization: ?(.*)$/m.exec(read(name, "header-signed-request.txt")!)!;
      expect(authorization).toBe(signed[1]!);
    });
  }

  // From smithy-rs, with a context of their own in its source; the second one's credentials are not.
  test("double-url-encode", () => {
    const request = parseRequest(read("double-url-encode", "request.txt")!);
    const options = {
      credentials: {
        accessKeyId: "AKIDEXAMPLE",
        secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
      },
      region: "us-east-2",
      service: "lambda",
      at: Date.UTC(2021, 4, 11, 15, 40, 45),
    };
    expect(canonicalOf(request, options)).toBe(
      read("double-url-encode", "header-canonical-request.txt")!.trimEnd(),
    );
    const text = read("double-url-encode", "header-string-to-sign.txt")!;
    const hash = new Bun.CryptoHasher("sha256").update(canonicalOf(request, options)!);
    expect(text.trimEnd().split("\n").at(-1)).toBe(hash.digest("hex"));
    const signed = read("double-url-encode", "header-signed-request.txt")!;
    expect(signed).toContain(signRequest(request, options)["authorization"]!);
  });
  test("double-encode-path", () => {
    const request = parseRequest(read("double-encode-path", "request.txt")!);
    const canonical = canonicalOf(request, {
      credentials: { accessKeyId: "ANOTREAL", secretAccessKey: "x" },
      region: "us-east-1",
      service: "execute-api",
      at: Date.UTC(2021, 4, 11, 15, 40, 45),
    });
    expect(canonical).toBe(read("double-encode-path", "header-canonical-request.txt")!.trimEnd());
  });
});

interface Golden {
  readonly name: string;
  readonly credentials: Parameters<typeof signRequest>[1]["credentials"];
  readonly region: string;
  readonly service: string;
  readonly date: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly query: Record<string, string>;
    readonly headers: Record<string, string>;
    readonly body?: string;
  };
  readonly canonicalRequest: string;
  readonly expectedHeaders: Record<string, string>;
}

describe.skipIf(!haveRecordings)(
  `@smithy/signature-v4's ${haveRecordings ? "" : NO_RECORDINGS}`,
  () => {
    const vectors: Golden[] = haveRecordings
      ? JSON.parse(readFileSync(fixture("sigv4-bedrock/vectors.json"), "utf8"))
      : [];
    test("there are ten of them", () => expect(vectors).toHaveLength(10));
    for (const { name, credentials, region, service, date, request: given, ...want } of vectors) {
      test(name, () => {
        const { host = "", ...headers } = given.headers;
        const query = Object.entries(given.query).map((pair) =>
          pair.map((part) => encodeURIComponent(part)).join("="),
        );
        const body = given.body === undefined ? undefined : utf8(given.body);
        const request = { ...given, host, headers, query: query.join("&"), body };
        const at = Date.parse(date);
        const options = { credentials, region, service, at, sendContentHash: true };
        expect(canonicalOf(request, options)).toBe(want.canonicalRequest);
        const all: Record<string, string> = { host, ...headers, ...signRequest(request, options) };
        expect(all).toEqual(want.expectedHeaders);
      });
    }
  },
);

const CREDENTIALS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const REQUEST: SignableRequest = {
  method: "POST",
  host: "bedrock-runtime.us-east-1.amazonaws.com",
  path: "/model/m/converse",
  query: "",
  headers: { "content-type": "application/json", "user-agent": "x", "sec-fetch-mode": "cors" },
  body: utf8("{}"),
};
const OPTIONS = { credentials: CREDENTIALS, region: "us-east-1", service: "bedrock", at: 0 };
const signedBy = (options: object) =>
  /SignedHeaders=([^,]+)/.exec(
    signRequest(REQUEST, { ...OPTIONS, ...options })["authorization"]!,
  )![1];

describe("what is signed", () => {
  test("is all that no hop may change", () =>
    expect(signedBy({})).toBe("content-type;host;x-amz-date"));
  test("can be chosen, but for host and our own", () =>
    expect(signedBy({ signedHeaders: [] })).toBe("host;x-amz-date"));
  test("is never a header that is not there", () =>
    expect(() => signedBy({ signedHeaders: ["accept"] })).toThrow("not there"));
});

test("s3 paths are encoded once and keep their slashes and dots", () => {
  const request = { ...REQUEST, path: "/a%2Fb//../%7Ec d" };
  const canonical = canonicalOf(request, { ...OPTIONS, service: "s3" })!;
  expect(canonical.split("\n")[1]).toBe("/a%2Fb//../~c%20d");
});

test("a signing key is the same however many others were asked for in between", () => {
  const scope = { date: "20260102", region: "us-east-1", service: "bedrock" };
  const key = Buffer.from(signingKey("s", scope)).toString("hex");
  for (let other = 0; other < 200; other++) signingKey(`other ${other}`, scope);
  expect(Buffer.from(signingKey("s", scope)).toString("hex")).toBe(key);
  expect(Buffer.from(signingKey("s", { ...scope, region: "eu-west-1" })).toString("hex")).not.toBe(
    key,
  );
});

test("a timestamp has no milliseconds", () =>
  expect(timestamp(Date.UTC(2026, 0, 2, 3, 4, 5, 678))).toBe("20260102T030405Z"));

test("signing survives whatever a caller sends", () => {
  const text = fc.string({ unit: "binary" });
  const headers = fc.dictionary(text, text);
  const request = fc.record({ method: text, host: text, path: text, query: text, headers });
  fc.assert(
    fc.property(request, (odd) => {
      signRequest({ ...odd, body: undefined }, OPTIONS);
    }),
  );
});

test.each([
  ["bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"],
  ["bedrock-runtime-fips.us-east-1.amazonaws.com", "us-east-1"],
  ["BEDROCK-RUNTIME-FIPS.US-GOV-WEST-1.AMAZONAWS.COM:443", "us-gov-west-1"],
  ["bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"],
  ["vpce-0a1b-c2d3.bedrock-runtime.eu-central-2.vpce.amazonaws.com", "eu-central-2"],
  ["vpce-0a1b-c2d3-us-east-1a.bedrock-runtime.us-east-1.vpce.amazonaws.com", "us-east-1"],
  ["bedrock-runtime.ap-southeast-4.api.aws", "ap-southeast-4"],
  ["bedrock-runtime.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"],
])("%s is in %s", (host, region) => expect(regionOfHost(host)).toBe(region));

test.each([
  "bedrock-runtime.amazonaws.com",
  "bedrock-runtime.us-east-1.amazonaws.com.evil.test",
  "us-east-1.amazonawsxcom",
  "localhost:8443",
  "us-east-1",
  "",
])("%s names none", (host) => expect(regionOfHost(host)).toBeUndefined());
