import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import type { Fault } from "../../../src/core/fault.ts";
import { faultOfException, readFault } from "../../../src/protocol/bedrock/fault.ts";
import { fixture, haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import { utf8 } from "./pieces.ts";

type Kind = Fault["kind"];

function faultOf(status: number, body: unknown, headers: Record<string, string> = {}): Fault {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readFault(status, new Headers(headers), utf8(text));
}
const named = (name: string) => ({ "x-amzn-errortype": `${name}:http://internal.amazon.com/` });
const kindOf = (status: number, name: string, message = ""): Kind =>
  faultOf(status, { message }, named(name)).kind;

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const expected: Readonly<Record<string, Kind>> = {
    "bedrock-converse/dd-trace--bedrock_cassettes.bedrock_converse_error": "auth",
    "bedrock-converse/pydantic-ai--test_multimodal_tool_return_matrix-direct-uploaded_file-video-bedrock_claude.1":
      "client_error",
    "bedrock-converse/pydantic-ai--test_multimodal_tool_return_matrix-direct-uploaded_file-video-bedrock_nova.1":
      "client_error",
    "bedrock-converse/ruby-llm--chat_real_error_scenarios_bedrock_amazon_nova-2-lite-v1_0_handles_context_length_exceeded_errors":
      "context_length",
    "bedrock-invoke/dd-trace--bedrock_cassettes.meta_invoke_error": "auth",
    "bedrock-invoke/langchaingo--TestAmazonNova": "auth",
  };

  test("every recorded error is blamed on who it is of, by its header or by its words", () => {
    const seen: Record<string, Kind> = {};
    for (const folder of ["bedrock-converse", "bedrock-invoke"]) {
      for (const file of readdirSync(fixture(folder)).filter((path) =>
        path.endsWith(".meta.json"),
      )) {
        const name = `${folder}/${file.replace(".meta.json", "")}`;
        const meta = JSON.parse(readFileSync(fixture(`${folder}/${file}`), "utf8"));
        const path = fixture(`${name}.response.json`);
        if (meta.status < 400 || !existsSync(path)) continue;
        const body = new Uint8Array(readFileSync(path));
        seen[name] = readFault(meta.status, new Headers(meta.responseHeaders), body).kind;
        expect(readFault(meta.status, new Headers(), body).kind).toBe(seen[name]);
      }
    }
    expect(seen).toEqual(expected);
  });

  test("every documented error is blamed on who it is of", () => {
    const documented: {
      protocol: string;
      status: number;
      where: string;
      kind: string;
      headers: Record<string, string>;
      body: { headers?: Record<string, string>; payload?: unknown };
    }[] = JSON.parse(readFileSync(fixture("errors-documented/errors.json"), "utf8"));
    const own = documented.filter(({ protocol }) => protocol.startsWith("bedrock"));
    const KINDS: Readonly<Record<string, Kind>> = {
      rate_limit: "rate_limited",
      quota_daily: "billing",
      overloaded: "overloaded",
      context_length: "context_length",
      max_tokens_too_large: "client_error",
    };
    expect(own).toHaveLength(7);
    for (const { status, kind, headers, body, where } of own) {
      const fault =
        where === "buffered"
          ? faultOf(status, body, headers)
          : faultOfException(body.headers?.[":exception-type"] ?? "", body.payload);
      expect([kind, fault.kind]).toEqual([kind, KINDS[kind]!]);
    }
  });
});

