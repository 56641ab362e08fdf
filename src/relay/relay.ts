import type { StreamFailure } from "../config/config.ts";
import type { Fault } from "../core/fault.ts";
import type { Ending, Stopped } from "../core/outcome.ts";
import type { Bytes, Chunk, Ms } from "../core/units.ts";
import type { BrokenStream } from "../protocol/dialect.ts";
import type { Clock, Timer } from "../runtime/runtime.ts";
import type { ChunkRead, StreamedAnswer } from "../upstream/committed.ts";
import { eventEnd } from "../wire/sse-end.ts";
import type { Sink } from "./sink.ts";

export interface RelayOptions {
  readonly clock: Clock;
  /** How long the upstream may be silent between two chunks. */
  readonly stallMs: Ms;
  /** How long the relay may last in all. */
  readonly totalMs: Ms;
  /** Silence after which the client gets a comment; 0 for never. */
  readonly heartbeatMs: Ms;
  /** How long the client may take nothing. */
  readonly clientStallMs: Ms;
  readonly streamFailure: StreamFailure;
  readonly heartbeat: Chunk;
  /** How a stream that broke ends after its error. */
  readonly brokenEnd: "close" | "reset";
  readonly owner: RelayOwner;
}

/** Whom a relay works for. */
export interface RelayOwner {
  /** The dialect's in-band end of a broken stream. */
  writeError(broken: Pick<BrokenStream, "mode" | "why" | "atBoundary">): Chunk;
  /** Asked before each chunk after its tap has seen it: a reason ends the answer without it. */
  stopBefore?: (() => Stopped | undefined) | undefined;
  /** Something of ours threw while it passed bytes on. */
  bug(error: unknown): void;
  /** So many bytes have been passed on so far. */
  passed(byteCount: Bytes): void;
  /** Called exactly once, however it ends. */
  done(ending: Ending, byteCount: Bytes): void;
}

/** The client's side of ending a relay. */
export interface Leave {
  /** The client is gone; does nothing when the relay has ended already. */
  leave(): void;
  /**
   * Ends it by a rule about its key; does nothing when the relay has ended already. In the middle
   * of an event it waits for the rest, until it is told again.
   */
  stop(why: Stopped): void;
}

/** How long a finished stream's transport may take to end before we end it. */
const LINGER_MS: Ms = 1000;

const SSE = "text/event-stream";
const NOTHING = new Uint8Array(0);

type Waiting = "upstream" | "client" | "nobody";
type Cut = Ending & { readonly kind: "truncated" | "timeout" | "client_stalled" | "stopped" };

/**
 * Passes a committed stream to the client byte for byte. There is no retry here and nothing to
 * retry with. Only the client's reads move it; silence is watched by one timer per stream.
 */
export function relay(answer: StreamedAnswer, sink: Sink, options: RelayOptions): Leave {
  const relaying = new StreamRelay(answer, sink, options);
  void relaying.run();
  return relaying;
}

/** Whether the upstream itself said that it failed; by a fault of its framing it did not. */
function isTold(fault: Fault | undefined): boolean {
  return fault !== undefined && fault.kind !== "protocol";
}

function whyOf(ending: Cut): BrokenStream["why"] {
  if (ending.kind === "stopped") return ending.why;
  return ending.kind === "timeout" ? "timeout" : "truncated";
}

/** Guards one thing: whatever happens in whatever order, a stream ends exactly once. */
class StreamRelay implements Leave {
  readonly #answer: StreamedAnswer;
  readonly #sink: Sink;
  readonly #options: RelayOptions;
  readonly #startedAt: Ms;
  #byteCount = 0;
  #waiting: Waiting = "nobody";
  #waitingSince: Ms;
  /** When the client last got bytes, a heartbeat included. */
  #spokeAt: Ms;
  #ended = false;
  /** Whether what the client was given ends between two events. */
  #atBoundary = true;
  /** Why it is to end with the event that is open. */
  #stopping: Stopped | undefined;
  /** The last of it, as it came. */
  #given: Chunk = NOTHING;
  #timer: Timer;

