import type { Bytes, Chunk } from "../../core/units.ts";
import { parseSse } from "../../wire/sse.ts";
import { SseBlocks } from "../../wire/sse-blocks.ts";
import type { StreamEdit } from "../dialect.ts";

/** A usage chunk is a few hundred bytes; what is larger is passed on unread. */
const BLOCK_BYTES_MAX: Bytes = 64 * 1024;

/**
 * Takes out the chunk that holds nothing but usage: OpenAI adds it for `include_usage`, so a caller
 * who did not ask for it must not see it when we asked. The chunks before it keep `"usage":null`.
 */
export function stripUsage(): StreamEdit {
  const blocks = new SseBlocks(BLOCK_BYTES_MAX);
  return {
    feed(chunk) {
      const kept = blocks.feed(chunk).filter((block) => !isUsageOnly(block));
      return concat(kept);
    },
    // A last CR may end an event: whether a line feed follows was not known until now.
    end: () => concat([blocks.end()].filter((block) => !isUsageOnly(block))),
  };
}

function isUsageOnly(block: Chunk): boolean {
  if (block.length > BLOCK_BYTES_MAX) return false;
  const [event] = parseSse(block);
  if (event === undefined || !event.data.includes('"usage"')) return false;
  const data = parsed(event.data);
  if (typeof data !== "object" || data === null) return false;
  const { choices, usage } = data as { choices?: unknown; usage?: unknown };
  return Array.isArray(choices) && choices.length === 0 && typeof usage === "object" && !!usage;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not JSON: not a usage chunk, so it is passed on as it came.
  }
}

function concat(chunks: readonly Chunk[]): Chunk {
  if (chunks.length === 1) return chunks[0]!;
  return new Uint8Array(Buffer.concat(chunks));
}
