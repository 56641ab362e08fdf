import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import type { Bytes, Ms } from "../../core/units.ts";
import type { Clock, Timer } from "../../runtime/runtime.ts";
import { type DenyLine, type DenyState, emptyDenyState, readDenyLines } from "./deny-log.ts";
import type { DenySource, OnDenyEvent } from "./deny-source.ts";

/** How often the file is looked at. */
export const DENY_FILE_POLL_MS: Ms = 250;
/** Bytes before the place read up to that must be the same still, or the file was written anew. */
const SEAM_BYTES: Bytes = 256;

export interface FileDenialsOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly pollMs?: Ms | undefined;
  /** What a `SavedDenials` in another process follows, where it is one's log. */
  readonly of?: SavedElsewhere | undefined;
}

/** A log that another process writes: until it does, there is no file and nothing wrong with it. */
export type SavedElsewhere = Pick<DenySource, "name" | "local">;

/** The place up to which the file is read, and how to know it again. */
interface Place {
  readonly file: string;
  readonly changed: string;
  readonly offset: Bytes;
  readonly seam: Buffer;
  /** Whether a line without its end stands behind that place. */
  readonly openEnded: boolean;
}

/**
 * Denials from a file, one written by hand or the log of a `SavedDenials` in another process. What
 * is appended is read from where the last look ended; a file that was replaced is read whole.
 *
 * A file that says when its source was last in step is as old as that; one by hand is in step
 * whenever it can be read. One that is gone denies what it last denied, and grows stale.
 */
export class FileDenials implements DenySource {
  readonly name: string;
  readonly local: boolean;
  readonly #options: FileDenialsOptions;
  #state: DenyState = emptyDenyState();
  #place: Place | undefined;
  #onEvent: OnDenyEvent = () => {};
  #timer: Timer | undefined;
  #flaw: string | undefined;

  constructor(options: FileDenialsOptions) {
    this.name = options.of?.name ?? "file";
    this.local = options.of?.local ?? false;
    this.#options = options;
  }

  /** Reading it whole takes no more than reading its end, so every start begins with a `reset`. */
  start(onEvent: OnDenyEvent): void {
    this.#onEvent = onEvent;
    this.#place = undefined;
    this.#tick();
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #tick(): void {
    const { clock, pollMs = DENY_FILE_POLL_MS } = this.#options;
    this.poll();
    this.#timer = clock.after(pollMs, () => this.#tick());
  }

  /** Looks once, now. */
  poll(): void {
    try {
      this.#complain(this.#look());
    } catch (error) {
      if (this.#options.of !== undefined && isMissing(error)) return;
      const detail = error instanceof Error ? error.message : "unknown reason";
      this.#onEvent({ kind: "broken", detail });
    }
  }

  /** Whether the file had changed. */
  #look(): boolean {
    const { path } = this.#options;
    if (this.#place?.changed === changeOf(statSync(path))) {
      this.#tellFresh();
      return false;
    }
    const file = openSync(path, "r");
    try {
      const stat = fstatSync(file);
      const place = this.#place;
      if (place !== undefined && place.file === fileOf(stat) && isIntact(file, place)) {
        this.#readFrom(file, { offset: place.offset, stat });
      } else {
        this.#readWhole(file, stat);
      }
    } finally {
      closeSync(file);
    }
    this.#tellFresh();
    return true;
  }

  /** What whoever writes the file should know. A line that is being written has no end yet. */
  #complain(changed: boolean): void {
    const { path } = this.#options;
    const { unreadable } = this.#state;
    let flaw = unreadable === 0 ? undefined : `${unreadable} unreadable lines in ${path}`;
    if (!changed && this.#place?.openEnded === true) {
      flaw ??= `the last line of ${path} has no line end: it does not count`;
    }
    if (flaw !== this.#flaw) this.#onEvent({ kind: "flaw", detail: flaw });
    this.#flaw = flaw;
  }

  #readWhole(file: number, stat: Stats): void {
    this.#state = emptyDenyState();
    const state = this.#state;
    this.#place = readOn(file, { offset: 0, stat }, (text) => readDenyLines(text, state));
    const { denied, revision } = state;
    this.#onEvent({ kind: "reset", denied, revision, ageMs: this.#ageMs() });
  }

  #readFrom(file: number, from: { readonly offset: Bytes; readonly stat: Stats }): void {
    const state = this.#state;
    const tell = (line: DenyLine): void => {
      if (line.kind !== "fresh") this.#onEvent({ ...line, revision: state.revision });
    };
    this.#place = readOn(file, from, (text) => readDenyLines(text, state, tell));
  }

  #tellFresh(): void {
    this.#onEvent({ kind: "fresh", revision: this.#state.revision, ageMs: this.#ageMs() });
  }

  #ageMs(): Ms {
    const { freshWall } = this.#state;
    return freshWall === undefined ? 0 : this.#options.clock.wall() - freshWall;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function fileOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

function changeOf(stat: Stats): string {
  return `${fileOf(stat)}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`;
}

/** Whether what was read is there still, at its end at least. */
function isIntact(file: number, { offset, seam }: Place): boolean {
  return readAt(file, offset - seam.length, seam.length).equals(seam);
}

/** Reads whole lines from `offset` on; a line without its end waits for it. */
function readOn(
  file: number,
  { offset, stat }: { readonly offset: Bytes; readonly stat: Stats },
  take: (text: string) => void,
): Place {
  const bytes = readAt(file, offset, stat.size - offset);
  const whole = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
  take(whole.toString("latin1"));
  const end = offset + whole.length;
  const seamBytes = Math.min(SEAM_BYTES, end);
  const seam = readAt(file, end - seamBytes, seamBytes);
  const openEnded = whole.length < bytes.length;
  return { file: fileOf(stat), changed: changeOf(stat), offset: end, seam, openEnded };
}

/** Fewer bytes than asked for where the file ends before. */
function readAt(file: number, at: Bytes, length: Bytes): Buffer {
  const bytes = Buffer.alloc(Math.max(0, length));
  let filled = 0;
  while (filled < bytes.length) {
    const read = readSync(file, bytes, filled, bytes.length - filled, at + filled);
    if (read === 0) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}
