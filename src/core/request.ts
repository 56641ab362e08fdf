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
  readonly model: string;
  /** Where the model's name stands in the body, to be spliced. */
  readonly modelSpan: Span;
  readonly stream: boolean;
  /** The caller asked for the usage chunk (`stream_options.include_usage`). */
  readonly includeUsage: boolean;
  /** `stream_options`, when the caller sent one, so that `include_usage` can be added to it. */
  readonly streamOptionsSpan: Span | undefined;
  /** The caller's own cap on output tokens. */
  readonly outputTokensMax: number | undefined;
  readonly bodyBytes: Bytes;
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
