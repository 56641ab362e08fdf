import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Answer, HeaderLine } from "./script.ts";

const FOLDER = join(import.meta.dir, "../../../shared/fixtures");

/** False in a clone without the recordings: a suite then skips by name. */
export const haveRecordings = existsSync(join(FOLDER, "index.json"));
/** The end of a skipped suite's name. */
export const NO_RECORDINGS = "(skipped: ../shared/fixtures is not here)";

/** One recorded interaction with a provider: conformance.md §1.1. */
export interface Recording {
  readonly name: string;
  readonly provider: string;
  readonly status: number;
  readonly streamed: boolean;
  /** Absent where the source kept only the answer. */
  readonly request: Uint8Array | undefined;
  readonly response: Uint8Array;
  readonly responseHeaders: readonly HeaderLine[];
  /** `wire`: the bytes as recorded. Otherwise white space and numbers may not be the wire's. */
  readonly fidelity: string | undefined;
  readonly shows: readonly string[];
}

interface IndexRow {
  readonly name: string;
  readonly protocol: string;
  readonly provider: string;
  readonly status: number;
  readonly streamed: boolean;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly fidelity: { readonly response: string | null };
  readonly shows: readonly string[];
}

/** Every recording of one protocol, in the order of the index; none where the folder is missing. */
export function recordingsOf(protocol: string): Recording[] {
  if (!haveRecordings) return [];
  const index: IndexRow[] = JSON.parse(readFileSync(join(FOLDER, "index.json"), "utf8"));
  return index.filter((row) => row.protocol === protocol).map(load);
}

/** A file of the fixtures, for suites with vectors of their own. */
export function fixture(path: string): string {
  return join(FOLDER, path);
}

function load(row: IndexRow): Recording {
  const base = join(FOLDER, row.protocol, row.name);
  const request = `${base}.request.json`;
  return {
    name: row.name,
    provider: row.provider,
    status: row.status,
    streamed: row.streamed,
    request: existsSync(request) ? bytesOfFile(request) : undefined,
    response: bytesOfFile(`${base}.${row.streamed ? "stream.txt" : "response.json"}`),
    responseHeaders: Object.entries(row.responseHeaders),
    fidelity: row.fidelity.response ?? undefined,
    shows: row.shows,
  };
}

function bytesOfFile(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** The recording as faultd plays it: its status, its headers, its body. */
export function replay(recording: Recording, how: Answer = {}): Answer {
  const { status, response: body, streamed } = recording;
  const said = recording.responseHeaders.some(([name]) => name === "content-type");
  const type = streamed ? "text/event-stream" : "application/json";
  const headers: readonly HeaderLine[] = said
    ? recording.responseHeaders
    : [["content-type", type], ...recording.responseHeaders];
  return { status, headers, body, framing: streamed ? "chunked" : "content-length", ...how };
}
