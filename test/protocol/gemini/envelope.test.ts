import { describe, expect, test } from "bun:test";
import { Rejection } from "../../../src/core/rejection.ts";
import type { CallHead } from "../../../src/core/request.ts";
import { readEnvelope } from "../../../src/protocol/gemini/envelope.ts";
import { utf8 } from "./harness.ts";

const HEAD: CallHead = {
  operation: "chat",
  tail: "/models/m:streamGenerateContent",
  query: "alt=sse",
  model: "m",
  stream: true,
};
const LIMITS = { depthMax: 64 };
const read = (body: unknown, head: Partial<CallHead> = {}) =>
  readEnvelope({ ...HEAD, ...head }, utf8(JSON.stringify(body)), LIMITS);
function envelopeOf(body: unknown, head?: Partial<CallHead>) {
  const found = read(body, head);
  if (found instanceof Rejection) throw new Error(JSON.stringify(found.reason));
  return found;
}
const paramOf = (body: unknown, head?: Partial<CallHead>) => {
  const found = read(body, head);
  return found instanceof Rejection && found.reason.kind === "malformed" && found.reason.param;
};

describe("the envelope", () => {
  test("has model and stream from the path, and no place for a model in the body", () => {
    const { envelope, privacyMark } = envelopeOf({ contents: [], model: "other" });
    expect(envelope).toMatchObject({
      dialect: "gemini",
      operation: "chat",
      model: "m",
      modelSpan: undefined,
      stream: true,
      outputTokensMax: undefined,
      head: HEAD,
    });
    expect(privacyMark).toBeUndefined();
    expect(envelopeOf({ contents: [] }, { stream: false }).envelope.stream).toBe(false);
  });

  test.each([
    { generationConfig: { maxOutputTokens: 7 } },
    { generationConfig: { max_output_tokens: 7 } },
    { generation_config: { maxOutputTokens: 7 } },
    { generation_config: { max_output_tokens: 7 } },
  ])("has the cap in any spelling: %j", (body) => {
    expect(envelopeOf(body).envelope.outputTokensMax).toBe(7);
  });

  test("has the privacy mark of the labels, or of metadata", () => {
    expect(envelopeOf({ labels: { privacy: "private" } }).privacyMark).toBe("private");
    expect(envelopeOf({ metadata: { privacy: "private" } }).privacyMark).toBe("private");
  });
});

describe("a body is refused", () => {
  test.each([
    [
      "that says a thing twice",
      { generationConfig: {}, generation_config: {} },
      "generationConfig",
    ],
    [
      "that has two caps",
      { generationConfig: { maxOutputTokens: 1, max_output_tokens: 2 } },
      "maxOutputTokens",
    ],
    [
      "that has two privacy marks",
      { labels: { privacy: "shareable" }, metadata: { privacy: "private" } },
      "privacy",
    ],
    [
      "that has a cap of no number",
      { generationConfig: { maxOutputTokens: "7" } },
      "generationConfig.maxOutputTokens",
    ],
  ])("%s", (_, body, param) => expect(paramOf(body)).toBe(param));

  test("that is none, or no object", () => {
    expect(readEnvelope(HEAD, utf8(""), LIMITS)).toBeInstanceOf(Rejection);
    expect(read([])).toBeInstanceOf(Rejection);
    expect(readEnvelope(HEAD, utf8('{"a":1,}'), LIMITS)).toBeInstanceOf(Rejection);
  });
  test("for a model that has no name, or one that no log line may hold", () => {
    expect(paramOf({}, { model: undefined })).toBe("model");
    expect(paramOf({}, { model: "" })).toBe("model");
    expect(paramOf({}, { model: "a\r\nb" })).toBe("model");
  });
});