  constructor(answer: StreamedAnswer, sink: Sink, options: RelayOptions) {
    this.#answer = answer;
    this.#sink = sink;
    this.#options = options;
    this.#startedAt = this.#waitingSince = this.#spokeAt = options.clock.now();
    this.#timer = options.clock.after(this.#dueIn(this.#startedAt), () => this.#watch());
  }

  /** A bug of ours breaks the stream off like a failure of its upstream: never the process. */
  async run(): Promise<void> {
    try {
      await this.#pump();
    } catch (bug) {
      this.#options.owner.bug(bug);
      if (!this.#ended) this.#breakOff({ kind: "truncated" });
    }
  }

  async #pump(): Promise<void> {
    const { held, reader, tap } = this.#answer;
    for (let first = held.shift(); first !== undefined; first = held.shift()) {
      await this.#clientReady();
      if (this.#ended) return;
      if (this.#isStopped(first)) return;
      this.#give(first);
    }
    for (;;) {
      await this.#clientReady();
      if (this.#ended) return;
      this.#wait("upstream");
      let read: ChunkRead | undefined;
      try {
        read = await reader.read();
      } catch {
        read = undefined; // Judged by what the tap saw; the cause is nothing a client may learn.
      }
      if (this.#ended) return;
      if (read === undefined || read.done) return this.#conclude(read !== undefined);
      tap?.feed(read.value);
      if (this.#isStopped(read.value)) return;
      this.#give(read.value);
      if (tap?.complete === true) this.#lingerSoon();
    }
  }

  leave(): void {
    if (this.#ended) return;
    this.#end({ kind: "client_gone" });
    this.#dropUpstream();
  }

  stop(why: Stopped): void {
    if (this.#ended) return;
    const isOpen = !this.#atBoundary && this.#answer.edit === undefined;
    if (isOpen && this.#stopping === undefined) this.#stopping = why;
    else this.#breakOff({ kind: "stopped", why });
  }

  /** Whether its owner ends it before the next chunk, but for what ends the event that is open. */
  #isStopped(next: Chunk): boolean {
    const why = this.#stopping ?? this.#options.owner.stopBefore?.();
    if (why === undefined) return false;
    const { edit, headers } = this.#answer;
    const isSse = edit === undefined && headers["content-type"]?.startsWith(SSE) === true;
    const rest = isSse && !this.#atBoundary ? eventEnd(this.#given, next) : undefined;
    if (rest !== undefined) {
      this.#give(next.subarray(0, rest));
      this.#atBoundary = true;
    }
    this.#breakOff({ kind: "stopped", why });
    return true;
  }

  /** Undefined-cheap when the client already waits, which is the usual case. */
  async #clientReady(): Promise<void> {
    const room = this.#sink.drained();
    if (room === undefined) return;
    this.#wait("client");
    await room;
  }

  #wait(whom: Waiting): void {
    this.#waiting = whom;
    this.#waitingSince = this.#options.clock.now();
  }

  #give(given: Chunk): void {
    const { edit } = this.#answer;
    const chunk = edit === undefined ? given : edit.feed(given);
    if (chunk.byteLength === 0) return;
    const { tap, held } = this.#answer; // The tap has seen all that is held.
    this.#atBoundary = held.length === 0 && tap?.atBoundary === true;
    this.#given = chunk;
    this.#byteCount += chunk.byteLength;
    this.#spokeAt = this.#options.clock.now();
    this.#sink.write(chunk);
    this.#options.owner.passed(this.#byteCount);
  }

  /** Transport's end proves nothing: complete is what the dialect's own end marker says. */
  #conclude(clean: boolean): void {
    const { tap } = this.#answer;
    tap?.end();
    const whole = tap === undefined ? clean : tap.complete || isTold(tap.fault);
    if (whole) this.#finish({ clean });
    else this.#breakOff({ kind: "truncated" });
  }

  #finish({ clean }: { readonly clean: boolean }): void {
    const { tap, edit, translation } = this.#answer;
    const reported = tap?.fault !== undefined;
    const rest = edit?.end();
    if (rest !== undefined && rest.byteLength > 0) this.#sink.write(rest);
    this.#end({ kind: reported ? "upstream_reported" : "completed" });
    // What goes on as it came ends as it ended, an upstream's own words of failure included.
    if (reported && !(clean && translation === undefined)) this.#endBroken();
    else this.#sink.end();
  }

  /** Some SDKs take any clean end for success, whatever was said before it. */
  #endBroken(): void {
    if (this.#options.brokenEnd === "reset") this.#sink.fail();
    else this.#sink.end();
  }

  /** Ends a stream that is not complete, in the way this request chose. */
  #breakOff(ending: Cut): void {
    this.#end(ending);
    this.#dropUpstream();
    const { streamFailure: mode, owner } = this.#options;
    const { tap } = this.#answer;
    if (mode === "abort" || tap === undefined || ending.kind === "client_stalled") {
      return this.#sink.fail();
    }
    const atBoundary = this.#answer.edit !== undefined || this.#atBoundary;
    this.#sink.write(owner.writeError({ mode, why: whyOf(ending), atBoundary }));
    if (mode === "graceful") this.#sink.end();
    else this.#endBroken();
  }

  #end(ending: Ending): void {
    if (this.#ended) throw new Error("a stream ended twice");
    this.#ended = true;
    this.#timer.cancel();
    this.#options.owner.done(ending, this.#byteCount);
  }

  #dropUpstream(): void {
    this.#answer.call.abort();
    this.#answer.reader.cancel().catch(() => {}); // It was aborted: this only frees it sooner.
  }

