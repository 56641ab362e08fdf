import { readFileSync } from "node:fs";
import { fixture, haveRecordings } from "../faultd/recordings.ts";
import { documentedErrors } from "./error-cases.ts";
import type { Surface } from "./exchanges.ts";
import { dataOf, framesOf, messageOf } from "./frames.ts";

/** An error as a vendor puts it into a stream that has begun. */
export interface StreamFault {
  readonly name: string;
  readonly surface: Surface;
  readonly bytes: Uint8Array;
  /** The vendor's own SDK does not mind it: only a translation has to. */
  readonly isQuiet: boolean;
}

const utf8 = new TextEncoder();
/** A relay that starts over in the middle: recorded by vercel/ai, protocols.md 5.2. */
const SECOND_START = "a second start";

/** What hosts of a wire do that none of the documented bodies shows: protocols.md finding 9, 5.6. */
const FURTHER: readonly (readonly [Surface, string, string])[] = [
  [
    "openai",
    "Groq's named event",
    'event: error\ndata: {"error":{"message":"Failed to call a function.","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"x"}}\n\n',
  ],
  [
    "openai",
    "OpenRouter's error beside choices",
    'data: {"id":"gen-1","object":"chat.completion.chunk","created":1,"model":"m","error":{"code":502,"message":"Provider returned error"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}\n\ndata: [DONE]\n\n',
  ],
  [
    "gemini",
    "an event",
    'data: {"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}\r\n\r\n',
  ],
  [
    "gemini",
    "bare JSON",
    '{\n  "error": {\n    "code": 499,\n    "message": "The operation was cancelled.",\n    "status": "CANCELLED"\n  }\n}\n',
  ],
  [
    "anthropic",
    SECOND_START,
    'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_2","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
  ],
  [
    "cohere",
    "its last event",
    'event: message-end\ndata: {"id":"1","type":"message-end","delta":{"finish_reason":"ERROR","error":"an internal error occurred"}}\n\ndata: [DONE]\n\n',
  ],
];

interface Frame {
  readonly name: string;
  readonly hex: string;
}
/** Frames of that file that are no errors. */
const HARMLESS = /^(?:unknown-event|initial-response)$/;

/** Every documented error of a stream. */
export function streamFaults(): readonly StreamFault[] {
  if (!haveRecordings) return [];
  const frames: Frame[] = JSON.parse(
    readFileSync(fixture("eventstream-bedrock/exceptions.json"), "utf8"),
  );
  return [
    ...documentedErrors("stream").map(({ surface, kind, body }) => ({
      name: kind,
      surface,
      bytes: utf8.encode(String(body)),
      isQuiet: false,
    })),
    ...FURTHER.map(([surface, name, text]) => ({
      ...{ name, surface, bytes: utf8.encode(text) },
      isQuiet: name === SECOND_START,
    })),
    ...frames
      .filter(({ name }) => !HARMLESS.test(name))
      .map(({ name, hex }) => ({
        name,
        surface: "bedrock" as const,
        bytes: bytesOfHex(hex),
        isQuiet: false,
      })),
  ];
}

function bytesOfHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** How many frames stand before the one that completes a stream, as its vendor tells the end. */
export function framesBeforeEnd(surface: Surface, body: Uint8Array): number {
  return framesOf(surface, body).findIndex((frame) => isEnd(surface, frame));
}

function isEnd(surface: Surface, frame: Uint8Array): boolean {
  const text = Buffer.from(frame).toString();
  const data = dataOf(frame) as { readonly type?: string } | undefined;
  switch (surface) {
    case "openai":
      return text.includes("[DONE]");
    case "responses":
      return /^response\.(?:completed|incomplete|failed)$/.test(data?.type ?? "");
    case "anthropic":
      return data?.type === "message_stop";
    case "gemini":
      return JSON.stringify(data ?? {}).includes('"finishReason"');
    case "bedrock":
      return messageOf(frame).name === "messageStop";
    case "cohere":
      return data?.type === "message-end";
    case "invoke": {
      const { bytes } = (messageOf(frame).payload ?? {}) as { readonly bytes?: string };
      const inner = Buffer.from(bytes ?? "", "base64").toString();
      return /"amazon-bedrock-invocationMetrics"|"type":"message_stop"|"messageStop"/.test(inner);
    }
  }
}
