/** What faultd does with one request: an answer with its faults, or bytes as they are. */
export type Script = Answer | Raw;

export type HeaderLine = readonly [name: string, value: string];

export interface Answer {
  /** 200 unless given. */
  readonly status?: number;
  readonly reason?: string;
  /** Sent in this order and spelling; the framing header is added behind them. */
  readonly headers?: readonly HeaderLine[];
  readonly body?: Uint8Array | string;
  /** `content-length` unless given. */
  readonly framing?: Framing;
  /** Lies about the length of a `content-length` answer. */
  readonly declaredLength?: number;
  /** `whole` unless given. */
  readonly chunking?: Chunking;
  /** Nothing is sent before this gate opens. */
  readonly beforeHead?: Gate;
  /** Body offset → a gate that must open before the byte at that offset is sent. */
  readonly gates?: ReadonlyMap<number, Gate>;
  readonly cut?: Cut;
}

/** Exactly these bytes, then that end. `keep` waits for the next request. */
export interface Raw {
  readonly raw: Uint8Array | string;
  readonly then: CutKind | "keep";
  readonly beforeHead?: Gate;
}

/** How the end of a body is told: RFC 9112 §6.3. `close` has no framing but the end itself. */
export type Framing = "content-length" | "chunked" | "close";

/** The pieces a body is written in: one socket write (and one HTTP chunk) each. */
export type Chunking = "whole" | "byte" | "event" | { readonly seed: number; readonly max: number };

/** Exactly `at` bytes of the body are sent, then the fault. */
export interface Cut {
  readonly at: number;
  readonly how: CutKind;
}

/** `garbage` is bytes that fit no framing, then FIN. `stall` sends nothing more and stays open. */
export type CutKind = "fin" | "rst" | "stall" | "garbage";
export const CUT_KINDS = ["fin", "rst", "stall", "garbage"] as const satisfies readonly CutKind[];

/** A point the test holds faultd at: tests need no sleeps. */
export interface Gate {
  /** Resolves when everything before the gate is with the kernel. */
  readonly reached: Promise<void>;
  readonly opened: Promise<void>;
  readonly arrive: () => void;
  readonly open: () => void;
}

/** Makes a closed gate. */
export function gate(): Gate {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    opened: opened.promise,
    arrive: reached.resolve,
    open: opened.resolve,
  };
}

const encoder = new TextEncoder();

/** Bytes of a text or of bytes, so that a script may hold either. */
export function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : data;
}

/** An event stream, chunked as every provider sends it. */
export function eventStream(body: Uint8Array | string, rest: Answer = {}): Answer {
  const headers: readonly HeaderLine[] = [["content-type", "text/event-stream; charset=utf-8"]];
  return { headers, framing: "chunked", body, ...rest };
}

/** A JSON answer of known length. */
export function json(body: object | string | Uint8Array, rest: Answer = {}): Answer {
  const bytes = typeof body === "string" || body instanceof Uint8Array ? body : toText(body);
  return { headers: [["content-type", "application/json"]], body: bytes, ...rest };
}

/** A redirect that asks for the same request, body and all, somewhere else: RFC 9110 §15.4.8. */
export function redirect(location: string): Answer {
  return { status: 307, reason: "Temporary Redirect", headers: [["location", location]], body: "" };
}

function toText(body: object): string {
  return JSON.stringify(body);
}