  #watch(): void {
    const { clock, stallMs, totalMs, clientStallMs } = this.#options;
    const now = clock.now();
    const waited = now - this.#waitingSince;
    if (this.#waiting === "client" && waited >= clientStallMs) {
      return this.#breakOff({ kind: "client_stalled" });
    }
    if (this.#waiting === "upstream") {
      if (this.#answer.tap?.complete === true && waited >= LINGER_MS) return this.#endLingering();
      if (waited >= stallMs) return this.#breakOff({ kind: "timeout", phase: "stall" });
      if (now - this.#startedAt >= totalMs) {
        return this.#breakOff({ kind: "timeout", phase: "total" });
      }
      if (this.#mayBeat(now)) this.#beat(now);
    }
    this.#timer = clock.after(this.#dueIn(now), () => this.#watch());
  }

  #dueIn(now: Ms): Ms {
    const { stallMs, totalMs, clientStallMs, heartbeatMs } = this.#options;
    const limit = this.#waiting === "client" ? clientStallMs : stallMs;
    const toBeat = heartbeatMs === 0 ? Infinity : heartbeatMs - (now - this.#spokeAt);
    const due = Math.min(
      limit - (now - this.#waitingSince),
      toBeat > 0 ? toBeat : heartbeatMs,
      totalMs - (now - this.#startedAt),
      clientStallMs, // Whom it waits for may change meanwhile: look again by then.
    );
    return Math.max(1, due);
  }

  /** A comment may stand only between two events, and only when the client waits for bytes. */
  #mayBeat(now: Ms): boolean {
    const { heartbeatMs } = this.#options;
    const { tap } = this.#answer;
    if (heartbeatMs === 0 || now - this.#spokeAt < heartbeatMs) return false;
    if (tap?.atBoundary !== true && this.#answer.edit === undefined) return false;
    return tap?.complete !== true && this.#sink.drained() === undefined;
  }

  #beat(now: Ms): void {
    this.#spokeAt = now;
    this.#sink.write(this.#options.heartbeat);
  }

  #lingerSoon(): void {
    this.#timer.cancel();
    this.#timer = this.#options.clock.after(LINGER_MS, () => this.#watch());
  }

  #endLingering(): void {
    this.#finish({ clean: true });
    this.#dropUpstream();
  }
}