describe("an error answer", () => {
  test("is named by its header, with or without a URL, or by its body", () => {
    const message = "Rate exceeded";
    const names = [
      faultOf(400, { message }, { "x-amzn-errortype": "ThrottlingException" }),
      faultOf(400, { message }, named("ThrottlingException")),
      faultOf(400, { message, __type: "com.amazon.coral.availability#ThrottlingException" }),
      faultOf(400, { message, code: "ThrottlingException" }),
    ];
    expect(names.map(({ kind }) => kind)).toEqual(Array<Kind>(4).fill("rate_limited"));
  });

  test("throttled by the day is not helped by waiting", () => {
    const words = "Too many tokens per day, please wait before trying again.";
    expect(kindOf(429, "ThrottlingException", words)).toBe("billing");
    expect(faultOf(429, { message: words }).kind).toBe("billing");
  });

  test.each<[number, string, Kind]>([
    [400, "ValidationException", "client_error"],
    [400, "ServiceQuotaExceededException", "billing"],
    [403, "AccessDeniedException", "auth"],
    [403, "UnrecognizedClientException", "auth"],
    [403, "InvalidSignatureException", "auth"],
    [404, "ResourceNotFoundException", "client_error"],
    [408, "ModelTimeoutException", "timeout"],
    [424, "ModelErrorException", "server_error"],
    [429, "ModelNotReadyException", "overloaded"],
    [500, "InternalServerException", "server_error"],
    [503, "ServiceUnavailableException", "overloaded"],
    [400, "SomethingNewException", "client_error"],
    [500, "SomethingNewException", "server_error"],
  ])("of status %i and name %s is a %s", (status, name, kind) => {
    expect(kindOf(status, name)).toBe(kind);
  });

  test.each<[number, Kind]>([
    [302, "redirect"],
    [200, "protocol"],
    [600, "protocol"],
    [400, "client_error"],
    [401, "auth"],
    [402, "billing"],
    [403, "auth"],
    [404, "client_error"],
    [413, "client_error"],
    [424, "server_error"],
    [429, "rate_limited"],
    [502, "server_error"],
    [504, "timeout"],
  ])("of status %i alone is a %s", (status, kind) => {
    expect(faultOf(status, "").kind).toBe(kind);
  });

  test("of a broken host may not pass for a caller's mistake", () => {
    expect(kindOf(500, "ValidationException", "Input is too long for requested model.")).toBe(
      "server_error",
    );
    expect(kindOf(503, "ValidationException")).toBe("overloaded");
  });

  test("is not judged by a caller's words that it quotes", () => {
    const quoted = "Malformed input: 'the security token included in the request is expired'";
    expect(kindOf(400, "ValidationException", quoted)).toBe("client_error");
    expect(faultOf(400, { message: quoted }).kind).toBe("client_error");
    expect(
      faultOf(400, { message: "no", prompt: "input is too long for requested model" }),
    ).toEqual({
      kind: "client_error",
    });
  });

  test("that is too long says so in the words of any model's host", () => {
    const host = "The model returned the following errors: ";
    for (const words of [
      "Input is too long for requested model.",
      `${host}Input Tokens Exceeded: Number of input tokens exceeds maximum length.`,
      `${host}prompt is too long: 210000 tokens > 200000 maximum`,
      `${host}input length and \`max_tokens\` exceed context limit: 1 + 2 > 3`,
    ]) {
      expect(kindOf(400, "ValidationException", words)).toBe("context_length");
    }
  });

  test("says how long to wait only where waiting helps", () => {
    const headers = { "retry-after": "3" };
    expect(faultOf(429, {}, headers)).toEqual({ kind: "rate_limited", retryAfterMs: 3000 });
    expect(faultOf(503, {}, headers)).toEqual({ kind: "overloaded", retryAfterMs: 3000 });
    expect(faultOf(400, {}, { ...named("ThrottlingException"), ...headers })).toEqual({
      kind: "rate_limited",
      retryAfterMs: undefined,
    });
  });

  test("of markup came from something in between", () => {
    expect(faultOf(403, "<html>no</html>").kind).toBe("server_error");
    expect(faultOf(429, "<html>slow</html>").kind).toBe("rate_limited");
  });

  test("of any bytes is read without a throw", () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 700 }), fc.uint8Array(), (status, body) => {
        readFault(status, new Headers(), new Uint8Array(body));
      }),
    );
  });
});

describe("an exception frame", () => {
  test.each<[string, unknown, Kind]>([
    ["throttlingException", { message: "" }, "rate_limited"],
    ["modelStreamErrorException", { originalStatusCode: 500 }, "server_error"],
    ["modelStreamErrorException", { originalStatusCode: 529 }, "overloaded"],
    [
      "validationException",
      { message: "Input is too long for requested model." },
      "context_length",
    ],
    ["neverHeardOf", {}, "server_error"],
    ["InternalFailure", undefined, "server_error"],
  ])("%s of %j is a fault", (name, payload, kind) => {
    expect(faultOfException(name, payload).kind).toBe(kind);
  });
});
