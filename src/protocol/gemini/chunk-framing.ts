import type { Chunk } from "../../core/units.ts";
import { printJson } from "../../wire/exact-json.ts";
import type { Framing } from "../codec.ts";
import type { Json } from "../ir/json.ts";

const utf8 = new TextEncoder();

/**
 * Puts chunks into one of the wire's framings: events, each one line that begins its block and ends
 * as Google's do (protocols.md finding 18), or the elements of one array.
 */
export class ChunkFraming {
  readonly #isArray: boolean;
  #isBegun = false;

  constructor(framing: Framing) {
    this.#isArray = framing === "json-array";
  }

  value(value: Json): Chunk {
    return utf8.encode(this.#framed(value));
  }

  /** A chunk, and what closes the stream. */
  last(value: Json): Chunk {
    return utf8.encode(this.#framed(value) + (this.#isArray ? "]" : ""));
  }

  /** What closes a stream that has no chunk left. */
  end(): Chunk {
    if (!this.#isArray) return new Uint8Array(0);
    return utf8.encode(this.#isBegun ? "]" : "[]");
  }

  #framed(value: Json): string {
    const json = printJson(value);
    if (!this.#isArray) return `data: ${json}\r\n\r\n`;
    const before = this.#isBegun ? ",\r\n" : "[";
    this.#isBegun = true;
    return before + json;
  }
}
