import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { Rejection } from "../../../src/core/rejection.ts";
import type { CallHead } from "../../../src/core/request.ts";
import { readEnvelope } from "../../../src/protocol/bedrock/envelope.ts";
import { fixture, haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import { utf8 } from "./pieces.ts";

const HEAD: CallHead = {
  operation: "chat",
  tail: "/model/m/converse",
  query: "",
  model: "anthropic.claude-3-haiku-20240307-v1:0",
  stream: true,
};
const limits = { depthMax: 32 };
const read = (body: string, head: Partial<CallHead> = {}) =>
  readEnvelope({ ...HEAD, ...head }, utf8(body), limits);

function refusal(body: string, head: Partial<CallHead> = {}): string {
  const found = read(body, head);
  if (!(found instanceof Rejection)) throw new Error("it was read");
  return found.reason.kind === "malformed" ? `${found.reason.param}: ${found.reason.detail}` : "";
}

describe("an envelope", () => {
  test("takes model and stream from the path", () => {
    const body = '{"messages": [], "model": "other", "stream": false}';
    expect(read(body)).toEqual({
      envelope: {
        dialect: "bedrock",
        operation: "chat",
        model: HEAD.model!,
        modelSpan: undefined,
        stream: true,
        includeUsage: false,
        streamOptionsSpan: undefined,
        outputTokensMax: undefined,
        bodyBytes: body.length,
        head: HEAD,
      },
      privacyMark: undefined,
    });
  });

  test("takes the cap and the privacy mark from the body", () => {
    const found = read(
      '{"inferenceConfig": {"maxTokens": 64}, "requestMetadata": {"privacy": "private"}}',
    );
    expect(found).toMatchObject({ envelope: { outputTokensMax: 64 }, privacyMark: "private" });
  });

  test.each([
    ["", "undefined: the body is empty"],
    ["[]", "undefined: the body is JSON but no object"],
    ['{"inferenceConfig": {"maxTokens": "64"}}', "inferenceConfig.maxTokens: "],
    ['{"inferenceConfig": {"maxTokens": -1}}', "inferenceConfig.maxTokens: "],
    ['{"inferenceConfig": {}, "inferenceConfig": {}}', "inferenceConfig: "],
    ['{"requestMetadata": {"privacy": "a", "privacy": "b"}}', "requestMetadata.privacy: "],
    ['{"a": 1', "undefined: the body is not valid JSON"],
  ])("refuses %s", (body, words) => {
    expect(refusal(body)).toStartWith(words);
  });

  test("refuses a call without a model, and a model no log line can hold", () => {
    expect(refusal("{}", { model: undefined })).toStartWith("modelId: no model is named");
    expect(refusal("{}", { model: "a\nb" })).toStartWith("model: ");
  });

  test("of an invoked model takes whatever body its vendor takes", () => {
    const body = '{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5, "messages": []}';
    const found = read(body, { operation: "invoke", stream: false });
    expect(found).toMatchObject({ envelope: { operation: "invoke", stream: false } });
  });
});

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  test("every recorded request is read", () => {
    for (const folder of ["bedrock-converse", "bedrock-invoke"]) {
      for (const file of readdirSync(fixture(folder))) {
        if (!file.endsWith(".request.json")) continue;
        const body = new Uint8Array(readFileSync(fixture(`${folder}/${file}`)));
        const said = JSON.parse(new TextDecoder().decode(body));
        expect(readEnvelope(HEAD, body, limits)).toMatchObject({
          envelope: { outputTokensMax: said.inferenceConfig?.maxTokens },
        });
      }
    }
  });
});
