import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import type { Operation } from "../../../src/core/ids.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import type { CallHead } from "../../../src/core/request.ts";
import type { Chunk } from "../../../src/core/units.ts";
import { includeUsageEdit, readEnvelope } from "../../../src/protocol/openai/envelope.ts";
import { spliceAll } from "../../../src/wire/json-splice.ts";

const FIXTURES = `${import.meta.dir}/../../../../shared/fixtures`;
const bytesOf = (text: string): Chunk => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const headOf = (operation: Operation): CallHead => {
  return { operation, tail: `/${operation}`, query: "", model: undefined, stream: undefined };
};

function read(text: string | Chunk, operation: Operation = "chat") {
  const body = typeof text === "string" ? bytesOf(text) : text;
  return readEnvelope(headOf(operation), body, { depthMax: 64 });
}
function taken(text: string | Chunk, operation: Operation = "chat") {
  const result = read(text, operation);
  if (result instanceof Rejection) throw new Error(JSON.stringify(result.reason));
  return result;
}
/** The refusal's `param` and `detail`; throws when the body was taken. */
function refusal(text: string | Chunk): [string | undefined, string] {
  const result = read(text);
  if (!(result instanceof Rejection) || result.reason.kind !== "malformed") {
    throw new Error(`taken: ${JSON.stringify(result)}`);
  }
  return [result.reason.param, result.reason.detail];
}
const withField = (field: string): string => `{"model":"m",${field}}`;

describe("what routing needs is found", () => {
  test("in a whole request", () => {
    const text = `{"messages":[{"role":"user","content":"a \\"model\\":\\"x\\""}],"model": "gpt-4o",
      "stream":true,"stream_options" : {"include_usage":true},"max_tokens":5,"n":2,
      "max_completion_tokens":7,"metadata":{"privacy":"private","model":"no"},"seed":1.0}`;
    const { envelope, privacyMark } = taken(text);
    expect(envelope).toEqual({
      dialect: "openai",
      operation: "chat",
      model: "gpt-4o",
      modelSpan: { start: text.indexOf('"gpt-4o"'), end: text.indexOf('"gpt-4o"') + 8 },
      stream: true,
      includeUsage: true,
      streamOptionsSpan: {
        start: text.indexOf('{"include_usage"'),
        end: text.indexOf(',"max_tokens"'),
      },
      outputTokensMax: 7,
      bodyBytes: bytesOf(text).length,
      head: headOf("chat"),
    });
    expect(privacyMark).toBe("private");
  });
  test("in the smallest one, whose unsaid fields are off", () => {
    expect(taken('{"model":"m"}')).toEqual({
      envelope: {
        dialect: "openai",
        operation: "chat",
        model: "m",
        modelSpan: { start: 9, end: 12 },
        stream: false,
        includeUsage: false,
        streamOptionsSpan: undefined,
        outputTokensMax: undefined,
        bodyBytes: 13,
        head: headOf("chat"),
      },
      privacyMark: undefined,
    });
  });
  test("null is the same as not said", () => {
    const nulls = withField(
      '"stream":null,"stream_options":null,"max_tokens":null,"max_completion_tokens":null',
    );
    const { envelope } = taken(nulls);
    expect([envelope.stream, envelope.includeUsage, envelope.outputTokensMax]).toEqual([
      false,
      false,
      undefined,
    ]);
    expect(taken(withField('"max_tokens":3,"max_completion_tokens":null')).envelope).toMatchObject({
      outputTokensMax: 3,
    });
  });
  test("under names and in texts written with escapes", () => {
    const { envelope } = taken(
      '{"mod\\u0065l":"caf\\u00e9 \\ud83d\\ude00/\\/","str\\u0065am":true}',
    );
    expect([envelope.model, envelope.stream]).toEqual(["café 😀//", true]);
  });
  test("embeddings are never a stream", () => {
    expect(taken(withField('"stream":true'), "embeddings").envelope.stream).toBe(false);
    expect(taken(withField('"stream":true'), "completions").envelope.stream).toBe(true);
  });
  test("as JSON.parse finds it, in any object", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
    const cap = fc.option(fc.nat());
    const request = fc.record(
      {
        model: name.filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text)),
        messages: fc.jsonValue(),
        stream: fc.option(fc.boolean()),
        stream_options: fc.option(fc.record({ include_usage: fc.option(fc.boolean()) })),
        max_tokens: cap,
        max_completion_tokens: cap,
        metadata: fc.record({ privacy: fc.string({ maxLength: 9 }) }),
        other: fc.jsonValue(),
      },
      { requiredKeys: ["model"] },
    );
    fc.assert(
      fc.property(request, fc.nat({ max: 3 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const { envelope, privacyMark } = taken(text);
        const { start, end } = envelope.modelSpan!;
        expect(JSON.parse(textOf(bytesOf(text).subarray(start, end)))).toBe(value.model);
        expect(envelope.model).toBe(value.model);
        expect(envelope.stream).toBe(value.stream === true);
        expect(envelope.includeUsage).toBe(value.stream_options?.include_usage === true);
        const expected = value.max_completion_tokens ?? value.max_tokens ?? undefined;
        expect(envelope.outputTokensMax).toBe(expected);
        expect(privacyMark).toBe(value.metadata?.privacy);
      }),
    );
  });
});

