import { eventEnds, seeded } from "../faultd/pieces.ts";
import { recordingsOf } from "../faultd/recordings.ts";
import type { Recording } from "../faultd/recordings.ts";
import { isFull } from "./harness.ts";

/** The sample moves every day, so that a few weeks of runs see every offset; a run can be repeated. */
export const SEED = Number(process.env["INTERLOCK_SEED"] ?? Math.floor(Date.now() / 86_400_000));
const SAMPLED = 12;
const RECORDINGS = 20;
const BYTES_MAX = 6500;

const DONE = Buffer.from("[DONE]");

/** Offset just behind the text of the end marker: with fewer bytes a stream is truncated. */
export function doneEnd(body: Uint8Array): number {
  return Buffer.from(body).lastIndexOf(DONE) + DONE.length;
}

/** Twenty streams of every size up to 6,500 bytes that end as OpenAI's do. */
export function cutRecordings(): Recording[] {
  const all = recordingsOf("openai-chat")
    .filter(({ streamed, status, response }) => {
      return streamed && status === 200 && response.length <= BYTES_MAX && response.includes(91);
    })
    .filter(({ response }) => doneEnd(response) >= DONE.length)
    .sort((one, other) => one.response.length - other.response.length);
  const step = all.length / RECORDINGS;
  return Array.from({ length: Math.min(RECORDINGS, all.length) }, (_, index) => {
    return all[Math.floor(index * step)];
  }).filter((recording) => recording !== undefined);
}

/** Offsets to cut a stream at: each event's end and its neighbors, and a sample; all when full. */
export function streamCuts({ response, name }: Recording): number[] {
  const end = doneEnd(response);
  if (isFull) return Array.from({ length: end }, (_, at) => at);
  const edges = [0, ...eventEnds(response)].flatMap((at) => [at - 1, at, at + 1]);
  return within([...edges, ...sample(name, end)], end);
}

/** Offsets to cut a buffered answer at: its edges and a sample; all when full. */
export function bufferedCuts({ response, name }: Recording): number[] {
  const end = response.length;
  if (isFull) return Array.from({ length: end }, (_, at) => at);
  return within([0, 1, end - 2, end - 1, ...sample(name, end)], end);
}

function sample(name: string, end: number): number[] {
  const next = seeded(SEED + Bun.hash.crc32(name));
  return Array.from({ length: SAMPLED }, () => Math.floor(next() * end));
}

function within(offsets: readonly number[], end: number): number[] {
  return [...new Set(offsets)].filter((at) => at >= 0 && at < end).sort((a, b) => a - b);
}

/** Runs `work` on every item, `width` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  { width, work }: { readonly width: number; readonly work: (item: T) => Promise<void> },
): Promise<void> {
  const rest = items.values();
  const lane = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: width }, lane));
}
