import { Rejection } from "../../../src/core/rejection.ts";
import type { Chunk } from "../../../src/core/units.ts";
import type { AnswerContext } from "../../../src/protocol/codec.ts";
import { codec } from "../../../src/protocol/anthropic/codec.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { parseJson } from "../../../src/wire/exact-json.ts";
import { parseSse } from "../../../src/wire/sse.ts";

export const utf8 = (text: string): Chunk => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
/** What a value is on the wire: no undefined members, no prototypes. */
export const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
export const objectOf = (bytes: Uint8Array): JsonObject => parseJson(bytes) as JsonObject;

export function readRequest(body: unknown): IrRequest {
  const read = codec.readRequest(plain(body) as JsonObject, { model: "m", stream: false });
  if (read instanceof Rejection) throw new Error(JSON.stringify(read.reason));
  return read;
}

export const ASKED = readRequest({ model: "m", max_tokens: 9, messages: [] });

/** A context that collects the losses reported. */
export function context(): AnswerContext & { readonly losses: Loss[] } {
  const losses: Loss[] = [];
  const report = (loss: Loss) => void losses.push(loss);
  const asked = ASKED;
  return { requestId: "req_1", asked, createdAt: 0, framing: "events", report, losses };
}

export interface WireEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export function eventsOf(body: Chunk): WireEvent[] {
  return parseSse(body).map(({ event, data }) => ({ event, data: JSON.parse(data) }));
}

/** What the reader makes of a stream, given in these chunks. */
export function readAll(...chunks: readonly Chunk[]): readonly IrEvent[] {
  const reader = codec.streamReader();
  return [...chunks.flatMap((chunk) => reader.feed(chunk)), ...reader.end()];
}

/** What the writer makes of events, and what it had to leave out. */
export function writeAll(events: readonly IrEvent[]) {
  const told = context();
  const writer = codec.streamWriter(told);
  const chunks = [...events.map((event) => writer.write(event)), writer.end()];
  const body: Chunk = new Uint8Array(Buffer.concat(chunks));
  return { body, losses: told.losses, codes: told.losses.map(({ code }) => code) };
}

/** A file that ends in the middle of a blank line has it completed, so that a reader sees it. */
export function completed(body: Uint8Array): Chunk {
  const text = textOf(body);
  return utf8(text.endsWith("\n\n") ? text : `${text}\n`);
}