describe("what cannot be routed by is refused, by name and with the fix", () => {
  test.each([
    ["", undefined, "the body is empty: send a JSON object"],
    ["[1]", undefined, "the body is JSON but no object"],
    ['"model"', undefined, "the body is JSON but no object"],
    ["model=m", undefined, "the body is not valid JSON: unexpected 'm' at byte 0"],
    ['{"model":"m"}}', undefined, "not valid JSON: unexpected '}' at byte 13, expected the end"],
    [withField(`"x":${"[".repeat(64)}`), undefined, "nesting deeper than 64 at byte 80"],
    ["{}", "model", "no model is named"],
    ['{"model":1}', "model", "'model' must be a string, not a number"],
    ['{"model":null}', "model", "'model' must be a string, not null"],
    ['{"model":""}', "model", "'model' is empty"],
    ['{"model":"a\\nb"}', "model", "'model' holds a control character"],
    ['{"model":"a\u0085b"}', "model", "'model' holds a control character"],
    ['{"model":"a\\ud800b"}', "model", "half a surrogate pair"],
    [`{"model":"${"x".repeat(257)}"}`, "model", "'model' is longer than 256 bytes"],
    [`{"model":"${"é".repeat(129)}"}`, "model", "'model' is longer than 256 bytes"],
    [`{"model":"${"x".repeat(9999)}"}`, "model", "'model' is longer than 256 bytes"],
    [withField('"stream":"true"'), "stream", "'stream' must be true, false or null, not a string"],
    [withField('"stream":1'), "stream", "not a number"],
    [withField('"stream_options":[]'), "stream_options", "an object or null, not an array"],
    [withField('"stream_options":true'), "stream_options", "an object or null, not true"],
    [
      withField('"stream_options":{"include_usage":1}'),
      "stream_options.include_usage",
      "must be true, false or null, not a number",
    ],
    [withField('"max_tokens":-1'), "max_tokens", "must be an integer of 0 or more"],
    [withField('"max_tokens":1.5'), "max_tokens", "must be an integer of 0 or more"],
    [withField('"max_tokens":1e400'), "max_tokens", "must be an integer of 0 or more"],
    [withField('"max_tokens":9007199254740993'), "max_tokens", "an integer of 0 or more"],
    [withField('"max_tokens":"9"'), "max_tokens", "an integer or null, not a string"],
    [withField('"max_tokens":1,"max_completion_tokens":{}'), "max_completion_tokens", "an object"],
    [withField('"model":"m"'), "model", "the body has 'model' again at byte 13: send it once"],
    [withField('"n":1,"n":2'), "n", "'n' again"],
    [withField('"stream":true,"stream":true'), "stream", "'stream' again"],
    [withField('"metadata":{},"metadata":{}'), "metadata", "'metadata' again"],
    [withField('"metadata":{"privacy":1,"privacy":2}'), "metadata.privacy", "again"],
    [withField('"Model":"other"'), "model", "another spelling of 'model' at byte 13"],
    [withField('"metadata":{"Privacy":"private"}'), "metadata.privacy", "another spelling of"],
  ])("%#: %p", (text, param, detail) => {
    const [actualParam, actualDetail] = refusal(text);
    expect(actualParam).toBe(param);
    expect(actualDetail).toContain(detail);
  });
  test("a model of exactly 256 bytes is taken, though each be escaped", () => {
    expect(taken(`{"model":"${"\\u0078".repeat(256)}"}`).envelope.model).toBe("x".repeat(256));
  });
  test("no refusal repeats more of the body than one character", () => {
    const [, detail] = refusal(withField('"messages":"my secret prompt'));
    expect(detail).toBe("the body is not valid JSON: string without an end at byte 42");
  });
});

