import { eventEnds } from "../faultd/pieces.ts";
import type { Surface } from "./exchanges.ts";

/** Offsets just behind each whole frame of a stream, whatever its framing. */
export function frameEnds(surface: Surface, body: Uint8Array): number[] {
  return surface === "bedrock" || surface === "invoke" ? messageEnds(body) : eventEnds(body);
}

/** Each message of an event stream begins with its length, 32 bits, big end first. */
function messageEnds(body: Uint8Array): number[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const ends: number[] = [];
  for (let at = 0; at + 4 <= body.length;) {
    at += view.getUint32(at);
    ends.push(at);
  }
  return ends;
}

/** The frames themselves; what stands behind the last whole one is a frame, too. */
export function framesOf(surface: Surface, body: Uint8Array): Uint8Array[] {
  const ends = frameEnds(surface, body);
  if (ends.at(-1) !== body.length) ends.push(body.length);
  return ends.map((end, index) => body.subarray(ends[index - 1] ?? 0, end));
}

/** What each frame of a text stream says: the JSON of its data lines; undefined for any other. */
export function dataOf(frame: Uint8Array): unknown {
  const text = Buffer.from(frame).toString();
  const data = [...text.matchAll(/^data: ?(.*?)\r?$/gm)].map(([, line]) => line).join("\n");
  return jsonOf(data);
}

/** What a message of an event stream says: its payload, and the name of its event. */
export function messageOf(frame: Uint8Array): { readonly name: string; readonly payload: unknown } {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const headersLength = view.getUint32(4);
  const headers = Buffer.from(frame.subarray(12, 12 + headersLength)).toString("latin1");
  const payload = frame.subarray(12 + headersLength, frame.length - 4);
  const name = /:(?:event|exception)-type\x07\x00[\s\S]([A-Za-z]+)/.exec(headers)?.[1] ?? "";
  return { name, payload: jsonOf(Buffer.from(payload).toString()) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // No JSON: an end marker, a comment.
  }
}

/** A stream of events as the array that Gemini sends to who asks for none; and its elements' ends. */
export function jsonArrayOf(body: Uint8Array): {
  readonly body: Uint8Array;
  readonly ends: number[];
} {
  const parts = framesOf("gemini", body)
    .map((frame) => Buffer.from(frame).toString())
    .flatMap((text) => /^data: ?([^]*?)\s*$/.exec(text)?.[1] ?? []);
  const ends: number[] = [];
  let text = "[";
  for (const [index, part] of parts.entries()) {
    text += `${index === 0 ? "" : "\n,\r\n"}${part}`;
    ends.push(Buffer.byteLength(text));
  }
  return { body: new Uint8Array(Buffer.from(`${text}\n]\n`)), ends };
}
