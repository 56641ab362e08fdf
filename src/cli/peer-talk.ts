import { momentOf } from "../state/store/hlc.ts";
import type { RegisterEntry } from "../state/store/registers.ts";

/** What a node answers to another. */
export interface PeerAnswer {
  /** Another one than before: its cursors mean something else now. */
  readonly epoch: string;
  /** Its wall clock. */
  readonly wall: number;
  /** Where to go on. */
  readonly cursor: number;
  readonly more: boolean;
  readonly entries: readonly RegisterEntry[];
}

const TEXT_MAX = 64 * 1024;

export function writeAnswer({ entries, ...rest }: PeerAnswer): string {
  const rows = entries.map(({ key, value, stamp }) => [key, value ?? null, stamp]);
  return JSON.stringify({ ...rest, entries: rows });
}

/** Undefined when it is none of this program's. */
export function readAnswer(text: string): PeerAnswer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // Whatever answered, it is no node of ours.
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { epoch, wall, cursor, more, entries } = value as Record<keyof PeerAnswer, unknown>;
  if (typeof epoch !== "string" || typeof wall !== "number" || typeof more !== "boolean") {
    return undefined;
  }
  if (!Number.isSafeInteger(cursor) || !Array.isArray(entries)) return undefined;
  const read = entries.map(entryOf);
  if (read.some((entry) => entry === undefined)) return undefined;
  return { epoch, wall, cursor: cursor as number, more, entries: read as RegisterEntry[] };
}

function entryOf(row: unknown): RegisterEntry | undefined {
  if (!Array.isArray(row)) return undefined;
  const [key, value, stamp] = row as unknown[];
  if (typeof key !== "string" || key === "" || key.length > 256) return undefined;
  if (typeof stamp !== "string" || momentOf(stamp) === undefined) return undefined;
  if (value === null) return { key, value: undefined, stamp };
  return typeof value === "string" && value.length <= TEXT_MAX ? { key, value, stamp } : undefined;
}
