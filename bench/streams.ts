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

/** Whether every protocol's stream is one its own tap takes for complete. */
export function isComplete(dialect: DialectId): boolean {
  const tap = dialects[dialect].streamTap({ terminal: "done" });
  for (const chunk of streamIn(dialect)) tap.feed(chunk);
  tap.end();
  return tap.complete;
}
