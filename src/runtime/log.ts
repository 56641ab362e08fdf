import { fstatSync } from "node:fs";
import type { Ms } from "../core/units.ts";
import { jsonLine, type LogFormat, prettyLine } from "./log-format.ts";
import type { Clock, Log, LogFields, LogLevel, Timer } from "./runtime.ts";

/** Lines wait at most this long for company before they are written. */
export const FLUSH_AFTER_MS: Ms = 50;
/** Characters that are worth a write at once. */
export const BATCH_CHARS = 64 * 1024;
/** Characters held while the reader does not keep up; lines beyond are dropped and counted. */
export const BUFFER_CHARS = 8 * 1024 * 1024;

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface LogOptions {
  readonly clock: Clock;
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Hands text to the operating system without blocking; resolves when it took all of it. */
  readonly write: (text: string) => Promise<void>;
}

/** What waits for the next write, and how many lines and characters that is. */
interface Batch {
  text: string[];
  chars: number;
}

/**
 * Lines in order, written in batches, one write at a time. Held text is bounded: a reader that
 * stops costs lines, never memory and never the event loop.
 */
export class BufferedLog implements Log {
  readonly #options: LogOptions;
  #level: LogLevel;
  #waiting: Batch = { text: [], chars: 0 };
  /** Characters of the write under way. */
  #charsOut = 0;
  #writing: Promise<void> | undefined;
  #timer: Timer | undefined;
  #accepted = 0;
  #settled = 0;
  #dropped = 0;
  #droppedSaid = 0;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#level = options.level;
  }

  line(level: LogLevel, target: string, message: string, fields?: LogFields): void {
    if (RANK[level] < RANK[this.#level]) return;
    const { clock, format } = this.#options;
    const entry = { wall: clock.wall(), level, target, message, fields };
    const text = `${format === "json" ? jsonLine(entry) : prettyLine(entry)}\n`;
    if (this.#waiting.chars + this.#charsOut + text.length > BUFFER_CHARS) this.#dropped++;
    else this.#accept(text);
  }

  /** A write that never ends keeps this waiting; `flushWithin` does not wait for ever. */
  async flush(): Promise<void> {
    const target = this.#accepted;
    // Each round writes all that waits, so two rounds reach every line accepted before.
    while (this.#settled < target) await (this.#writing ?? this.#write());
  }

  /** As `flush`, but gives up after `limit`: a reader that stopped must not hold up a shutdown. */
  flushWithin(limit: Ms): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(limit, resolve);
      void this.flush().then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Lines lost so far: the buffer was full, or the write failed. */
  get linesDropped(): number {
    return this.#dropped;
  }

  /** For a configuration that is read after the first line was logged. */
  setLevel(level: LogLevel): void {
    this.#level = level;
  }

  #accept(text: string): void {
    this.#accepted++;
    this.#waiting.text.push(text);
    this.#waiting.chars += text.length;
    if (!this.#writing) this.#schedule();
  }

  #schedule(): void {
    if (this.#waiting.chars >= BATCH_CHARS) void this.#write();
    else this.#timer ??= this.#options.clock.after(FLUSH_AFTER_MS, () => void this.#write());
  }

  /** Called only while no write is under way. */
  #write(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#writing = this.#writeOut();
    return this.#writing;
  }

  async #writeOut(): Promise<void> {
    const { text, chars } = this.#waiting;
    this.#waiting = { text: [], chars: 0 };
    this.#charsOut = chars;
    const failed = await this.#options.write(text.join("")).then(
      () => false,
      () => true, // Standard output is gone; the only place left to say so is the count of lines.
    );
    this.#writing = undefined;
    this.#charsOut = 0;
    this.#settled += text.length;
    if (failed) this.#dropped += text.length;
    else this.#sayDropped();
    if (this.#waiting.text.length > 0) this.#schedule();
  }

  #sayDropped(): void {
    const lines = this.#dropped - this.#droppedSaid;
    if (lines === 0) return;
    this.#droppedSaid = this.#dropped;
    this.line("warn", "log", "Log lines were dropped: standard output did not keep up", { lines });
  }
}

export interface StdoutLogOptions {
  readonly clock: Clock;
  readonly level: LogLevel;
  /** `auto`: pretty on a terminal, JSON otherwise. */
  readonly format: LogFormat | "auto";
}

/** The process's log, on standard output. */
export function stdoutLog({ clock, level, format }: StdoutLogOptions): BufferedLog {
  const chosen = format === "auto" ? (isTerminal(1) ? "pretty" : "json") : format;
  return new BufferedLog({ clock, level, format: chosen, write: descriptorWriter(1) });
}

/** Loading node:tty takes 7 ms of a cold start, so only what may be a terminal pays for it. */
function isTerminal(fd: number): boolean {
  return fstatSync(fd).isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(fd);
}

/** Writes to a file descriptor without blocking, also when it is a pipe that nobody reads. */
export function descriptorWriter(fd: number): (text: string) => Promise<void> {
  let sink: Bun.FileSink | undefined;
  return async (text) => {
    sink ??= Bun.file(fd).writer();
    const written = sink.write(text);
    await sink.flush();
    await written;
  };
}
