import type { Capabilities } from "../../../src/core/capabilities.ts";
import type { DialectId } from "../../../src/core/ids.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import type { Chunk } from "../../../src/core/units.ts";
import { capabilities as anthropic } from "../../../src/protocol/anthropic/capabilities.ts";
import { capabilities as openai } from "../../../src/protocol/openai/capabilities.ts";
import { capabilities as responses } from "../../../src/protocol/responses/capabilities.ts";
import type { AnswerContext, Codec } from "../../../src/protocol/codec.ts";
import type { Dialect } from "../../../src/protocol/dialect.ts";
import type { IrAnswer } from "../../../src/protocol/ir/answer.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { frameText } from "../../../src/wire/sse-block.ts";
import { SseScanner } from "../../../src/wire/sse.ts";

const utf8 = new TextEncoder();
const NOTHING: Chunk = new Uint8Array(0);
export const EVENT_END = "data: [END]\n\n";
export const BROKEN = "data: [BROKEN]\n\n";

/** A wire that is the representation itself, so that a test sees what the passes do. */
export function toyDialect(id: "openai" | "anthropic" | "responses"): Dialect {
  const capabilities: Capabilities = { openai, anthropic, responses }[id];
  const codec: Codec = {
    capabilities,
    readRequest: (body) =>
      Array.isArray(body["messages"])
        ? ({ sampling: {}, system: [], stream: true, ...body, origin: id } as unknown as IrRequest)
        : new Rejection({ kind: "malformed", param: "messages", detail: "'messages' is no list" }),
    writeRequest: (request, { model }) => ({ ...request, model }) as unknown as JsonObject,
    readAnswer: (body) => ({ candidates: [], ...body, origin: id }) as unknown as IrAnswer,
    writeAnswer: (answer, context) => {
      reportStop(answer.candidates[0]?.stop?.kind, context);
      return answer as unknown as JsonObject;
    },
    streamReader() {
      let events: IrEvent[] = [];
      const taken = () => {
        const all = events;
        events = [];
        return all;
      };
      const scanner = new SseScanner({
        onFrame: (frame) => void events.push(JSON.parse(frameText(frame)) as IrEvent),
      });
      return {
        feed(chunk) {
          scanner.feed(chunk);
          return taken();
        },
        end() {
          scanner.end();
          return taken();
        },
      };
    },
    streamWriter: (context) => ({
      write(event) {
        if (event.t === "stop") reportStop(event.stop.kind, context);
        return event.t === "end" || event.t === "ping" ? NOTHING : frame(event);
      },
      end: () => utf8.encode(EVENT_END),
      fail: () => utf8.encode(BROKEN),
    }),
  };
  return { id: id as DialectId, codec } as Dialect;
}

function reportStop(kind: string | undefined, { report }: AnswerContext): void {
  if (kind === "pause") report({ code: "L-STOP", path: "stop", action: "approximated" });
}

export function frame(event: IrEvent): Chunk {
  return utf8.encode(`data: ${JSON.stringify(event)}\n\n`);
}

/** The events of a toy stream, without its comments and its end. */
export function eventsIn(text: string): readonly IrEvent[] {
  return text
    .split("\n\n")
    .filter((block) => block.startsWith("data: {"))
    .map((block) => JSON.parse(block.slice(6)) as IrEvent);
}
