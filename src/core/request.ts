import type { Backend } from "./backend.ts";
import type { DialectId, Operation } from "./ids.ts";
import type { Admits, Privacy, Private, Shareable } from "./privacy.ts";
import type { Bytes, Chunk } from "./units.ts";

const inspect = Symbol.for("nodejs.util.inspect.custom");

/** A byte range of the body: the JSON string literal, quotes included. */
export interface Span {
  readonly start: Bytes;
  readonly end: Bytes;
}

/** The few facts routing and limits need. Holds nothing a caller wrote but names. */
export interface Envelope {
  readonly dialect: DialectId;
  readonly operation: Operation;
  /** The name the request is routed by: the body's, or the one its path begins with. */
  readonly model: string;
  /** The name as the body has it, where that is another; else the same. */
  readonly written?: string | undefined;
  /** Where the model's name stands in the body; undefined where the path names it. */
  readonly modelSpan: Span | undefined;
  readonly stream: boolean;
  /** The caller asked for the usage chunk (`stream_options.include_usage`). */
  readonly includeUsage: boolean;
  /** `stream_options`, when the caller sent one, so that `include_usage` can be added to it. */
  readonly streamOptionsSpan: Span | undefined;
  /** The caller's own cap on output tokens. */
  readonly outputTokensMax: number | undefined;
  readonly bodyBytes: Bytes;
  /** It holds a proof that only we can read: its own vendor would refuse it as it stands. */
  readonly carriesProofs?: boolean | undefined;
  /** What the request line said of the call. */
  readonly head: CallHead;
}

/** A call as its request line tells it: all of it where the path names model and method. */
export interface CallHead {
  readonly operation: Operation;
  /** The path behind the protocol's version, as `/images/edits`; for a native call the whole. */
  readonly tail: string;
  /** The query as it came, without a credential. */
  readonly query: string;
  /** The model the path names, decoded; undefined where the body does. */
  readonly model: string | undefined;
  /** Whether the path asks for a stream; undefined where the body says. */
  readonly stream: boolean | undefined;
  /** `tail` is the whole path as the provider itself has it: nothing is put before it. */
  readonly verbatim?: true | undefined;
}

/**
 * A classified request. The payload is sealed: the only way to the bytes is `unseal`, and `unseal`
 * wants a backend this class admits.
 */
export class Request<in out P extends Privacy> {
  readonly #payload: Chunk;
  readonly privacy: P;
  readonly envelope: Envelope;

  private constructor(privacy: P, envelope: Envelope, payload: Chunk) {
    this.privacy = privacy;
    this.envelope = envelope;
    this.#payload = payload;
    Object.freeze(this);
  }

  /** The one place untyped input becomes a class. Called once, in ingress/classify.ts. */
  static seal(marked: Privacy, envelope: Envelope, payload: Chunk): AnyRequest {
    return marked === "shareable"
      ? new Request<Shareable>("shareable", envelope, payload)
      : new Request<Private>("private", envelope, payload);
  }

  /** The same request with other bytes, still sealed. Called only in upstream/attempt.ts. */
  map(rewrite: (payload: Chunk) => Chunk): Request<P> {
    return new Request(this.privacy, this.envelope, rewrite(this.#payload));
  }

  /** @throws when the types were lied to and a private payload meets an external backend. */
  unseal(backend: Backend<Admits<P>>): Chunk {
    if (this.privacy === "private" && backend.placement !== "local") {
      throw new Error(`private request at external backend ${backend.name}`);
    }
    return this.#payload;
  }

  toJSON(): string {
    return `Request<${this.privacy}>(sealed)`;
  }
  [inspect](): string {
    return this.toJSON();
  }
}
export type AnyRequest = Request<Private> | Request<Shareable>;
