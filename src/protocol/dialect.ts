import type { Fault } from "../core/fault.ts";
import type { DialectId, RequestId } from "../core/ids.ts";
import type { Stopped } from "../core/outcome.ts";
import type { Rejection } from "../core/rejection.ts";
import type { CallHead, Envelope } from "../core/request.ts";
import type { Chunk } from "../core/units.ts";
import type { Usage } from "../core/usage.ts";
import type { Edit } from "../wire/json-splice.ts";
import type { Codec, Framing } from "./codec.ts";
import type { WireError } from "./wire-error.ts";

/** One wire protocol: a pure codec. Knows no URL, no key, no clock. */
export interface Dialect {
  readonly id: DialectId;
  /** Path and query below a backend's base URL that serve a call. */
  upstreamPath(call: UpstreamCall): string;
  /** The few fields routing needs, without building anything else. */
  readEnvelope(head: CallHead, body: Chunk, limits: ReadLimits): EnvelopeRead | Rejection;
  /** Where a stream tells its usage only when asked to; undefined where it always does. */
  readonly usageOnRequest: UsageOnRequest | undefined;
  /** Reads a stream from the side; never changes it, never throws. */
  streamTap(options: TapOptions): StreamTap;
  /** Usage of a whole buffered answer; undefined when it does not say. */
  readUsage(body: Chunk): Usage | undefined;
  /** Whose fault an error answer is. `body` is what came of it, at most 256 KiB. */
  readFault(status: number, headers: Headers, body: Chunk): Fault;
  /** What an error answer says, to be spelled in another protocol; never the upstream's secrets. */
  readError(status: number, headers: Headers, body: Chunk): WireError;
  /** An error in this protocol's own envelope: body and the headers that go with it. */
  writeError(error: WireError, requestId: RequestId): ErrorAnswer;
  /** The in-band end of a stream that broke after its first byte. */
  writeStreamError(broken: BrokenStream): Chunk;
  /** A keep-alive that means nothing to any client of this protocol; empty where there is none. */
  readonly heartbeat: Chunk;
  /** The media type of a streamed answer, lower case, without parameters. */
  readonly streamType: string;
  /** How a stream that broke ends after its error: Cohere's SDK notices nothing but a reset. */
  readonly brokenEnd: "close" | "reset";
  /** The list of models, and one of them, as this protocol's own server would answer. */
  writeModels(models: readonly ModelEntry[]): string;
  writeModel(model: ModelEntry): string;
  /** Between this wire and the representation. */
  readonly codec: Codec;
}

/** What decides an upstream's path. */
export interface UpstreamCall {
  readonly head: CallHead;
  /** The name the backend knows the model by. */
  readonly model: string;
  readonly stream: boolean;
}

/** OpenAI's `include_usage`. */
export interface UsageOnRequest {
  /** The edit that makes a streamed request ask for usage its caller did not ask for. */
  ask(body: Chunk, envelope: Envelope): Edit;
  /** Takes what `ask` added out of the answer again. */
  strip(): StreamEdit;
}

/** A name a caller may use. */
export interface ModelEntry {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly owner: string;
}

/** Changes a stream on its way. Holds back what it cannot judge yet. */
export interface StreamEdit {
  /** What may go on now; empty when nothing does. */
  feed(chunk: Chunk): Chunk;
  /** What was held back. Call once, at a clean end. */
  end(): Chunk;
  /** Where it writes another protocol than it reads: the in-band end of a stream that broke. */
  fail?(broken: BrokenStream): Chunk;
}
export interface ReadLimits {
  readonly depthMax: number;
}
export interface EnvelopeRead {
  readonly envelope: Envelope;
  /** The body's own privacy mark (`metadata.privacy`), as written; undefined when there is none. */
  readonly privacyMark: string | undefined;
}
export interface TapOptions {
  readonly terminal: "done" | "finish";
}

/** What a tap learnt so far. Reading it costs nothing; it is never a snapshot of payload. */
export interface StreamTap {
  feed(chunk: Chunk): void;
  /** Call once when the transport ended: an unterminated last line still counts. */
  end(): void;
  /** The dialect's own end was seen: only then is a stream complete. */
  readonly complete: boolean;
  /** The upstream put an error event into the stream; undefined while it did not. */
  readonly fault: Fault | undefined;
  /** That event, where it could be read. */
  readonly faultEvent: unknown;
  /** Events that came before that one: none means that nothing of an answer was seen. */
  readonly eventsBeforeFault: number;
  /** Events at the beginning that only say that an answer was begun; none unless given. */
  readonly prologueCount?: number;
  /** Between two events, so that bytes of ours may stand here. */
  readonly atBoundary: boolean;
  /** Events with data seen so far (comments do not count). */
  readonly eventCount: number;
  /** Bytes of generated text seen, for an estimate when no usage is reported. */
  readonly textBytes: number;
  readonly usage: Usage | undefined;
  /** Identity of the stream, for a synthetic last chunk that looks like its own. */
  readonly id: string | undefined;
  readonly model: string | undefined;
}

export interface BrokenStream {
  readonly mode: "surface" | "graceful";
  readonly why: "truncated" | "timeout" | "shutdown" | "bug" | Stopped;
  readonly requestId: RequestId;
  /** False when the last relayed bytes stopped inside an event: it must be closed off first. */
  readonly atBoundary: boolean;
  readonly id: string | undefined;
  readonly model: string | undefined;
  /** How the stream is cut into events, where its protocol has two ways. */
  readonly framing?: Framing | undefined;
}

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}
