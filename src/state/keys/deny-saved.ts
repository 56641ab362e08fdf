import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Bytes, Ms } from "../../core/units.ts";
import type { Clock } from "../../runtime/runtime.ts";
import {
  denyLine,
  denyText,
  type DenyState,
  emptyDenyState,
  freshLine,
  readDenyLines,
  restoreLine,
} from "./deny-log.ts";
import type { DenyEvent, DenySource, OnDenyEvent, Revision } from "./deny-source.ts";

/** The log is written anew from this size on: features.md d-R5. */
export const COMPACT_BYTES: Bytes = 1024 * 1024;
/** How often the log notes that its source is in step. */
const FRESH_EVERY_MS: Ms = 10_000;

export interface SavedDenialsOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly compactBytes?: Bytes | undefined;
  /** How often it is noted that the source is in step: those who follow the log are as stale. */
  readonly freshEveryMs?: Ms | undefined;
  /** Writes through to the disk with each change: for denials that are nowhere else. */
  readonly durable?: boolean | undefined;
}

/**
 * A source that remembers on disk. At a start it denies what was denied, before anything else is
 * reached, and goes on from that revision; what the end of the log lost is simply told again.
 *
 * One process writes. Any number may follow the same file with a `FileDenials` each.
 */
export class SavedDenials implements DenySource {
  readonly name: string;
  readonly local: boolean;
  readonly #inner: DenySource;
  readonly #options: SavedDenialsOptions;
  #state: DenyState = emptyDenyState();
  #file: number | undefined;
  #bytes: Bytes = 0;
  /** Size of the log when it was last written anew: a large set must not be so at each line. */
  #compactedBytes: Bytes = 0;
  #flaw: string | undefined;

  constructor(inner: DenySource, options: SavedDenialsOptions) {
    this.name = inner.name;
    this.local = inner.local;
    this.#inner = inner;
    this.#options = options;
  }

  /** @throws when denials that are nowhere else are there and cannot be read. */
  start(onEvent: OnDenyEvent): void {
    const saved = this.#load(onEvent);
    this.#state = saved ?? emptyDenyState();
    // What never was in step is counted as behind from its first start on.
    if (!this.local) this.#state.freshWall ??= this.#options.clock.wall();
    if (saved !== undefined) {
      const { denied, revision, freshWall } = saved;
      const ageMs = freshWall === undefined ? 0 : this.#options.clock.wall() - freshWall;
      onEvent({ kind: "reset", denied, revision, ageMs });
    }
    this.#write(onEvent, () => this.#compact());
    // Revision 0 is before anything: no server goes on from it (features.md d-W4).
    const { revision } = this.#state;
    const resumes = saved !== undefined && (this.local || revision > 0n);
    this.#inner.start((event) => this.#take(event, onEvent), resumes ? revision : undefined);
  }

  async stop(): Promise<void> {
    await this.#inner.stop();
    this.#close();
  }

  /** How far the log has come: what a restart goes on from. */
  get revision(): Revision {
    return this.#state.revision;
  }

  #take(event: DenyEvent, onEvent: OnDenyEvent): void {
    onEvent(event);
    this.#write(onEvent, () => this.#save(event));
  }

  #save(event: DenyEvent): void {
    const state = this.#state;
    switch (event.kind) {
      case "reset":
        this.#state = {
          ...emptyDenyState(),
          denied: new Map(event.denied),
          revision: event.revision,
          freshWall: this.local ? undefined : this.#options.clock.wall() - event.ageMs,
        };
        this.#compact();
        return;
      case "deny":
        state.denied.set(event.tenant, event.reason);
        state.revision = event.revision;
        this.#append(denyLine(event.tenant, event.reason, event.revision));
        return;
      case "restore":
        state.denied.delete(event.tenant);
        state.revision = event.revision;
        this.#append(restoreLine(event.tenant, event.revision));
        return;
      case "fresh":
        this.#noteFresh(event.ageMs, event.revision);
        return;
      case "broken":
      case "flaw":
        return;
    }
  }

  #noteFresh(ageMs: Ms, revision: Revision): void {
    const state = this.#state;
    const wall = this.#options.clock.wall() - ageMs;
    state.revision = revision > state.revision ? revision : state.revision;
    // A local source is in step as long as its file can be read: followers see no `fresh` in it.
    if (this.local) return;
    // Also when the clock was set back: an age is counted from the line that is there.
    const { freshEveryMs = FRESH_EVERY_MS } = this.#options;
    if (Math.abs(wall - (state.freshWall ?? 0)) < freshEveryMs) return;
    state.freshWall = wall;
    this.#append(freshLine(wall, state.revision));
  }

  #append(line: string): void {
    if (this.#file === undefined || this.#bytes + line.length > this.#compactAt()) this.#compact();
    else {
      writeWhole(this.#file, line);
      if (this.#options.durable === true) fsyncSync(this.#file);
      this.#bytes += line.length;
    }
  }

  #compactAt(): Bytes {
    return Math.max(this.#options.compactBytes ?? COMPACT_BYTES, 2 * this.#compactedBytes);
  }

  /** Writes what it all comes to beside the log and puts it in its place: never half of it. */
  #compact(): void {
    this.#close();
    const { path } = this.#options;
    const text = denyText(this.#state);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = openSync(`${path}.new`, "w", 0o600);
    try {
      writeWhole(file, text);
      fsyncSync(file);
      renameSync(`${path}.new`, path);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    this.#file = file;
    this.#bytes = text.length;
    this.#compactedBytes = text.length;
  }

  /** A full disk costs the log and nothing else: it is written whole with the next change. */
  #write(onEvent: OnDenyEvent, act: () => void): void {
    try {
      act();
      if (this.#file !== undefined) this.#tellFlaw(undefined, onEvent);
    } catch (error) {
      this.#close();
      this.#tellFlaw(`not saved: ${reasonOf(error)}`, onEvent);
    }
  }

  #tellFlaw(detail: string | undefined, onEvent: OnDenyEvent): void {
    if (detail !== this.#flaw) onEvent({ kind: "flaw", detail });
    this.#flaw = detail;
  }

  #close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  /** What the log comes to; undefined when there is none. */
  #load(onEvent: OnDenyEvent): DenyState | undefined {
    const { path, durable } = this.#options;
    const state = emptyDenyState();
    try {
      const text = readFileSync(path, "latin1");
      // A line without its end was being written when its writer died.
      readDenyLines(text.slice(0, text.lastIndexOf("\n") + 1), state);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      if (durable === true) throw error;
      this.#tellFlaw(`not read: ${reasonOf(error)}`, onEvent);
      return undefined; // A copy of what the source knows: it tells all of it anew.
    }
    if (state.unreadable > 0) this.#tellFlaw(`${state.unreadable} unreadable lines`, onEvent);
    return state;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown reason";
}

/** A write may take less than it is given, on a disk that is nearly full. */
function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}
