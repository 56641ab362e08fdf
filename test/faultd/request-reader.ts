import type { HeaderLine } from "./script.ts";

/** One request as it came off the socket. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  /** The head as sent, up to and without the empty line, one character per byte. */
  readonly rawHead: string;
  readonly headers: readonly HeaderLine[];
  /** The first value of a header, by its lower-case name. */
  readonly header: (name: string) => string | undefined;
  /** The body without its framing. */
  readonly body: Uint8Array;
  readonly text: string;
}

/** Thrown at bytes that RFC 9112 does not allow: what sends them to an upstream is broken. */
export class MalformedRequest extends Error {}

interface Head {
  readonly method: string;
  readonly target: string;
  readonly rawHead: string;
  readonly headers: readonly HeaderLine[];
  readonly length: number | "chunked";
}

/** Reads requests off one connection's bytes, however they are cut, pipelined ones too. Strict. */
export class RequestReader {
  #bytes = Buffer.alloc(0);
  #head: Head | undefined;
  #chunks: Buffer[] = [];

  /** True between two requests: a connection that ends elsewhere broke a request off. */
  get idle(): boolean {
    return this.#head === undefined && this.#bytes.length === 0;
  }

  /** @throws {MalformedRequest} */
  feed(chunk: Uint8Array): SeenRequest[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const requests: SeenRequest[] = [];
    for (let request = this.#next(); request !== undefined; request = this.#next()) {
      requests.push(request);
    }
    return requests;
  }

  #next(): SeenRequest | undefined {
    this.#head ??= this.#readHead();
    if (this.#head === undefined) return undefined;
    const body =
      this.#head.length === "chunked" ? this.#readChunks() : this.#take(this.#head.length);
    if (body === undefined) return undefined;
    const request = seen(this.#head, body);
    this.#head = undefined;
    return request;
  }

  #readHead(): Head | undefined {
    const end = this.#bytes.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const head = parseHead(this.#bytes.toString("latin1", 0, end));
    this.#bytes = this.#bytes.subarray(end + 4);
    return head;
  }

  #take(length: number): Buffer | undefined {
    if (this.#bytes.length < length) return undefined;
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  #readChunks(): Buffer | undefined {
    for (;;) {
      const lineEnd = this.#bytes.indexOf("\r\n");
      if (lineEnd < 0) return undefined;
      const digits = this.#bytes.toString("latin1", 0, lineEnd);
      if (!/^[0-9a-f]{1,8}$/i.test(digits)) throw new MalformedRequest(`chunk size ${digits}`);
      const size = Number.parseInt(digits, 16);
      const end = lineEnd + 2 + size;
      if (this.#bytes.length < end + 2) return undefined;
      if (this.#bytes.toString("latin1", end, end + 2) !== "\r\n") {
        throw new MalformedRequest(
          "a chunk without its CRLF (or a trailer, which is not expected)",
        );
      }
      this.#chunks.push(this.#bytes.subarray(lineEnd + 2, end));
      this.#bytes = this.#bytes.subarray(end + 2);
      if (size === 0) return Buffer.concat(this.#chunks.splice(0));
    }
  }
}

function parseHead(rawHead: string): Head {
  const [requestLine = "", ...lines] = rawHead.split("\r\n");
  const parts = /^([A-Z]+) (\S+) HTTP\/1\.1$/.exec(requestLine);
  if (parts === null) throw new MalformedRequest(`request line ${requestLine}`);
  const headers = lines.map((line): HeaderLine => {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new MalformedRequest(`header ${line}`);
    return [name, value];
  });
  const valuesOf = (name: string) =>
    headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  const lengths = valuesOf("content-length");
  const codings = valuesOf("transfer-encoding");
  if (lengths.length + codings.length > 1) throw new MalformedRequest("more than one framing");
  if (codings[0] !== undefined && codings[0].toLowerCase() !== "chunked") {
    throw new MalformedRequest(`transfer-encoding ${codings[0]}`);
  }
  if (lengths[0] !== undefined && !/^\d{1,12}$/.test(lengths[0])) {
    throw new MalformedRequest(`content-length ${lengths[0]}`);
  }
  if (valuesOf("host").length !== 1) throw new MalformedRequest("not exactly one Host");
  const length = codings.length > 0 ? "chunked" : Number(lengths[0] ?? 0);
  return { method: parts[1] ?? "", target: parts[2] ?? "", rawHead, headers, length };
}

function seen(head: Head, body: Buffer): SeenRequest {
  const { method, target, rawHead, headers } = head;
  return {
    method,
    target,
    rawHead,
    headers,
    header: (name) => headers.find(([key]) => key.toLowerCase() === name)?.[1],
    body: Uint8Array.from(body),
    text: body.toString("utf8"),
  };
}
