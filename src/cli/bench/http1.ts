/** Longer heads than this are refused rather than collected. */
const HEAD_BYTES_MAX = 65_536;
const LINE_FEED = 10;
const NO_BYTES = Buffer.alloc(0);

/** What a message's owner is told, in order: head, any number of body parts, end. */
export interface MessageParts {
  /** Start line and fields in lower case, without the blank line. */
  head(lower: string): void;
  /** Valid only during the call. */
  body(bytes: Buffer): void;
  end(): void;
}

type State = "head" | "fixed" | "size" | "data" | "data_end" | "trailer" | "until_close";

/**
 * Reads HTTP/1.1 messages off a connection, however its bytes are cut (RFC 9112 §6, §7.1): the
 * bench's client reads answers with it and the mock upstream requests. Trusts its
 * peer's intentions, not its framing: a malformed message ends the reading.
 */
export class MessageReader {
  readonly #parts: MessageParts;
  readonly #kind: "request" | "response";
  #state: State = "head";
  /** Bytes of the body or of the chunk at hand still to come. */
  #left = 0;
  /** A line or head that is not whole yet. */
  #rest: Buffer = NO_BYTES;

  constructor(kind: "request" | "response", parts: MessageParts) {
    this.#kind = kind;
    this.#parts = parts;
  }

  /** Takes what one read gave. False: malformed, and nothing after it can be understood. */
  feed(read: Buffer): boolean {
    const bytes = this.#rest.length === 0 ? read : Buffer.concat([this.#rest, read]);
    this.#rest = NO_BYTES;
    let at = 0;
    while (at < bytes.length) {
      const next = this.#step(bytes, at);
      if (next < 0) return false;
      if (next === at) {
        // A copy: the caller may reuse its buffer.
        this.#rest = Buffer.from(bytes.subarray(at));
        return this.#rest.length <= HEAD_BYTES_MAX;
      }
      at = next;
    }
    return true;
  }

  /** The connection ended: true when that is a message's proper end, or there was none begun. */
  close(): boolean {
    if (this.#state === "until_close") this.#end();
    return this.#state === "head" && this.#rest.length === 0;
  }

  /** Where the next step begins; the same place: more bytes are needed; negative: nonsense. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case "head":
        return this.#readHead(bytes, at);
      case "fixed":
      case "data":
        return this.#readBody(bytes, at);
      case "until_close":
        this.#parts.body(bytes.subarray(at));
        return bytes.length;
      case "size":
      case "data_end":
      case "trailer":
        return this.#readLine(bytes, at);
    }
  }

  #readHead(bytes: Buffer, at: number): number {
    const end = bytes.indexOf("\r\n\r\n", at, "latin1");
    if (end < 0) return at;
    const lower = bytes.toString("latin1", at, end).toLowerCase();
    const framing = framingOf(lower, this.#kind);
    if (framing === undefined) return -1;
    this.#parts.head(lower);
    this.#left = framing.length;
    this.#state = framing.state;
    if (framing.state === "fixed" && framing.length === 0) this.#end();
    return end + 4;
  }

  #readBody(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#parts.body(bytes.subarray(at, end));
    this.#left -= end - at;
    if (this.#left > 0) return end;
    if (this.#state === "fixed") this.#end();
    else this.#state = "data_end";
    return end;
  }

  #readLine(bytes: Buffer, at: number): number {
    const feed = bytes.indexOf(LINE_FEED, at);
    if (feed < 0) return at;
    const line = bytes.toString("latin1", at, feed + 1);
    if (!line.endsWith("\r\n")) return -1;
    if (this.#state === "size") {
      const size = chunkSize(line);
      if (size === undefined) return -1;
      this.#left = size;
      this.#state = size === 0 ? "trailer" : "data";
    } else if (this.#state === "data_end") {
      if (line !== "\r\n") return -1;
      this.#state = "size";
    } else if (line === "\r\n") this.#end();
    return feed + 1;
  }

  #end(): void {
    this.#state = "head";
    this.#parts.end();
  }
}

interface Framing {
  readonly state: State;
  readonly length: number;
}

function framingOf(head: string, kind: "request" | "response"): Framing | undefined {
  if (kind === "response" && !head.startsWith("http/1.")) return undefined;
  if (field(head, "transfer-encoding")?.endsWith("chunked") === true) {
    return { state: "size", length: 0 };
  }
  const length = field(head, "content-length");
  if (length !== undefined) {
    return /^\d+$/.test(length) ? { state: "fixed", length: Number(length) } : undefined;
  }
  const status = kind === "response" ? statusOf(head) : 0;
  if (kind === "request" || status === 204 || status === 304) return { state: "fixed", length: 0 };
  return { state: "until_close", length: 0 };
}

/** A field's value in a lower-case head; undefined when absent. */
export function field(head: string, name: string): string | undefined {
  const mark = `\r\n${name}:`;
  const at = head.indexOf(mark);
  if (at < 0) return undefined;
  const end = head.indexOf("\r\n", at + mark.length);
  return head.slice(at + mark.length, end < 0 ? undefined : end).trim();
}

/** The status of a response's head; NaN when the status line has none. */
export function statusOf(head: string): number {
  return Number(head.slice(9, 12));
}

function chunkSize(line: string): number | undefined {
  const digits = /^([0-9a-f]{1,8})[ \t]*(?:;|\r)/i.exec(line)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}