describe("what routing does not need is left to the upstream", () => {
  test.each([
    '"temperature":99,"messages":"none","n":"many"',
    '"x":1,"x":2,"messages":[],"messages":[]',
    '"metadata":"text"',
    '"metadata":[{"privacy":1,"privacy":2}]',
    '"stream_options":{"x":1,"x":2,"include_obfuscation":false}',
    '"MESSAGES":1,"Temperature":2,"tools":[{"Model":1,"stream":"yes","model":1,"model":2}]',
    '"max_tokens":100.0,"max_completion_tokens":1e2',
    '"max_tokens":-0',
  ])("%s", (field) => {
    expect(taken(withField(field)).envelope.model).toBe("m");
  });
  test("integers in other spellings are read by their value", () => {
    expect(taken(withField('"max_tokens":1e2')).envelope.outputTokensMax).toBe(100);
    expect(taken(withField('"max_tokens":-0')).envelope.outputTokensMax).toBe(0);
  });
});

describe("the body's privacy mark", () => {
  const markOf = (metadata: string) => taken(withField(`"metadata":${metadata}`)).privacyMark;
  test("is the string itself", () => {
    expect(markOf('{"privacy":"private"}')).toBe("private");
    expect(markOf('{"privacy":"sh\\u0061reable"}')).toBe("shareable");
    expect(markOf('{"privacy":""}')).toBe("");
  });
  test("is never absent and never a word of ours when it is no string", () => {
    for (const odd of ["null", "true", "1", '["shareable"]', '{"shareable":1}']) {
      expect(markOf(`{"a":1,"privacy":${odd}}`)).toBe(odd);
    }
  });
  test("is cut, and still no word of ours, when it is too long to be one", () => {
    const long = markOf(`{"privacy":"shareable${" ".repeat(10_000)}"}`);
    expect(long?.trim()).toBe('"shareable');
    expect(markOf(`{"privacy":[${"1,".repeat(10_000)}1]}`)).toHaveLength(64);
  });
  test("is absent when nobody made one", () => {
    for (const none of ["{}", "null", "[]", '{"a":{"privacy":"private"}}']) {
      expect(markOf(none)).toBeUndefined();
    }
  });
});

describe("asking for usage", () => {
  const edited = (text: string): Chunk => {
    const body = bytesOf(text);
    return spliceAll(body, [includeUsageEdit(body, taken(body).envelope)]);
  };
  test.each([
    ['{"model":"m"}', '{"stream_options":{"include_usage":true},"model":"m"}'],
    ['\n {"model":"m"}', '\n {"stream_options":{"include_usage":true},"model":"m"}'],
    [
      ' {"model":"m","stream_options":null}',
      ' {"model":"m","stream_options":{"include_usage":true}}',
    ],
    [
      '{"model":"m","stream_options" : { }}',
      '{"model":"m","stream_options" : {"include_usage":true }}',
    ],
    [
      '{"stream_options":{"x":1.0},"model":"m"}',
      '{"stream_options":{"include_usage":true,"x":1.0},"model":"m"}',
    ],
    [
      '{"stream_options":{"x":1, "include_usage": false },"model":"m"}',
      '{"stream_options":{"x":1, "include_usage": true },"model":"m"}',
    ],
    [
      '{"stream_options":{"include\\u005fusage":null},"model":"m"}',
      '{"stream_options":{"include\\u005fusage":true},"model":"m"}',
    ],
  ])("%s", (before, after) => {
    expect(textOf(edited(before))).toBe(after);
  });
  test("sets that one field, whatever else is there", () => {
    const options = fc.dictionary(
      fc.constantFrom("include_usage", "include_obfuscation", "x"),
      fc.constantFrom(true, false, null),
    );
    const request = fc.record(
      { model: fc.constant("m"), messages: fc.jsonValue(), stream_options: fc.option(options) },
      { requiredKeys: ["model"] },
    );
    fc.assert(
      fc.property(request, fc.nat({ max: 2 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const result = edited(text);
        const stream_options = { ...value.stream_options, include_usage: true };
        expect(JSON.parse(textOf(result))).toEqual({ ...JSON.parse(text), stream_options });
        expect(taken(result).envelope.includeUsage).toBe(true);
      }),
    );
  });
});

describe.skipIf(!existsSync(FIXTURES))("recorded requests (shared/fixtures)", () => {
  const folder = `${FIXTURES}/openai-chat`;
  const names = existsSync(folder)
    ? readdirSync(folder).filter((name) => name.endsWith(".request.json"))
    : [];
  test("are all taken, and read as JSON.parse reads them", () => {
    expect(names.length).toBeGreaterThan(100);
    for (const name of names) {
      const body = Uint8Array.from(readFileSync(`${folder}/${name}`));
      const value = JSON.parse(textOf(body));
      const { envelope } = taken(body);
      expect(envelope.model).toBe(value.model);
      expect(envelope.stream).toBe(value.stream === true);
      expect(envelope.includeUsage).toBe(value.stream_options?.include_usage === true);
      const cap = value.max_completion_tokens ?? value.max_tokens ?? undefined;
      expect(envelope.outputTokensMax).toBe(cap);
    }
  });
});
