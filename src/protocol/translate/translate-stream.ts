import type { DialectId } from "../../core/ids.ts";
import type { Chunk } from "../../core/units.ts";
import type { Framing, StreamReader, StreamWriter } from "../codec.ts";
import type { BrokenStream, StreamEdit } from "../dialect.ts";
import type { IrEvent } from "../ir/event.ts";
import type { Loss } from "../ir/loss.ts";
import { lossHeader } from "./loss-header.ts";
import { endOf, type Pass, through } from "./pass.ts";
import type { StopCut } from "./stop-cut.ts";

/** The one empty chunk: nothing to send makes no garbage. */
export const NOTHING: Chunk = new Uint8Array(0);

const utf8 = new TextEncoder();

/** What stands between the two ends of a stream. */
export interface StreamTranslationOptions {
  readonly reader: StreamReader;
  readonly writer: StreamWriter;
  readonly passes: readonly Pass[];
  /** The pass among them that may end the answer before its source does. */
  readonly stopCut: StopCut | undefined;
  /** Whether a comment may stand between two events of the client's stream. */
  readonly takesComments: boolean;
  readonly lateLosses: () => readonly Loss[];
}

/** Translates a stream on its way: bytes of one protocol in, bytes of another out. */
export function translateStream(options: StreamTranslationOptions): StreamEdit {
  return new StreamTranslation(options);
}

/** Comments are safe between the events of text streams, not in a JSON array: protocols.md 5.6. */
export function takesComments(client: DialectId, framing: Framing): boolean {
  return client !== "bedrock" && framing === "events";
}

class StreamTranslation implements StreamEdit {
  readonly #options: StreamTranslationOptions;
  #isOver = false;
  #isCommented = false;

  constructor(options: StreamTranslationOptions) {
    this.#options = options;
  }

  feed(chunk: Chunk): Chunk {
    return this.#isOver ? NOTHING : joined(this.#written(this.#options.reader.feed(chunk)));
  }

  end(): Chunk {
    if (this.#isOver) return NOTHING;
    const { reader, passes } = this.#options;
    const out = this.#written(reader.end());
    if (!this.#isOver) out.push(...this.#writtenAll(endOf(passes)));
    if (!this.#isOver) out.push(...this.#finished());
    return joined(out);
  }

  fail(broken: BrokenStream): Chunk {
    if (this.#isOver) return NOTHING;
    const { passes, writer, stopCut } = this.#options;
    if (stopCut?.isWhole === true) {
      return joined([...this.#writtenAll([{ t: "end" }]), ...this.#finished()]);
    }
    const held = this.#writtenAll(endOf(passes));
    this.#isOver = true;
    return joined([...held, ...this.#commented(writer.fail(broken))]);
  }

  #written(events: readonly IrEvent[]): Chunk[] {
    const { passes } = this.#options;
    const out: Chunk[] = [];
    for (const event of events) {
      if (this.#isOver) break;
      out.push(...this.#writtenAll(through(passes, event)));
    }
    return out;
  }

  #writtenAll(events: readonly IrEvent[]): Chunk[] {
    const out: Chunk[] = [];
    for (const event of events) {
      if (this.#isOver) break;
      const bytes = this.#options.writer.write(event);
      if (event.t === "error") this.#isOver = true;
      if (event.t === "error" || event.t === "end") out.push(...this.#commented(bytes));
      else if (bytes.length > 0) out.push(bytes);
    }
    return out;
  }

  #finished(): Chunk[] {
    this.#isOver = true;
    return this.#commented(this.#options.writer.end());
  }

  /** What ends the stream, behind a comment with the losses no header could name. */
  #commented(bytes: Chunk): Chunk[] {
    if (bytes.length === 0) return [];
    const losses = this.#isCommented ? [] : this.#options.lateLosses();
    this.#isCommented = true;
    if (losses.length === 0 || !this.#options.takesComments) return [bytes];
    return [utf8.encode(`: x-interlock-loss ${lossHeader(losses)}\n\n`), bytes];
  }
}

function joined(chunks: readonly Chunk[]): Chunk {
  if (chunks.length <= 1) return chunks[0] ?? NOTHING;
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
