import type { Fault } from "../core/fault.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement } from "../core/privacy.ts";
import type { Chunk } from "../core/units.ts";
import type { StreamTap } from "../protocol/dialect.ts";
import type { AttemptContext, Failed } from "./context.ts";
import type { Call } from "./call.ts";
import type { ChunkReader, StreamedAnswer, WholeAnswer } from "./committed.ts";
import { relayedHeaders } from "./headers.ts";

/** An upstream's head is here; what the body says is still to be read. */
export interface Reply {
  readonly response: Response;
  readonly lane: Lane<Placement>;
  readonly context: AttemptContext;
  readonly call: Call;
  /** The caller asked for a stream. */
  readonly streamed: boolean;
  /** We asked for usage and the caller did not. */
  readonly asksUsage: boolean;
}

/** A fault without words of the upstream worth passing on. */
export function failed(fault: Fault): Failed {
  return { fault, answer: undefined };
}

/** Gives the connection up: nothing of this reply is wanted. */
export function abandoned({ call }: Reply, fault: Fault): Failed {
  call.abort();
  return failed(fault);
}

/** Commits to a body that is all here. `refusal` is the fault when it is the upstream's own no. */
export function wholeAnswer(
  { response, lane, context }: Reply,
  { body, refusal }: Pick<WholeAnswer, "body" | "refusal">,
): WholeAnswer {
  return {
    kind: "whole",
    lane,
    status: response.status,
    headers: relayedHeaders(response.headers),
    attempts: context.facts.length + 1,
    firstEventAt: context.clock.now(),
    body,
    refusal,
  };
}

export interface StreamParts {
  readonly reader: ChunkReader;
  readonly tap: StreamTap | undefined;
  readonly held: Chunk[];
}

/** Commits to a body of which the beginning is here. */
export function streamedAnswer(
  { response, lane, context, call, asksUsage }: Reply,
  { reader, tap, held }: StreamParts,
): StreamedAnswer {
  return {
    kind: "stream",
    lane,
    status: response.status,
    headers: relayedHeaders(response.headers),
    attempts: context.facts.length + 1,
    firstEventAt: context.clock.now(),
    held,
    reader,
    tap,
    edit: asksUsage && tap !== undefined ? context.dialect.stripUsage() : undefined,
    call,
  };
}
