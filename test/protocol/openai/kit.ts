import type { AnswerContext, RequestContext } from "../../../src/protocol/codec.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { capabilities } from "../../../src/protocol/openai/capabilities.ts";
import { readRequest } from "../../../src/protocol/openai/read-request.ts";
import { streamReader } from "../../../src/protocol/openai/read-stream.ts";
import { streamWriter } from "../../../src/protocol/openai/write-stream.ts";
import { parseSse } from "../../../src/wire/sse.ts";

export const bytesOf = (text: string) => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A request as it was read; throws when it was refused. */
export function requestOf(body: JsonObject): IrRequest {
  const request = readRequest(body, { model: "m", stream: false });
  if (request instanceof Rejection) throw new Error(JSON.stringify(request.reason));
  return request;
}

/** What writing a request or an answer reports goes to `losses`. */
export function requestContext(model: string, losses: Loss[] = []): RequestContext {
  return { model, capabilities, report: (loss) => losses.push(loss) };
}

export function answerContext(asked: JsonObject = {}, losses: Loss[] = []): AnswerContext {
  return {
    requestId: "r1",
    asked: requestOf({ model: "m", messages: [], ...asked }),
    createdAt: 1_760_000_000,
    framing: "events",
    report: (loss) => losses.push(loss),
  };
}

/** Everything a reader makes of a stream, fed in pieces of `size` bytes. */
export function eventsOf(stream: Uint8Array | string, size = Infinity): readonly IrEvent[] {
  const bytes = typeof stream === "string" ? bytesOf(stream) : new Uint8Array(stream);
  const reader = streamReader();
  const events: IrEvent[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    events.push(...reader.feed(bytes.slice(at, at + size)));
  }
  return [...events, ...reader.end()];
}

/** The stream a writer makes of events, as text. */
export function streamOf(events: readonly IrEvent[], context: AnswerContext): string {
  const writer = streamWriter(context);
  const text = events.map((event) => textOf(writer.write(event))).join("");
  return text + textOf(writer.end());
}

/** The data of every event of a stream, parsed where it is JSON. */
export function dataOf(stream: Uint8Array | string): readonly unknown[] {
  const bytes = typeof stream === "string" ? bytesOf(stream) : new Uint8Array(stream);
  return parseSse(bytes).map(({ data }) => {
    try {
      return JSON.parse(data) as unknown;
    } catch {
      return data;
    }
  });
}

/** An object as `JSON.parse` would have made it: without null prototypes, for `toEqual`. */
export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
