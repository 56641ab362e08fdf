import type { Fault } from "../core/fault.ts";
import type { Bytes, Chunk, Ms } from "../core/units.ts";
import type { StreamTap } from "../protocol/dialect.ts";
import type { Clock } from "../runtime/runtime.ts";
import { abandoned, failed, type Reply, streamedAnswer } from "./answer.ts";
import type { Failed } from "./context.ts";
import type { ChunkRead, ChunkReader, Committed } from "./committed.ts";
import { judgeEvent } from "./judge.ts";

/** The head is held for the first event up to this many bytes, or this long once bytes come. */
const HELD_BYTES_MAX: Bytes = 16 * 1024;
const HELD_MS_MAX: Ms = 15_000;
/** An answer that fails at once fails within this; a model that thinks must not be waited for. */
const PROLOGUE_MS: Ms = 250;

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
  let prologue: Wait | undefined;
  try {
    for (;;) {
      const reading = reader.read();
      const read = await (prologue === undefined
        ? reading
        : Promise.race([reading, prologue.over]));
      if (read === "over") {
        return streamedAnswer(reply, { reader: resumed(reader, reading), tap, held });
      }
      if (read.done) {
        tap?.end();
        const began = tap === undefined ? heldBytes > 0 : tap.eventCount > 0 || tap.complete;
        if (!began) return failed(faultOf(reply, tap) ?? { kind: "network", sent: true });
      } else {
        call.heard();
        held.push(read.value);
        heldBytes += read.value.byteLength;
        tap?.feed(read.value);
      }
      const fault = faultOf(reply, tap);
      if (fault !== undefined) return abandoned(reply, fault);
      const begun = tap === undefined || hasBegun(tap) || read.done;
      if (begun || heldBytes > HELD_BYTES_MAX || context.clock.now() - startedAt > HELD_MS_MAX) {
        return streamedAnswer(reply, { reader, tap, held });
      }
      if (tap.eventCount > 0) prologue ??= waitFor(context.clock, PROLOGUE_MS);
    }
  } finally {
    prologue?.cancel();
  }
}

/** What went wrong before anything of an answer was said; undefined when nothing did. */
function faultOf({ lane }: Reply, tap: StreamTap | undefined): Fault | undefined {
  if (tap?.fault === undefined || tap.eventsBeforeFault > (tap.prologueCount ?? 0))
    return undefined;
  return judgeEvent(lane, tap) ?? tap.fault;
}

function hasBegun({ complete, eventCount, prologueCount = 0 }: StreamTap): boolean {
  return complete || eventCount > prologueCount;
}

interface Wait {
  readonly over: Promise<"over">;
  cancel(): void;
}

function waitFor(clock: Clock, ms: Ms): Wait {
  const { promise, resolve } = Promise.withResolvers<"over">();
  const timer = clock.after(ms, () => resolve("over"));
  return { over: promise, cancel: () => timer.cancel() };
}

/** The reader with the read that is under way already. */
function resumed(reader: ChunkReader, reading: Promise<ChunkRead>): ChunkReader {
  let pending: Promise<ChunkRead> | undefined = reading;
  reading.catch(() => {}); // Whoever reads on hears of it; nobody may.
  return {
    read() {
      const first = pending;
      pending = undefined;
      return first ?? reader.read();
    },
    cancel: () => reader.cancel(),
  };
}
