import fc from "fast-check";
import { GoogleGenAI } from "@google/genai";
import { Rejection } from "../../../src/core/rejection.ts";
import type { Chunk } from "../../../src/core/units.ts";
import type { AnswerContext, Framing } from "../../../src/protocol/codec.ts";
import { codec } from "../../../src/protocol/gemini/codec.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import { isList, isObject } from "../../../src/protocol/ir/fields.ts";
import type { Json, JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { parseJson, printJson } from "../../../src/wire/exact-json.ts";
import { parseSse } from "../../../src/wire/sse.ts";

export const utf8 = (text: string): Chunk => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const bytewise = (body: Chunk): Chunk[] =>
  Array.from(body, (_, at) => body.slice(at, at + 1));
export const sse = (...chunks: readonly object[]): string =>
  chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join("");
export const array = (...chunks: readonly object[]): string =>
  `[${chunks.map((chunk) => JSON.stringify(chunk, null, 2)).join("\n,\r\n")}\n]\n`;

export const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), {
  maxLength: 20,
});
export function cut(body: Chunk, points: readonly number[]): Chunk[] {
  const ends = [...points.map((point) => Math.floor(point * body.length)), body.length];
  let at = 0;
  return ends.sort((a, b) => a - b).map((end) => body.slice(at, (at = end)));
}

/** The value as text with its members in one order: two such texts are equal or their values differ. */
export function sorted(value: Json): string {
  return printJson(inOrder(value));
}
function inOrder(value: Json): Json {
  if (isList(value)) return value.map(inOrder);
  if (!isObject(value)) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, inOrder(value[name]!)]));
}

export function parsed(bytes: Uint8Array): JsonObject {
  return parseJson(bytes) as JsonObject;
}
/** As the wire would have it. */
export const json = (value: unknown): JsonObject => JSON.parse(JSON.stringify(value));

export function readRequest(body: JsonObject, stream = false): IrRequest {
  const request = codec.readRequest(body, { model: "gemini-x", stream });
  if (request instanceof Rejection) throw new Error(JSON.stringify(request.reason));
  return request;
}

export const ASKED: IrRequest = readRequest(json({ contents: [] }));
export const CURIOUS: IrRequest = readRequest(
  json({ contents: [], generationConfig: { thinkingConfig: { includeThoughts: true } } }),
);

export interface Context extends AnswerContext {
  readonly losses: Loss[];
}
export function context(framing: Framing = "events", asked: IrRequest = ASKED): Context {
  const losses: Loss[] = [];
  const report = (loss: Loss): void => void losses.push(loss);
  return { requestId: "req_1", asked, createdAt: 1, framing, report, losses };
}

export function readStream(chunks: readonly Chunk[]): IrEvent[] {
  const reader = codec.streamReader();
  const events: IrEvent[] = [];
  for (const chunk of chunks) {
    const own = chunk.slice();
    events.push(...reader.feed(own));
    own.fill(0x22); // A reader that kept it would show it.
  }
  return [...events, ...reader.end()];
}

export function writeStream(events: readonly IrEvent[], given: Context = context()): string {
  const writer = codec.streamWriter(given);
  const written = events.map((event) => textOf(writer.write(event)));
  return written.join("") + textOf(writer.end());
}

/** The chunks in a written stream of events. */
export function chunksIn(stream: string): JsonObject[] {
  return parseSse(utf8(stream)).map(({ data }) => parsed(utf8(data)));
}

/** The official SDK against one answer. */
export function sdkOn(response: () => Response): GoogleGenAI {
  const fetch = (async () => response()) as unknown as typeof globalThis.fetch;
  return new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: "http://sdk.test", fetch } });
}
export const answerOf = (body: string, status = 200): Response =>
  new Response(body, { status, headers: { "content-type": "application/json" } });
export const streamOf = (body: string): Response =>
  new Response(body, { status: 200, headers: { "content-type": "text/event-stream" } });
export const CALL = { model: "m", contents: "hi" };
