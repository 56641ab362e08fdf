import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Rejection } from "../../../src/core/rejection.ts";
import type { Chunk } from "../../../src/core/units.ts";
import type { AnswerContext, RequestContext } from "../../../src/protocol/codec.ts";
import { capabilities } from "../../../src/protocol/cohere/capabilities.ts";
import { codec } from "../../../src/protocol/cohere/codec.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { parseJson, printJson } from "../../../src/wire/exact-json.ts";
import { parseSse } from "../../../src/wire/sse.ts";
import { answer, request } from "./arbitraries.ts";
import { fixture, haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";

const utf8 = (text: string): Chunk => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
/** Through its bytes, as a client would see it. */
const seen = (value: unknown): unknown => JSON.parse(printJson(value));
const objectOf = (bytes: Uint8Array | string): JsonObject =>
  parseJson(typeof bytes === "string" ? utf8(bytes) : bytes) as JsonObject;

const noLoss = (loss: unknown): never => {
  throw new Error(`lost: ${JSON.stringify(loss)}`);
};
const ASKED: IrRequest = {
  origin: "cohere",
  model: "m",
  system: [],
  messages: [],
  tools: undefined,
  sampling: {},
  stream: true,
};
const ANSWER: AnswerContext = {
  requestId: "req_1",
  asked: ASKED,
  createdAt: 0,
  framing: "events",
  report: noLoss,
};

function readRequest(body: JsonObject): IrRequest {
  const request = codec.readRequest(body, { model: "from-path", stream: false });
  if (request instanceof Rejection) throw new Error(JSON.stringify(request.reason));
  return request;
}
function requestAgain(body: JsonObject, change = (request: IrRequest) => request): unknown {
  const model = typeof body["model"] === "string" ? body["model"] : "from-path";
  const context: RequestContext = { model, capabilities, report: noLoss };
  return seen(codec.writeRequest(change(readRequest(body)), context));
}
const answerAgain = (body: JsonObject): unknown =>
  seen(codec.writeAnswer(codec.readAnswer(body), ANSWER));

/** What the reader makes of a stream in chunks of `size` bytes. */
function eventsOf(stream: Uint8Array, size = stream.length): readonly IrEvent[] {
  const reader = codec.streamReader();
  const events: IrEvent[] = [];
  for (let at = 0; at < stream.length; at += size) {
    events.push(...reader.feed(stream.slice(at, at + size)));
  }
  return [...events, ...reader.end()];
}
function written(events: readonly IrEvent[], context = ANSWER): string {
  const writer = codec.streamWriter(context);
  return events.map((event) => textOf(writer.write(event))).join("") + textOf(writer.end());
}
/** The events of a stream, each as its name and its parsed data. */
function framesOf(stream: string | Uint8Array): readonly (readonly [string, unknown])[] {
  const bytes = typeof stream === "string" ? utf8(stream) : stream.slice();
  return parseSse(bytes).map(({ event, data }) => [
    event,
    data.startsWith("{") ? JSON.parse(data) : data,
  ]);
}

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const all = recordingsOf("cohere");
  test("there are forty-seven, forty-four with their request", () => {
    expect(all).toHaveLength(47);
    expect(all.filter(({ request }) => request !== undefined)).toHaveLength(44);
    expect(all.filter(({ streamed }) => streamed)).toHaveLength(21);
  });

  for (const { name, request, response, streamed } of all) {
    if (request !== undefined) {
      test(`${name}: the request is itself again`, () => {
        const body = objectOf(request);
        expect(requestAgain(body)).toEqual(seen(body));
      });
      test(`${name}: nothing of the request stays unmodelled`, () => {
        const read = readRequest(objectOf(request));
        expect(JSON.stringify(read).includes('"ext"')).toBe(false);
      });
      test(`${name}: the request is itself again though its spelling was forgotten`, () => {
        const body = objectOf(request);
        expect(dense(requestAgain(body, structuredClone))).toEqual(dense(seen(body)));
      });
    }
    if (!streamed) {
      test(`${name}: the answer is itself again`, () => {
        const body = objectOf(response);
        expect(answerAgain(body)).toEqual(seen(body));
      });
      continue;
    }
    test(`${name}: the stream is itself again`, () => {
      // Ours ends with its mark, though one was recorded without; and an error ends without one.
      const frames = framesOf(response).filter(([, data]) => data !== "[DONE]");
      const again = framesOf(written(eventsOf(response)));
      const isFailed = again.every(([, data]) => data !== "[DONE]");
      expect(again).toEqual(isFailed ? frames : [...frames, ["", "[DONE]"]]);
      expect(isFailed).toBe(textOf(response).includes('"finish_reason":"ERROR"'));
    });
    test(`${name}: the stream is itself again though its spelling was forgotten`, () => {
      const events = eventsOf(response);
      if (events.at(-1)?.t === "error") return;
      expect(framesOf(written(structuredClone(events) as IrEvent[]))).toEqual(
        framesOf(written(events)),
      );
    });
    test(`${name}: the stream is read alike however it is cut`, () => {
      for (const size of [1, 7, 100]) expect(eventsOf(response, size)).toEqual(eventsOf(response));
    });
  }

  test.each(["cohere", "cohere-stream"])("the SDK's own request is itself again: %s", (name) => {
    const file = JSON.parse(readFileSync(fixture(`sdk-requests/${name}.json`), "utf8"));
    expect(requestAgain(file.body)).toEqual(file.body);
  });
});

/** Without what says nothing. */
function dense(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dense);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null && !(Array.isArray(member) && member.length === 0))
      .map(([name, member]) => [name, dense(member)]),
  );
}

describe("identity", () => {
  test("holds for any request the server takes, and for many that it does not", () => {
    fc.assert(
      fc.property(request, (body) => {
        const sent = objectOf(printJson(body));
        expect(requestAgain(sent)).toEqual(seen(sent));
      }),
      { numRuns: 500 },
    );
  });
  test("holds for any answer", () => {
    fc.assert(
      fc.property(answer, (body) => {
        const sent = objectOf(printJson(body));
        expect(answerAgain(sent)).toEqual(seen(sent));
      }),
      { numRuns: 500 },
    );
  });
  test("holds to the last digit", () => {
    const text = '{"model":"m","messages":[],"seed":12345678901234567890,"stream":false,"p":0.7}';
    const context = { model: "m", capabilities, report: noLoss };
    const again = printJson(codec.writeRequest(readRequest(objectOf(text)), context));
    expect(again).toContain('"seed":12345678901234567890');
    expect(again).toContain('"p":0.7');
  });
});
