import type { Fault } from "../core/fault.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement } from "../core/privacy.ts";
import type { Chunk, Ms } from "../core/units.ts";
import type { Usage } from "../core/usage.ts";
import type { Framing } from "../protocol/codec.ts";
import type { StreamEdit, StreamTap } from "../protocol/dialect.ts";
import type { Translation } from "../protocol/translate/translate.ts";

/**
 * An answer past the point of no retry: what there is to pass on, and nothing to ask again with.
 *
 * `whole`: a complete body in memory. `stream`: the chunks held so far and the reader for the rest.
 */
export type Committed = WholeAnswer | StreamedAnswer;

/** Of which bodies the length tells how many tokens they are, where the provider does not. */
export type Guess = "all" | "input" | "nothing";

interface Answer {
  readonly lane: Lane<Placement>;
  readonly status: number;
  /** Those of the upstream that go on; ours are added when it is delivered. */
  readonly headers: Record<string, string>;
  readonly attempts: number;
  /** Set when the answer was written in another protocol: what was lost on the way. */
  readonly translation: Translation | undefined;
  /** `all` unless given. */
  readonly guess?: Guess | undefined;
  /** When the first event (or the whole body) was here, on the monotonic clock. */
  readonly firstEventAt: Ms;
}
/** The rest of a body, chunk by chunk. */
export interface ChunkReader {
  read(): Promise<ChunkRead>;
  cancel(): Promise<void>;
}
export type ChunkRead =
  | { readonly done: false; readonly value: Chunk }
  | { readonly done: true; readonly value?: Chunk | undefined };

export interface WholeAnswer extends Answer {
  readonly kind: "whole";
  readonly body: Chunk;
  /** As the upstream told it; undefined when it did not. */
  readonly usage: Usage | undefined;
  /** Set when this is the upstream's own refusal, passed on because it is the caller's fault. */
  readonly refusal: Fault | undefined;
}
export interface StreamedAnswer extends Answer {
  readonly kind: "stream";
  /** What came so far. Taken out as it is passed on: a stream must not keep its beginning. */
  readonly held: Chunk[];
  readonly reader: ChunkReader;
  /** Reads events off the side; undefined when the bytes are not events we can read. */
  readonly tap: StreamTap | undefined;
  /** How the caller's protocol cuts it into events, where that has two ways. */
  readonly framing?: Framing | undefined;
  /** Undoes what we asked for and the caller did not; undefined passes bytes as they are. */
  readonly edit: StreamEdit | undefined;
  /** Ends the upstream's request, whatever state it is in. */
  readonly call: { abort(): void };
}
