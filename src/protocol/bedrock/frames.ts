import type { Chunk } from "../../core/units.ts";
import { printJsonBytes } from "../../wire/exact-json.ts";
import {
  encodeFrame,
  type EventStreamFrame,
  type EventStreamHeader,
  readHeaders,
} from "../../wire/event-stream-frame.ts";
import type { JsonObject } from "../ir/json.ts";

/** What the headers of a message say: the AWS event stream specification of Smithy. */
export interface MessageHead {
  /** `broken`: the headers cannot be read, so nothing can be said of the payload. */
  readonly kind: "event" | "exception" | "error" | "broken";
  /** The event's type, the exception's type, or the error's code. */
  readonly name: string;
  /** Only an error without a payload says its message here. */
  readonly message: string | undefined;
}

const BROKEN: MessageHead = { kind: "broken", name: "", message: undefined };

/** The kind and name of a message. */
export function headOf(frame: EventStreamFrame): MessageHead {
  const headers = readHeaders(frame);
  if (headers === undefined) return BROKEN;
  switch (textOf(headers, ":message-type")) {
    case "event":
      return { kind: "event", name: textOf(headers, ":event-type") ?? "", message: undefined };
    case "exception":
      return {
        kind: "exception",
        name: textOf(headers, ":exception-type") ?? "",
        message: undefined,
      };
    case "error":
      return {
        kind: "error",
        name: textOf(headers, ":error-code") ?? "",
        message: textOf(headers, ":error-message"),
      };
  }
  return BROKEN;
}

/** An event as Bedrock sends it, header for header. */
export function eventFrame(name: string, payload: JsonObject): Chunk {
  return messageFrame({ name: ":event-type", type: "string", value: name }, "event", payload);
}

/** An exception inside a stream: every AWS SDK throws the class of that name. */
export function exceptionFrame(name: string, payload: JsonObject): Chunk {
  const type = { name: ":exception-type", type: "string", value: name } as const;
  return messageFrame(type, "exception", payload);
}

function messageFrame(type: EventStreamHeader, kind: string, payload: JsonObject): Chunk {
  const headers: readonly EventStreamHeader[] = [
    type,
    { name: ":content-type", type: "string", value: "application/json" },
    { name: ":message-type", type: "string", value: kind },
  ];
  return encodeFrame(headers, printJsonBytes(payload));
}

function textOf(headers: readonly EventStreamHeader[], name: string): string | undefined {
  const header = headers.find((said) => said.name === name);
  return header?.type === "string" ? header.value : undefined;
}
