import type { DialectId } from "../src/core/ids.ts";
import type { Chunk } from "../src/core/units.ts";
import { dialects } from "../src/protocol/dialects.ts";
import { EVENT_CHUNKS } from "./inputs.ts";
import { conversationIn, translated } from "./conversation.ts";

/** The answer of 64 deltas as an upstream of each protocol sends it: an event in each chunk. */
export function streamIn(dialect: DialectId): readonly Chunk[] {
  if (dialect === "openai") return EVENT_CHUNKS;
  const stream = translated(conversationIn(dialect), dialect, "openai").stream();
  const chunks = EVENT_CHUNKS.map((chunk) => stream.feed(chunk));
  return [...chunks, stream.end()].filter(({ byteLength }) => byteLength > 0);
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();
/** Begins the text of an event of `EVENT_CHUNKS`. */
const TEXT = '"content":"';

/**
 * OpenAI's stream in as many chunks of as many bytes as another protocol's: what its bytes cost,
 * whatever is said in them. Chunks that are shorter than any of OpenAI's own stay as these are.
 */
export function openaiLike(chunks: readonly Chunk[]): readonly Chunk[] {
  const [end, ...rest] = EVENT_CHUNKS.toReversed();
  const deltas = rest.toReversed();
  const last = chunks.length - 1;
  return chunks.map(({ byteLength }, at) => {
    if (at < last) return padded(deltas[at % 64]!, byteLength);
    const whole = [...deltas.slice(64), end!].map((chunk) => decoder.decode(chunk)).join("");
    const room = byteLength - encoder.encode(whole).byteLength;
    const first = decoder.decode(padded(deltas[0]!, Math.max(0, room)));
    return encoder.encode(first + whole);
  });
}

function padded(chunk: Chunk, byteLength: number): Chunk {
  const text = decoder.decode(chunk);
  const at = text.indexOf(TEXT) + TEXT.length;
  const more = "x".repeat(Math.max(0, byteLength - chunk.byteLength));
  return encoder.encode(text.slice(0, at) + more + text.slice(at));
}

/** Whether every protocol's stream is one its own tap takes for complete. */
export function isComplete(dialect: DialectId): boolean {
  const tap = dialects[dialect].streamTap({ terminal: "done" });
  for (const chunk of streamIn(dialect)) tap.feed(chunk);
  tap.end();
  return tap.complete;
}
