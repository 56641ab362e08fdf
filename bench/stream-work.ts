import type { Chunk } from "../src/core/units.ts";
import { stripUsage } from "../src/protocol/openai/strip-usage.ts";
import { streamTap } from "../src/protocol/openai/tap.ts";

/** Usage of a stream as the relay learns it. */
export function tapped(chunks: readonly Chunk[]) {
  const tap = streamTap({ terminal: "done" });
  for (const chunk of chunks) tap.feed(chunk);
  tap.end();
  return { usage: tap.usage, complete: tap.complete, events: tap.eventCount };
}

/** The stream without its usage chunk, as a caller gets it who did not ask for one. */
export function stripped(chunks: readonly Chunk[]): readonly Chunk[] {
  const edit = stripUsage();
  return [...chunks.map((chunk) => edit.feed(chunk)), edit.end()];
}

/** What a gateway does that reads every event: the same usage, found by parsing. */
export function parsedAll(chunks: readonly Chunk[]): number | undefined {
  const decoder = new TextDecoder();
  let rest = "";
  let tokens: number | undefined;
  for (const chunk of chunks) {
    const events = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) {
      if (event === "data: [DONE]") continue;
      const { usage } = JSON.parse(event.slice(6)) as {
        usage: { completion_tokens: number } | null;
      };
      tokens = usage?.completion_tokens ?? tokens;
    }
  }
  return tokens;
}
