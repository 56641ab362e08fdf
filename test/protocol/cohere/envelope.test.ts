import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Operation } from "../../../src/core/ids.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import type { CallHead } from "../../../src/core/request.ts";
import type { Chunk } from "../../../src/core/units.ts";
import { readEnvelope } from "../../../src/protocol/cohere/envelope.ts";
import { fixture, haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";

const utf8 = (text: string): Chunk => new TextEncoder().encode(text);
const headOf = (operation: Operation): CallHead => ({
  operation,
  tail: "/v2/chat",
  query: "",
  model: undefined,
  stream: undefined,
});
const read = (body: Chunk | string, operation: Operation = "chat") =>
  readEnvelope(headOf(operation), typeof body === "string" ? utf8(body) : body, { depthMax: 64 });
function taken(body: Chunk | string, operation?: Operation) {
  const result = read(body, operation);
  if (result instanceof Rejection) throw new Error(JSON.stringify(result.reason));
  return result;
}
const refused = (body: string): unknown => {
  const result = read(body);
  return result instanceof Rejection && result.reason.kind === "malformed" && result.reason.param;
};

test("what routing needs is found in a whole request", () => {
  const text = `{"messages":[{"role":"user","content":"\\"model\\":\\"x\\""}],"model": "command-a",
    "stream":true,"max_tokens":5,"metadata":{"privacy":"private"}}`;
  const { envelope, privacyMark } = taken(text);
  expect(envelope).toEqual({
    dialect: "cohere",
    operation: "chat",
    model: "command-a",
    modelSpan: { start: text.indexOf('"command-a"'), end: text.indexOf('"command-a"') + 11 },
    stream: true,
    includeUsage: true,
    streamOptionsSpan: undefined,
    outputTokensMax: 5,
    bodyBytes: utf8(text).length,
    head: headOf("chat"),
  });
  expect(privacyMark).toBe("private");
});

test("only a chat is streamed", () => {
  const body = '{"model":"m","stream":true}';
  expect(taken(body, "embeddings").envelope.stream).toBe(false);
  expect(taken(body, "rerank").envelope.stream).toBe(false);
  expect(taken('{"model":"m","stream":null}').envelope.stream).toBe(false);
});

describe("what cannot be read is refused by name", () => {
  test.each([
    ['{"stream":true}', "model"],
    ['{"model":7}', "model"],
    ['{"model":"m","stream":"yes"}', "stream"],
    ['{"model":"m","max_tokens":1.5}', "max_tokens"],
    ['{"model":"m","model":"n"}', "model"],
  ])("%s", (body, param) => expect(refused(body)).toBe(param));
});

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  test("each request names its model and whether it is streamed", () => {
    for (const { request } of recordingsOf("cohere")) {
      if (request === undefined) continue;
      const body = JSON.parse(new TextDecoder().decode(request));
      const { envelope } = taken(request.slice());
      expect([envelope.model, envelope.stream]).toEqual([body.model, body.stream]);
      const { start, end } = envelope.modelSpan!;
      expect(JSON.parse(new TextDecoder().decode(request.slice(start, end)))).toBe(body.model);
    }
  });
  test("the SDK's own request is read", () => {
    const { body } = JSON.parse(readFileSync(fixture("sdk-requests/cohere-stream.json"), "utf8"));
    const { envelope } = taken(JSON.stringify(body));
    expect([envelope.model, envelope.stream, envelope.outputTokensMax]).toEqual([
      "command-a-03-2025",
      true,
      64,
    ]);
  });
});
