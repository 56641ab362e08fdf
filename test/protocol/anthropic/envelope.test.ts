import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Rejection } from "../../../src/core/rejection.ts";
import type { CallHead } from "../../../src/core/request.ts";
import { readEnvelope } from "../../../src/protocol/anthropic/envelope.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { objectOf, textOf, utf8 } from "./pieces.ts";

const CHAT: CallHead = {
  operation: "chat",
  tail: "/messages",
  query: "",
  model: undefined,
  stream: undefined,
};
const read = (text: string, head = CHAT) => readEnvelope(head, utf8(text), { depthMax: 64 });
function envelopeOf(text: string, head = CHAT) {
  const found = read(text, head);
  if (found instanceof Rejection) throw new Error(JSON.stringify(found.reason));
  return found;
}
function refusal(text: string) {
  const found = read(text);
  return found instanceof Rejection ? found.reason : undefined;
}

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  for (const { name, request } of recordingsOf("anthropic")) {
    if (request === undefined || objectOf(request)["model"] === undefined) continue;
    test(`${name} is routed by what a full parse says`, () => {
      const body = objectOf(request);
      const { envelope, privacyMark } = envelopeOf(textOf(request));
      const { start, end } = envelope.modelSpan!;
      expect(JSON.parse(textOf(request.slice(start, end)))).toBe(body["model"]);
      expect(envelope).toMatchObject({
        dialect: "anthropic",
        model: body["model"],
        stream: body["stream"] === true,
        outputTokensMax: body["max_tokens"],
      });
      expect(privacyMark).toBeUndefined();
    });
  }
});

test("the body's own privacy mark is read as it is written", () => {
  expect(
    envelopeOf('{"model":"m","metadata":{"user_id":"u","privacy":"private"}}').privacyMark,
  ).toBe("private");
  expect(envelopeOf('{"model":"m","metadata":{"privacy":[1]}}').privacyMark).toBe("[1]");
});
test("a count of tokens is no stream, whatever was asked", () => {
  const head: CallHead = { ...CHAT, operation: "count_tokens" };
  expect(envelopeOf('{"model":"m","stream":true}', head).envelope.stream).toBe(false);
});
test.each([
  ['{"model":"a","model":"b"}', "model"],
  ['{"model":"a","Model":"b"}', "model"],
  ['{"model":"a","stream":true,"stream":false}', "stream"],
  ['{"model":"a","max_tokens":1,"max_tokens":2}', "max_tokens"],
  ['{"model":"a","metadata":{"privacy":"a","privacy":"b"}}', "metadata.privacy"],
  ['{"model":"a","metadata":{},"metadata":{"privacy":"b"}}', "metadata"],
  ['{"model":"a","stream":1}', "stream"],
  ['{"model":"a","max_tokens":"1"}', "max_tokens"],
  ['{"model":7}', "model"],
  ["{}", "model"],
])("%s is refused at %s", (text, param) => {
  expect(refusal(text)).toMatchObject({ kind: "malformed", param });
});
test("no bytes throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      expect(read(text)).toBeDefined();
    }),
  );
});
