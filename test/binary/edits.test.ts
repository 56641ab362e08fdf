import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventEnds } from "../faultd/pieces.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf, replay } from "../faultd/recordings.ts";
import { eventStream, json } from "../faultd/script.ts";
import type { Chunking } from "../faultd/script.ts";
import { type Bench, startBench } from "./bench.ts";
import { COMPLETION, STREAM } from "./config.ts";

const CHUNKINGS: readonly Chunking[] = ["whole", "byte", "event", { seed: 5, max: 50 }];
const utf8 = new TextDecoder();

/** The two edits there are: another name for the model, and asking for usage. Nothing else moves. */
describe("a model under another name", () => {
  let bench: Bench;
  beforeAll(async () => {
    const models = {
      alias: { provider: "mock", upstream_model: "vendor/the real one" },
      quoted: { provider: "mock", upstream_model: 'quo"ted\\' },
    };
    bench = await startBench({ rest: { models } });
    bench.play(json(COMPLETION));
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  const bodies: readonly (readonly [string, string, string])[] = [
    ["first", '{"model":"alias","messages":[]}', '"alias"'],
    ["last, with white space", '\r\n{ "messages" : [ ] ,\n\t"model" :  "alias"  }\n', '"alias"'],
    [
      "with the same text elsewhere",
      '{"user":"alias","model":"alias","messages":["alias"]}',
      ',"model":"alias"',
    ],
    [
      "with a model deeper down",
      '{"metadata":{"model":"alias"},"model":"alias","messages":[]}',
      '},"model":"alias"',
    ],
    [
      "with numbers no parser keeps",
      '{"model":"alias","messages":[],"seed":12345678901234567890,"t":1.0,"u":1E400,"v":-0}',
      '"alias"',
    ],
    ["with keys given twice", '{"a":1,"a":2,"model":"alias","messages":[],"a":3}', '"alias"'],
    [
      "with escapes",
      '{"model":"\\u0061li\\u0061s","messages":["\\ud83d\\ude00\\/"]}',
      '"\\u0061li\\u0061s"',
    ],
    ["with text of many bytes", '{"x":"🚂ö","model":"alias","messages":["\u2028"]}', '"alias"'],
  ];
  for (const [what, body, where] of bodies) {
    test(`is spliced in place and every other byte is the client's: ${what}`, async () => {
      expect((await bench.post(body)).status).toBe(200);
      const renamed = where.replace(/"[^"]*"$/, '"vendor/the real one"');
      expect(bench.upstream.exchanges.at(-1)?.request.text).toBe(body.replace(where, renamed));
    });
  }

  test("is spliced as a JSON string, whatever it holds", async () => {
    expect((await bench.post('{"model":"quoted","messages":[]}')).status).toBe(200);
    const sent = bench.upstream.exchanges.at(-1)?.request.text;
    expect(sent).toBe('{"model":"quo\\"ted\\\\","messages":[]}');
  });
});

describe("usage that the client did not ask for", () => {
  const usage =
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\n';
  const metered = STREAM.replace("data: [DONE]", `${usage}data: [DONE]`);
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench({ rest: { metering: { include_usage: "inject" } } });
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  const unasked = [
    '{"model":"m","stream":true,"messages":[]}',
    '{ "model":"m", "messages":[ ] , "stream" : true }\n',
    '{"model":"m","stream":true,"messages":[],"stream_options":{}}',
    '{"model":"m","stream":true,"messages":[],"stream_options":{"include_obfuscation":false}}',
    '{"model":"m","stream":true,"messages":[],"stream_options":{"include_usage":false}}',
    '{"model":"m","stream":true,"messages":[],"stream_options":null}',
  ];
  for (const body of unasked) {
    for (const chunking of CHUNKINGS) {
      test(`is asked for and taken out again: ${body.trim()}, ${JSON.stringify(chunking)}`, async () => {
        bench.play(eventStream(metered, { chunking }));
        const { bytes } = await bench.post(body);
        expect(bytes.toString()).toBe(STREAM);
        const sent = JSON.parse(bench.upstream.exchanges.at(-1)?.request.text ?? "");
        const { stream_options: options = {}, ...rest } = JSON.parse(body);
        const { stream_options: sentOptions, ...sentRest } = sent;
        expect(sentRest).toEqual(rest);
        expect(sentOptions).toEqual({ ...options, include_usage: true });
      });
    }
  }

  test("stays when the client asked, and the request is not touched", async () => {
    const body =
      '{"model":"m","stream":true,"messages":[],"stream_options":{ "include_usage":true }}';
    bench.play(eventStream(metered));
    expect((await bench.post(body)).bytes.toString()).toBe(metered);
    expect(bench.upstream.exchanges.at(-1)?.request.text).toBe(body);
  });

  test("is never asked for on a buffered request", async () => {
    const body = '{"model":"m","messages":[]}';
    bench.play(json(COMPLETION));
    expect((await bench.post(body)).bytes.toString()).toBe(COMPLETION);
    expect(bench.upstream.exchanges.at(-1)?.request.text).toBe(body);
  });

  describe.skipIf(!haveRecordings)(
    `in the recordings ${haveRecordings ? "" : NO_RECORDINGS}`,
    () => {
      const streams = recordingsOf("openai-chat").filter(({ streamed, provider }) => {
        return streamed && provider !== "perplexity"; // That one ends without an end marker.
      });
      for (const recording of streams) {
        test(`is all that is taken out: ${recording.name}`, async () => {
          for (const chunking of CHUNKINGS) {
            bench.play(replay(recording, { chunking }));
            const { bytes } = await bench.post('{"model":"m","stream":true,"messages":[]}');
            expect(bytes.toString("latin1")).toBe(withoutUsage(recording.response));
          }
        });
      }
    },
  );
});

/** A stream without the events that hold usage and no choice. */
function withoutUsage(body: Uint8Array): string {
  const ends = [...eventEnds(body), body.length];
  return ends
    .map((end, index) => body.subarray(ends[index - 1] ?? 0, end))
    .filter((event) => !isUsageOnly(utf8.decode(event)))
    .map((event) => Buffer.from(event).toString("latin1"))
    .join("");
}

function isUsageOnly(event: string): boolean {
  const data = /^data: ?(\{.*\})\s*$/m.exec(event)?.[1];
  if (data === undefined) return false;
  const { choices, usage } = JSON.parse(data) as { choices?: readonly object[]; usage?: object };
  return choices?.length === 0 && usage !== undefined && usage !== null;
}
