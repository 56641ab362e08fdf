import type { Bytes, Chunk, Ms } from "../core/units.ts";
import { abandoned, failed, type Reply, streamedAnswer } from "./answer.ts";
import type { Failed } from "./context.ts";
import type { ChunkReader, Committed } from "./committed.ts";
import { judgeEvent } from "./judge.ts";

/** The head is held for the first event up to this many bytes, or this long once bytes come. */
const HELD_BYTES_MAX: Bytes = 16 * 1024;
const HELD_MS_MAX: Ms = 15_000;

/** Holds a stream until its first event: one that starts with an error may still fail over. */
export async function peek(reply: Reply): Promise<Committed | Failed> {
  const { response, context, call, lane } = reply;
  const encoded = reply.translation === undefined && response.headers.has("content-encoding");
  const reader = response.body!.getReader() as ChunkReader;
  const { terminal } = lane.backend;
  const tap = encoded ? undefined : reply.wire.streamTap({ terminal });
  const held: Chunk[] = [];
  let heldBytes = 0;
  const startedAt = context.clock.now();
  for (;;) {
    const read = await reader.read();
    if (read.done) {
      tap?.end();
      const began = tap === undefined ? heldBytes > 0 : tap.eventCount > 0 || tap.complete;
      if (!began) return failed(tap?.fault ?? { kind: "network", sent: true });
    } else {
      call.heard();
      held.push(read.value);
      heldBytes += read.value.byteLength;
      tap?.feed(read.value);
    }
    if (tap?.fault !== undefined && tap.eventsBeforeFault === 0) {
      return abandoned(reply, judgeEvent(lane, tap) ?? tap.fault);
    }
    const begun = tap === undefined || tap.eventCount > 0 || tap.complete || read.done;
    if (begun || heldBytes > HELD_BYTES_MAX || context.clock.now() - startedAt > HELD_MS_MAX) {
      return streamedAnswer(reply, { reader, tap, held });
    }
  }
}
