import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Operation } from "../../../src/core/ids.ts";
import { bedrock } from "../../../src/protocol/bedrock/dialect.ts";
import { fixture, haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import { pathOf } from "./sdk.ts";

interface Called {
  readonly model: string;
  readonly tail?: string;
  readonly stream?: boolean;
  readonly query?: string;
}

function upstreamPath(
  operation: Operation,
  { model, tail = "", stream = false, query = "" }: Called,
): string {
  const head = { operation, tail, query, model: undefined, stream };
  return bedrock.upstreamPath({ head, model, stream });
}

const NAMES = [
  "anthropic.claude-3-haiku-20240307-v1:0",
  "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123",
  "odd!'()* name~é",
];

describe("the path upstream", () => {
  for (const model of NAMES) {
    test(`of ${model} is the official SDK's`, async () => {
      const path = await pathOf(model);
      expect(upstreamPath("chat", { model })).toBe(path);
      expect(upstreamPath("chat", { model, stream: true })).toBe(`${path}-stream`);
    });
  }

  test("of an invoked model keeps its method, and any other part of the call", () => {
    const tail = "/model/was/invoke-with-response-stream";
    expect(upstreamPath("invoke", { model: "a:1", tail, query: "x=1" })).toBe(
      "/model/a%3A1/invoke-with-response-stream?x=1",
    );
    const arn = "/model/arn:aws:bedrock:x:1:profile/abc/invoke";
    expect(upstreamPath("invoke", { model: "b", tail: arn })).toBe("/model/b/invoke");
    expect(upstreamPath("count_tokens", { model: "$&", tail: "/model/m/count-tokens" })).toBe(
      "/model/%24%26/count-tokens",
    );
  });

  test("of a native call is the caller's", () => {
    const tail = "/foundation-models";
    expect(upstreamPath("native", { model: "m", tail, query: "byProvider=x" })).toBe(
      "/foundation-models?byProvider=x",
    );
  });

  test.skipIf(!haveRecordings)(
    `is the SDK's of 2026 ${haveRecordings ? "" : NO_RECORDINGS}`,
    () => {
      for (const name of ["bedrock-invoke", "bedrock-invoke-arn", "bedrock-invoke-stream"]) {
        const { path } = JSON.parse(readFileSync(fixture(`sdk-requests/${name}.json`), "utf8"));
        const model = decodeURIComponent(path.split("/")[2]);
        expect(upstreamPath("invoke", { model, tail: path })).toBe(path);
      }
    },
  );
});

test("streams are AWS's event streams, which say their usage unasked", () => {
  const { id, streamType, usageOnRequest, brokenEnd } = bedrock;
  expect({ id, streamType, usageOnRequest, brokenEnd }).toEqual({
    id: "bedrock",
    streamType: "application/vnd.amazon.eventstream",
    usageOnRequest: undefined,
    brokenEnd: "close",
  });
});
