import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { Rejection } from "../../../src/core/rejection.ts";
import type { Chunk } from "../../../src/core/units.ts";
import { capabilities } from "../../../src/protocol/bedrock/capabilities.ts";
import { codec } from "../../../src/protocol/bedrock/codec.ts";
import { eventFrame } from "../../../src/protocol/bedrock/frames.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { fixture, haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import { converseAnswer, converseRequest, converseStream } from "./arbitraries.ts";
import { bytewise, canonical, contextOf, framesOf, joined, jsonOf, streamsOf } from "./pieces.ts";

const FOLDER = "bedrock-converse";
const filesOf = (end: string): string[] =>
  haveRecordings ? readdirSync(fixture(FOLDER)).filter((file) => file.endsWith(end)) : [];

function rewriteRequest(body: JsonObject): { readonly wire: JsonObject; readonly losses: Loss[] } {
  const losses: Loss[] = [];
  const request = codec.readRequest(body, { model: "m", stream: false });
  if (request instanceof Rejection) throw new Error(JSON.stringify(request.reason));
  const report = (loss: Loss) => void losses.push(loss);
  return { wire: codec.writeRequest(request, { model: "m", capabilities, report }), losses };
}

function rewriteStream(chunks: readonly Chunk[], losses: Loss[] = []): Chunk[] {
  const reader = codec.streamReader();
  const writer = codec.streamWriter(contextOf(losses));
  const events = [...chunks.flatMap((chunk) => reader.feed(chunk)), ...reader.end()];
  return [...events.map((event) => writer.write(event)), writer.end()];
}

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  for (const file of filesOf(".request.json")) {
    test(`${file} comes out as it went in`, () => {
      const body = jsonOf(`${FOLDER}/${file}`);
      const { wire, losses } = rewriteRequest(body);
      expect(canonical(wire)).toBe(canonical(body));
      expect(losses).toEqual([]);
    });
  }

  for (const file of filesOf(".response.json")) {
    test(`${file} comes out as it went in`, () => {
      const body = jsonOf(`${FOLDER}/${file}`);
      const losses: Loss[] = [];
      const wire = codec.writeAnswer(codec.readAnswer(body), contextOf(losses));
      expect(canonical(wire)).toBe(canonical(body));
      expect(losses).toEqual([]);
    });
  }

  for (const sdk of ["converse-bearer", "converse-sigv4", "converse-stream-sigv4"]) {
    test(`the SDK's ${sdk} comes out as it went in`, () => {
      const { body } = JSON.parse(
        readFileSync(fixture(`sdk-requests/bedrock-${sdk}.json`), "utf8"),
      ) as { body: JsonObject };
      expect(canonical(rewriteRequest(body).wire)).toBe(canonical(body));
    });
  }

  // Made up by its source: it has no start, no usage, and ends not all of its blocks.
  const UNREAL = "vercel-ai--amazon-bedrock-json-with-tool.1";

  for (const { name, body } of streamsOf(FOLDER)) {
    test.skipIf(name === UNREAL)(`${name} streams out as it streamed in, in any chunks`, () => {
      const losses: Loss[] = [];
      const whole = framesOf(...rewriteStream([body], losses));
      expect(whole.map(canonical)).toEqual(framesOf(body).map(canonical));
      expect(losses).toEqual([]);
      expect(framesOf(...rewriteStream(bytewise(body)))).toEqual(whole);
    });
  }

  test("a stream that never began and never told its usage still reads to its end", () => {
    const [unreal] = streamsOf(FOLDER).filter(({ name }) => name === UNREAL);
    const frames = framesOf(...rewriteStream([unreal!.body]));
    expect(frames[0]?.name).toBe("messageStart");
    expect(frames.slice(-2).map(({ name }) => name)).toEqual(["messageStop", "metadata"]);
  });
});

describe("whatever Bedrock's API model allows", () => {
  test("of requests comes out as it went in, without a loss", () => {
    fc.assert(
      fc.property(converseRequest, (body) => {
        const { wire, losses } = rewriteRequest(body);
        expect(canonical(wire)).toBe(canonical(body));
        expect(losses).toEqual([]);
      }),
      { numRuns: 250 },
    );
  });

  test("of answers comes out as it went in, without a loss", () => {
    fc.assert(
      fc.property(converseAnswer, (body) => {
        const losses: Loss[] = [];
        const wire = codec.writeAnswer(codec.readAnswer(body), contextOf(losses));
        expect(canonical(wire)).toBe(canonical(body));
        expect(losses).toEqual([]);
      }),
      { numRuns: 250 },
    );
  });

  test("of streams comes out as it went in, without a loss", () => {
    fc.assert(
      fc.property(converseStream, (events) => {
        const losses: Loss[] = [];
        const body = joined(events.map(({ name, payload }) => eventFrame(name, payload)));
        const frames = framesOf(...rewriteStream([body], losses));
        expect(frames.map(canonical)).toEqual(framesOf(body).map(canonical));
        expect(losses).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe("hostile input", () => {
  const json = fc.jsonValue({ maxDepth: 5 }) as fc.Arbitrary<JsonObject>;
  const names = [
    "messages system inferenceConfig toolConfig additionalModelRequestFields outputConfig",
    "requestMetadata serviceTier role content text image document toolUse toolResult json",
    "reasoningContent reasoningText redactedContent cachePoint citationsContent searchResult",
    "guardContent source bytes format name type tools toolChoice toolSpec inputSchema strict",
    "thinking budget_tokens output_config effort textFormat structure jsonSchema schema topK",
    "output message stopReason usage metrics citations location web sourceContent title ttl",
    "inputTokens outputTokens cacheDetails status input toolUseId auto any tool enabled url",
    "maxTokens temperature stopSequences top_k __proto__ constructor toString",
  ].flatMap((line) => line.split(" "));
  const words = ["user", "assistant", "default", "enabled", "json_schema", "{}", "png", "", "x"];
  const leaf = fc.oneof(
    fc.constantFrom(...words),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.string(),
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 7 },
      leaf,
      fc.array(tie("tree"), { maxLength: 3 }),
      fc
        .array(fc.tuple(fc.constantFrom(...names), tie("tree")), { maxLength: 4 })
        .map((pairs) => parsed(pairs)),
    ),
  }));
  /** As a parser makes it: `__proto__` is a member like any other. */
  function parsed(pairs: readonly (readonly [string, unknown])[]): unknown {
    const object: Record<string, unknown> = Object.create(null);
    for (const [name, value] of pairs) object[name] = value;
    return JSON.parse(JSON.stringify(object));
  }

  test("any request is read or refused, never thrown at, and written as it was", () => {
    fc.assert(
      fc.property(fc.oneof(tree, json), (value) => {
        if (typeof value !== "object" || value === null || Array.isArray(value)) return;
        const request = codec.readRequest(value as JsonObject, { model: "m", stream: false });
        if (request instanceof Rejection) return;
        const wire = codec.writeRequest(request, { model: "m", capabilities, report() {} });
        expect(canonical(wire)).toBe(canonical(value));
      }),
      { numRuns: 1000 },
    );
  });

  test("any answer is read and written, never thrown at", () => {
    fc.assert(
      fc.property(fc.oneof(tree, json), (value) => {
        if (typeof value !== "object" || value === null || Array.isArray(value)) return;
        codec.writeAnswer(codec.readAnswer(value as JsonObject), contextOf());
      }),
      { numRuns: 250 },
    );
  });
});
