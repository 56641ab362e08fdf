import { readdirSync, readFileSync } from "node:fs";
import type { Chunk } from "../../../src/core/units.ts";
import type { AnswerContext } from "../../../src/protocol/codec.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { headOf } from "../../../src/protocol/bedrock/frames.ts";
import { parseJson } from "../../../src/wire/exact-json.ts";
import { EventStreamScanner } from "../../../src/wire/event-stream.ts";
import { fixture, haveRecordings } from "../../faultd/recordings.ts";

/** One message of a stream, decoded. */
export interface SeenFrame {
  readonly kind: string;
  readonly name: string;
  readonly payload: unknown;
}

export interface StreamRecording {
  readonly name: string;
  readonly body: Chunk;
}

/** The recorded binary streams of a folder; none where the recordings are missing. */
export function streamsOf(folder: "bedrock-converse" | "bedrock-invoke"): StreamRecording[] {
  if (!haveRecordings) return [];
  return readdirSync(fixture(folder))
    .filter((file) => file.endsWith(".stream.bin"))
    .sort()
    .map((file) => ({
      name: file.replace(".stream.bin", ""),
      body: new Uint8Array(readFileSync(fixture(`${folder}/${file}`))),
    }));
}

/** A JSON file of the fixtures, exact numbers kept. */
export function jsonOf(path: string): JsonObject {
  return parseJson(readFileSync(fixture(path))) as JsonObject;
}

/** The messages of a stream, without the padding that says nothing. */
export function framesOf(...chunks: readonly Chunk[]): SeenFrame[] {
  const frames: SeenFrame[] = [];
  const scanner = new EventStreamScanner({
    onFrame(frame) {
      const { kind, name } = headOf(frame);
      const said = parseJson(frame.bytes.subarray(frame.payload, frame.end));
      frames.push({ kind, name, payload: withoutPadding(said) });
    },
  });
  for (const chunk of chunks) scanner.feed(chunk);
  if (scanner.fault !== undefined || !scanner.atBoundary) throw new Error("not whole messages");
  return frames;
}

function withoutPadding(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("p" in value)) return value;
  const { p, ...rest } = value;
  return rest;
}

/** The text of a value with the members of its objects in order: equal texts, equal values. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    if ((JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export const bytewise = (body: Chunk): Chunk[] =>
  Array.from(body, (_, at) => body.slice(at, at + 1));
export const joined = (chunks: readonly Uint8Array[]): Chunk =>
  new Uint8Array(Buffer.concat(chunks));
export const utf8 = (text: string): Chunk => new TextEncoder().encode(text);

/** A request that asks for nothing in particular. */
export const ASKED: IrRequest = {
  origin: "bedrock",
  model: "m",
  system: [],
  messages: [],
  tools: undefined,
  sampling: {},
  stream: false,
};

/** A context whose reports are kept. */
export function contextOf(losses: Loss[] = [], asked: IrRequest = ASKED): AnswerContext {
  return {
    requestId: "req-1",
    asked,
    createdAt: 0,
    framing: "events",
    report: (loss) => losses.push(loss),
  };
}
