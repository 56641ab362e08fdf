import { mmap } from "bun";
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { carryOver } from "./carry.ts";
import { type Blank, generationOf, isSlab, renewHeader, writeHeader } from "./header.ts";
import { LAYOUT_VERSION, layoutOf, sizesHash } from "./layout.ts";
import { type Slab, viewSlab } from "./slab.ts";

export interface OpenSlab extends Blank {
  /** Where the file goes, in a directory of this machine alone; its name goes on. */
  readonly path: string;
}

/** Why there is no slab, in words for the operator. */
export interface SlabProblem {
  readonly problem: string;
}

/** How often a start that loses the race to make the file looks for the winner's. */
const TRIES = 8;
/** More than the header. */
const BLANK_BYTES = 1 << 18;
const TEMPORARY = ".new-";
const DAMAGED = ".damaged-";

/**
 * Maps the slab of this machine, boot, layout and sizes, and makes it when there is none. The file
 * appears whole, under its own name, by one `link`: of two that start at once one wins and both map
 * the same. A file of another layout or other sizes has another name and is left aside.
 */
export function openSlab(options: OpenSlab): Slab | SlabProblem {
  try {
    const names = namesOf(options);
    for (let tried = 0; tried < TRIES; tried++) {
      if (fs.existsSync(names.file)) {
        const found = mapped(names, options, "found");
        if (found !== undefined) return found;
      }
      const origin = create(names, options);
      const made = mapped(names, options, origin);
      if (made === undefined) continue;
      if (origin !== "found") removeOlder(names);
      return made;
    }
    return { problem: `${names.file} comes and goes` };
  } catch (cause) {
    // All of this is calls to the file system, whose errors say what and where.
    return { problem: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** The same on memory of one process: tests, one worker, and where no file can be mapped. */
export function slabInMemory(options: SlabInMemory): Slab {
  const layout = layoutOf(options.sizes);
  const memory = options.memory ?? new SharedArrayBuffer(layout.byteLength);
  const bytes = new Uint8Array(memory);
  const known = isSlab(bytes, options.sizes);
  if (!known) writeHeader(bytes, options);
  return viewSlab(bytes, layout, { origin: known ? "found" : "created", aside: [] });
}

export interface SlabInMemory extends Blank {
  /** Zeroed, or a slab already; new when not given. */
  readonly memory?: ArrayBuffer | SharedArrayBuffer | undefined;
}

interface Names {
  readonly directory: string;
  /** What the name of every slab of this path begins with. */
  readonly stem: string;
  /** The same with layout and sizes; what follows is the boot. */
  readonly family: string;
  readonly file: string;
  readonly temporary: string;
  readonly damaged: string;
}

function namesOf({ path, sizes, bootId, seed }: OpenSlab): Names {
  const directory = dirname(path);
  const stem = `${basename(path)}.`;
  const family = `${stem}v${LAYOUT_VERSION}-${sizesHash(sizes).toString(16)}-`;
  const file = join(directory, family + bootId.replace(/[^0-9a-z]/gi, ""));
  const unique = seed.toString(16);
  const temporary = `${file}${TEMPORARY}${unique}`;
  return { directory, stem, family, file, temporary, damaged: `${file}${DAMAGED}${unique}` };
}

/** Maps the file there is; one that is no slab is moved aside and not mapped. */
function mapped(names: Names, { sizes }: OpenSlab, origin: Slab["origin"]): Slab | undefined {
  const layout = layoutOf(sizes);
  const whole = fs.statSync(names.file).size === layout.byteLength;
  const bytes = whole ? mmap(names.file, { shared: true }) : undefined;
  if (bytes === undefined || !isSlab(bytes, sizes)) {
    fs.renameSync(names.file, names.damaged);
    return undefined;
  }
  return viewSlab(bytes, layout, { origin, aside: asideOf(names) });
}

/** Makes the file unless another process is quicker. */
function create(names: Names, options: OpenSlab): Slab["origin"] {
  const { file, temporary } = names;
  const bytes = newest(names, options);
  const layout = layoutOf(options.sizes);
  if (bytes !== undefined) {
    carryOver(bytes, layout);
    renewHeader(bytes, options.bootId);
  }
  try {
    // Written out, not extended: a page without a block on a full disk would be a bus error later.
    if (bytes === undefined) writeBlank(temporary, options);
    else fs.writeFileSync(temporary, bytes, { flag: "wx", mode: 0o600 });
    fs.linkSync(temporary, file);
    return bytes === undefined ? "created" : "carried";
  } catch (cause) {
    // Another was quicker, and may have cleared our file away as a dead starter's.
    if (fs.existsSync(file)) return "found";
    throw cause;
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

/** A new slab is nearly all noughts: the same few pages over and over take a fifth of the time. */
function writeBlank(path: string, options: OpenSlab): void {
  const { byteLength } = layoutOf(options.sizes);
  const part = new Uint8Array(Math.min(BLANK_BYTES, byteLength));
  const file = fs.openSync(path, "wx", 0o600);
  try {
    writeHeader(part, options);
    for (let left = byteLength; left > 0; left -= part.length) {
      writeAll(file, part.subarray(0, left));
      part.fill(0);
    }
  } finally {
    fs.closeSync(file);
  }
}

/** A write may be cut short, where a disk is nearly full above all: then the next one says why. */
function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += fs.writeSync(file, bytes, done);
}

/** The books of the last boot, if there are any of this layout and these sizes. */
function newest(names: Names, { sizes }: OpenSlab): Uint8Array | undefined {
  const { byteLength } = layoutOf(sizes);
  let best: Uint8Array | undefined;
  for (const path of olderOf(names)) {
    if (!fs.existsSync(path)) continue; // Who won the race has it, and will not let us win now.
    const bytes = new Uint8Array(fs.readFileSync(path));
    if (bytes.length !== byteLength || !isSlab(bytes, sizes)) continue;
    if (best === undefined || generationOf(bytes) > generationOf(best)) best = bytes;
  }
  return best;
}

/** Slabs of earlier boots, which no process can have mapped. */
function olderOf(names: Names): readonly string[] {
  return familyOf(names).filter((path) => !path.includes(TEMPORARY));
}

/** With the files of those who died making one. */
function removeOlder(names: Names): void {
  for (const path of familyOf(names)) fs.rmSync(path, { force: true });
}

function familyOf({ directory, family, file }: Names): readonly string[] {
  return fs
    .readdirSync(directory)
    .filter((name) => name.startsWith(family) && !name.includes(DAMAGED))
    .map((name) => join(directory, name))
    .filter((path) => path !== file);
}

function asideOf({ directory, stem, family }: Names): readonly string[] {
  return fs
    .readdirSync(directory)
    .filter((name) => name.startsWith(stem) && !name.includes(TEMPORARY))
    .filter((name) => !name.startsWith(family) || name.includes(DAMAGED))
    .map((name) => join(directory, name));
}
