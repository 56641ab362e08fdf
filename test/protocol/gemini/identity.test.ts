import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { codec } from "../../../src/protocol/gemini/codec.ts";
import { streamTap } from "../../../src/protocol/gemini/tap.ts";
import { isObject } from "../../../src/protocol/ir/fields.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { parseSse } from "../../../src/wire/sse.ts";
import { fixture, haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import {
  array,
  chunksIn,
  context,
  cut,
  cuts,
  json,
  parsed,
  readRequest,
  readStream,
  sorted,
  sse,
  utf8,
  writeStream,
} from "./harness.ts";

const recordings = recordingsOf("gemini");
const suite = haveRecordings ? describe : describe.skip;
const title = (name: string) => (haveRecordings ? name : `${name} ${NO_RECORDINGS}`);

function rewritten(body: JsonObject): { readonly body: JsonObject; readonly losses: Loss[] } {
  const losses: Loss[] = [];
  const report = (loss: Loss) => void losses.push(loss);
  const { capabilities } = codec;
  const written = codec.writeRequest(readRequest(body), { model: "m", capabilities, report });
  return { body: written, losses };
}
function expectSameRequest(body: JsonObject) {
  const { body: written, losses } = rewritten(body);
  expect(sorted(written)).toBe(sorted(body));
  expect(losses).toEqual([]);
}

suite(title("a recorded request is written as it was read"), () => {
  const requests = recordings.filter(({ request }) => request !== undefined);
  test("there are many", () => expect(requests.length).toBeGreaterThan(90));
  test.each(requests.map(({ name, request }) => [name, request!] as const))("%s", (_, request) => {
    expectSameRequest(parsed(request));
  });
});

suite(title("a request as an SDK sends it is written as it was read"), () => {
  const folder = fixture("sdk-requests");
  const names = haveRecordings ? readdirSync(folder).filter((name) => /^gemini/.test(name)) : [];
  test.each(names)("%s", (name) => {
    const { body } = JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
    expectSameRequest(body);
  });
});

suite(title("a recorded answer is written as it was read"), () => {
  const answers = recordings.filter(({ streamed }) => !streamed);
  test("there are many", () => expect(answers.length).toBeGreaterThan(60));
  test.each(answers.map(({ name, response }) => [name, response] as const))("%s", (_, response) => {
    const body = parsed(response);
    const given = context();
    expect(sorted(codec.writeAnswer(codec.readAnswer(body), given))).toBe(sorted(body));
    expect(given.losses).toEqual([]);
  });
});

const streams = recordings.filter(({ streamed, status }) => streamed && status === 200);

suite(title("a recorded stream is written as it was read, in either framing"), () => {
  test("there are many", () => expect(streams.length).toBeGreaterThan(40));
  test.each(streams.map(({ name, response }) => [name, response] as const))("%s", (_, response) => {
    // Two of the vendor's mocks lack their last blank line.
    const chunks = parseSse(utf8(`${new TextDecoder().decode(response)}\r\n\r\n`)).map(({ data }) =>
      parsed(utf8(data)),
    );
    const wanted = chunks.map(sorted);
    const body = response.slice();
    const given = context();
    expect(chunksIn(writeStream(readStream([body]), given)).map(sorted)).toEqual(wanted);
    const inArray = writeStream(readStream([utf8(array(...chunks))]), context("json-array"));
    expect((JSON.parse(inArray) as JsonObject[]).map(sorted)).toEqual(wanted);
    expect(given.losses).toEqual([]);
  });

  test("and its events are the same at any chunking", () => {
    const some = fc.constantFrom(...(streams.length > 0 ? streams : [undefined]));
    fc.assert(
      fc.property(some, cuts, (stream, points) => {
        const body = stream!.response.slice();
        expect(readStream(cut(body, points))).toEqual(readStream([body]));
      }),
      { numRuns: 40 },
    );
  });
});

test("a stream of any chunks is written as it was read", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 5 });
  const part = fc.oneof(
    fc.record({ text }),
    fc.record({ text, thought: fc.constant(true) }),
    fc.record({ text, thoughtSignature: fc.constant("c2ln") }),
    fc.record({ text, thought: fc.constant(true), thoughtSignature: fc.constant("c2ln") }),
    fc.record({ thought: fc.constant(true), thoughtSignature: fc.constant("c2ln") }),
    fc.record({ text, partMetadata: fc.dictionary(fc.string(), fc.jsonValue()) }),
    fc.record({
      functionCall: fc.record(
        { name: fc.constant("f"), id: text, args: fc.dictionary(fc.string(), fc.jsonValue()) },
        { requiredKeys: ["name"] },
      ),
    }),
    fc.constantFrom<object[]>(
      { functionCall: { name: "f", willContinue: true } },
      {
        functionCall: { partialArgs: [{ jsonPath: "$.a", stringValue: "x" }], willContinue: true },
      },
      { functionCall: {} },
      { inlineData: { mimeType: "image/png", data: "AA==" }, thoughtSignature: "c2ln" },
      { executableCode: { code: "1" } },
      { novel: 1 },
      {},
    ),
  );
  const candidate = fc.record(
    {
      content: fc.record(
        { role: fc.constant("model"), parts: fc.array(part, { maxLength: 3 }) },
        { requiredKeys: [] },
      ),
      finishReason: fc.constantFrom("STOP", "NEW"),
      finishMessage: text,
      groundingMetadata: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const candidates = fc
    .array(candidate, { maxLength: 2 })
    .chain((all) =>
      fc
        .boolean()
        .map((isCounted) => (isCounted ? all.map((each, index) => ({ ...each, index })) : all)),
    );
  const chunk = fc.record(
    {
      candidates,
      usageMetadata: fc.record({ promptTokenCount: fc.nat() }, { requiredKeys: [] }),
      promptFeedback: fc.record({ blockReason: text }, { requiredKeys: [] }),
      responseId: text,
      novel: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(chunk, { minLength: 1, maxLength: 5 }), cuts, (chunks, points) => {
      const given = context();
      const wanted = chunks.map((each) => sorted(json(each)));
      const events = readStream(cut(utf8(sse(...chunks)), points));
      expect(chunksIn(writeStream(events, given)).map(sorted)).toEqual(wanted);
      expect(given.losses).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

suite(title("a recorded stream that is cut"), () => {
  test.each(streams.map(({ name, response }) => [name, response] as const))("%s", (_, response) => {
    const body = response.slice();
    const whole = streamTap();
    whole.feed(body);
    whole.end();
    expect(whole.complete).toBe(true);
    expect(readStream([body]).at(-1)).toEqual({ t: "end" });
    // Behind the last brace only white space is missing.
    const last = body.lastIndexOf(0x7d);
    const finishes = finishesOf(body);
    const tap = streamTap();
    for (let end = 0; end <= last; end += 7) {
      tap.feed(body.slice(Math.max(0, end - 7), end));
      expect(tap.complete).toBe(finishes.some((at) => at <= end));
    }
  });
});

/** Where a chunk ends that finishes its answer: the vendor's mock of a recitation has two more. */
function finishesOf(body: Uint8Array): number[] {
  const text = new TextDecoder("latin1").decode(body);
  const ends: number[] = [];
  for (const found of text.matchAll(/data: (.*?)\r?\n\r?\n/gs)) {
    const chunk: unknown = JSON.parse(found[1]!);
    const isFinal = isObject(json(chunk)) && /"finishReason"|"blockReason"/.test(found[1]!);
    if (isFinal) ends.push(found.index + found[0].length - 1);
  }
  return ends;
}

const BODIES: Readonly<Record<string, unknown>> = {
  "everything in snake case": {
    contents: [
      { role: "user", parts: [{ inline_data: { mime_type: "image/png", data: "a-_b" } }] },
      { role: "model", parts: [{ function_call: { name: "f", args: { snake_case: 1 } } }] },
      {
        role: "user",
        parts: [{ function_response: { name: "f", response: { return_value: { a_b: 1 } } } }],
      },
    ],
    system_instruction: { role: "system", parts: [{ text: "s" }] },
    generation_config: { max_output_tokens: 5, response_mime_type: "application/json" },
    tool_config: { function_calling_config: { mode: "ANY", allowed_function_names: ["f"] } },
    tools: [{ function_declarations: [{ name: "f", parameters: { any_of: [] } }] }],
    safety_settings: [{ category: "c", threshold: "t" }],
    cached_content: "cachedContents/x",
  },
  "lone objects for lists": {
    contents: { parts: { text: "hi" } },
    tools: { functionDeclarations: { name: "f" } },
  },
  "a bare text": { contents: "hi", systemInstruction: "be kind" },
  "no roles, null roles, other roles": {
    contents: [
      { parts: [{ text: "a" }] },
      { role: null, parts: [{ text: "b" }] },
      { role: "function", parts: [{ functionResponse: { name: "f", response: {} } }] },
    ],
  },
  "empty objects and lists": {
    contents: [{ role: "user", parts: [] }, { role: "model" }],
    tools: [{ functionDeclarations: [] }, {}],
    toolConfig: {},
    generationConfig: {},
    systemInstruction: { parts: [] },
    safetySettings: [],
  },
  nulls: {
    contents: [{ role: "user", parts: [{ text: "a", thought: null, thoughtSignature: null }] }],
    tools: null,
    generationConfig: { temperature: null, stopSequences: null, thinkingConfig: null },
    toolConfig: null,
    systemInstruction: null,
  },
  "what this build does not know": {
    contents: [
      { role: "user", parts: [{ text: "a", partMetadata: { k: 1 } }, { novel: { x: 1 } }, {}] },
      { role: "model", parts: [{ functionCall: { name: "f", novel: 1 } }, { thought: true }] },
      { role: "model", parts: [{ thought: true, thoughtSignature: "c2ln" }], novel: true },
    ],
    generationConfig: { novel: [1], thinkingConfig: { novel: 2, thinkingBudget: 1 } },
    toolConfig: { functionCallingConfig: { mode: "NOVEL" }, novel: 1 },
    tools: [{ functionDeclarations: [{ name: "f", novel: 1 }], googleSearch: {}, novelTool: 3 }],
    novel: null,
  },
  "tools in other groups": {
    contents: [],
    tools: [
      { functionDeclarations: [{ name: "a" }] },
      { googleSearch: {} },
      { functionDeclarations: [{ name: "b" }, { name: "c" }], codeExecution: {} },
    ],
  },
  "results of all kinds": {
    contents: [
      {
        role: "user",
        parts: [
          { functionResponse: { name: "f", id: "1", response: { output: "x" } } },
          { functionResponse: { name: "f", response: { error: "x" } } },
          { functionResponse: { name: "f", response: { error: { code: 1 }, a: 2 } } },
          { functionResponse: { name: "f", response: { output: "x", error: "y" } } },
          { functionResponse: { name: "f", response: { result: [1] } } },
          { functionResponse: { name: "f" } },
          {
            functionResponse: {
              name: "f",
              response: {},
              parts: [{ inlineData: { mimeType: "image/png", data: "AA==" } }, { novel: 1 }],
              scheduling: "SILENT",
            },
          },
        ],
      },
    ],
  },
  "thinking in all forms": {
    contents: [],
    generationConfig: { thinkingConfig: { thinkingLevel: "low", includeThoughts: false } },
  },
  "schemas in both slots": {
    contents: [],
    generationConfig: {
      responseMimeType: "application/json",
      responseSchema: { type: "OBJECT" },
      responseJsonSchema: { type: "object" },
      responseModalities: ["TEXT", "Image"],
      speechConfig: { voiceConfig: {} },
      logprobs: 2,
    },
  },
  "numbers no double holds": {
    contents: [{ role: "model", parts: [{ functionCall: { name: "f", args: { id: 1 } } }] }],
  },
};

describe("a request in any spelling the server takes is written as it was read", () => {
  test.each(Object.entries(BODIES))("%s", (_, body) => expectSameRequest(json(body)));

  test("with integers that a double cannot hold", () => {
    const text =
      '{"contents":[{"parts":[{"functionCall":{"name":"f","args":{"id":12345678901234567890}}}]}]}';
    expectSameRequest(parsed(utf8(text)));
  });

  test("whatever is put where", () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const part = fc.dictionary(
      fc.constantFrom("text", "thought", "thoughtSignature", "functionCall", "function_call", "x"),
      fc.oneof(value, fc.constant({ name: "f", args: {} }), fc.constant("t"), fc.constant(true)),
      { maxKeys: 3 },
    );
    const content = fc.record(
      { role: fc.oneof(fc.constantFrom("user", "model"), value), parts: fc.array(part) },
      { requiredKeys: [] },
    );
    const config = fc.dictionary(
      fc.constantFrom(
        "temperature",
        "top_p",
        "topK",
        "stopSequences",
        "thinkingConfig",
        "thinking_config",
        "responseMimeType",
        "responseSchema",
        "responseLogprobs",
        "responseModalities",
      ),
      fc.oneof(value, fc.constant("application/json"), fc.constant(["A"])),
      { maxKeys: 5 },
    );
    const body = fc.record(
      {
        contents: fc.array(content),
        systemInstruction: fc.oneof(value, content),
        generationConfig: fc.oneof(value, config),
        toolConfig: value,
        labels: fc.oneof(value, fc.dictionary(fc.string(), fc.string())),
        novel_field: value,
      },
      { requiredKeys: ["contents"] },
    );
    fc.assert(
      fc.property(body, (given) => expectSameRequest(json(given))),
      { numRuns: 500 },
    );
  });
});
