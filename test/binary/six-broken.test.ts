import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { haveRecordings, NO_RECORDINGS } from "../faultd/recordings.ts";
import type { Answer, CutKind } from "../faultd/script.ts";
import { type Heard, INVOKE, type Listener, LISTENERS } from "./clients/iterate.ts";
import { inParallel, SEED } from "./cut-cases.ts";
import {
  dialectOf,
  type Exchange,
  exchangesOf,
  played,
  type Surface,
  SURFACES,
} from "./exchanges.ts";
import { frameEnds, jsonArrayOf } from "./frames.ts";
import { isFull } from "./harness.ts";
import { type SixBench, startSix } from "./six-bench.ts";
import { framesBeforeEnd, type StreamFault, streamFaults } from "./stream-faults.ts";

/** Recordings of each protocol, others every day, and the frames they may have; all when full. */
const SAMPLED = 4;
const FRAMES_MAX = isFull ? Number.POSITIVE_INFINITY : 30;
const CUTS = ["fin", "rst"] as const satisfies readonly CutKind[];
const ACROSS_CUTS = 5;
const WIDTH = 6;
const LIMIT_MS = isFull ? 3_600_000 : 120_000;
/** How what we say of a broken stream begins, in whatever protocol. */
const OUR_WORDS = /interrupted/;

const listenersOf = (surface: Surface) =>
  surface === "invoke" ? [INVOKE] : LISTENERS.filter(({ dialect }) => dialect === surface);

/** Whole streams with a few frames before their end. */
function streamsOf(surface: Surface): readonly Exchange[] {
  return exchangesOf(surface)
    .filter(({ streamed, status, response }) => {
      const before = streamed && status === 200 ? framesBeforeEnd(surface, response) : 0;
      const isFailed = surface === "cohere" && Buffer.from(response).includes('"ERROR"');
      return before >= 3 && before <= FRAMES_MAX && !isFailed;
    })
    .toSorted((one, other) => one.response.length - other.response.length);
}

function sampledOf(surface: Surface): readonly Exchange[] {
  const all = streamsOf(surface);
  if (isFull) return all;
  const step = all.length / SAMPLED;
  const from = SEED % Math.max(1, Math.floor(step));
  return Array.from({ length: SAMPLED }, (_, index) => all[from + Math.floor(index * step)]).filter(
    (exchange) => exchange !== undefined,
  );
}

/** Where a stream may be cut: between two frames, and before the one that completes it. */
function cutsOf({ surface, response }: Exchange): number[] {
  return [0, ...frameEnds(surface, response).slice(0, framesBeforeEnd(surface, response))];
}

let bench: SixBench;
beforeAll(async () => {
  const change = (text: string) => text.replaceAll('"terminal":"finish"', '"terminal":"done"');
  bench = await startSix({ change });
});
afterAll(() => bench[Symbol.asyncDispose]());

interface Case {
  readonly title: string;
  readonly listener: Listener;
  readonly surface: Surface;
  readonly script: Answer;
  /** What is wrong with what the SDK heard; undefined when nothing is. */
  readonly judge: (heard: Heard) => string | undefined;
}

async function failuresOf(cases: readonly Case[]): Promise<string[]> {
  const failures: string[] = [];
  await inParallel(cases, {
    width: WIDTH,
    async work({ title, listener, surface, script, judge }) {
      const wrong = judge(await bench.heard(listener, surface, script));
      if (wrong !== undefined) failures.push(`${listener.name}, ${title}: ${wrong}`);
    },
  });
  bench.forget();
  return failures;
}

const skip = haveRecordings ? "" : ` ${NO_RECORDINGS}`;

describe.skipIf(!haveRecordings)(`a stream that breaks off, seed ${SEED}${skip}`, () => {
  for (const surface of SURFACES) {
    const streams = sampledOf(surface);
    for (const listener of listenersOf(surface)) {
      test(
        `${listener.name}: whole, nothing is said of a failure`,
        async () => {
          const cases = streams.map((stream) => ({
            ...{ title: stream.name, listener, surface, script: played(stream) },
            judge: ({ thrown, sawFailure, events }: Heard) =>
              thrown === undefined && !sawFailure && events > 0 ? undefined : `threw ${thrown}`,
          }));
          expect(cases.length).toBeGreaterThan(0);
          expect(await failuresOf(cases)).toEqual([]);
        },
        LIMIT_MS,
      );

      for (const how of CUTS) {
        test(
          `${listener.name}: cut by ${how} between any two frames, its loop throws`,
          async () => {
            const cases = streams.flatMap((stream) =>
              cutsOf(stream).map((at) => ({
                ...{ title: `${stream.name} at ${at}`, listener, surface },
                script: played(stream, { cut: { at, how } }),
                judge: (seen: Heard) => brokenVerdict(listener, at, seen),
              })),
            );
            expect(await failuresOf(cases)).toEqual([]);
          },
          LIMIT_MS,
        );
      }
    }
  }
});

/** Nothing short of a throw will do; between two frames it is our own error frame that throws. */
function brokenVerdict({ dialect }: Listener, at: number, { thrown }: Heard): string | undefined {
  if (!(thrown instanceof Error)) return "a quiet success";
  if (at === 0) return undefined; // Nothing was committed: an error answer, in any words.
  // Cohere's SDK notices a reset and nothing else: protocols.md 5.6.
  const isOurs = OUR_WORDS.test(thrown.message) || dialect === "cohere";
  // A reset may cost the fetch below it what came with it: then nothing was committed, either.
  return isOurs || statusIn(thrown) === 502 || statusIn(thrown) === 424 ? undefined : `${thrown}`;
}

function statusIn(thrown: Error): number | undefined {
  const { status, $metadata } = thrown as {
    readonly status?: number;
    readonly $metadata?: { readonly httpStatusCode?: number };
  } & Error;
  return status ?? $metadata?.httpStatusCode;
}

describe.skipIf(!haveRecordings)(`across protocols${skip}`, () => {
  for (const surface of SURFACES) {
    if (surface === "invoke") continue;
    const [stream] = sampledOf(surface);
    for (const listener of LISTENERS.filter(({ dialect }) => dialect !== surface)) {
      test(
        `${listener.name} on ${surface}: a stream that breaks off throws`,
        async () => {
          const cuts = spread(
            cutsOf(stream!).slice(1),
            isFull ? Number.POSITIVE_INFINITY : ACROSS_CUTS,
          );
          const cases = cuts.flatMap((at) =>
            CUTS.map((how) => ({
              ...{ title: `${stream!.name} ${how} at ${at}`, listener, surface },
              script: played(stream!, { cut: { at, how } }),
              judge: (seen: Heard) => brokenVerdict(listener, at, seen),
            })),
          );
          expect(await failuresOf(cases)).toEqual([]);
        },
        LIMIT_MS,
      );
    }
  }
});

/** Gemini's framing for who asks for no events: an array, of which a part is no array. */
describe.skipIf(!haveRecordings)(`a JSON array${skip}`, () => {
  for (const surface of SURFACES) {
    if (surface === "invoke") continue;
    test(`of ${surface}: broken off, its last element is an error, or it does not parse`, async () => {
      const [stream] = sampledOf(surface);
      const { script, ends, body } = surface === "gemini" ? arrayOf(stream!) : framed(stream!);
      const wrong: string[] = [];
      expect(verdictOfArray(await askedForArray(surface, script))).toBe("whole");
      for (const at of [...ends, ...ends.map((end) => end - 2), ...ends.map((end) => end + 1)]) {
        for (const how of CUTS) {
          const text = await askedForArray(surface, { ...script, cut: { at, how } });
          const verdict = verdictOfArray(text);
          const isTold = verdict === "error" || (verdict === "no JSON" && !ends.includes(at));
          if (!isTold)
            wrong.push(`${how} at ${at} of ${body.length}: ${verdict} ${text.slice(-200)}`);
        }
      }
      expect(wrong).toEqual([]);
    });
  }
});

interface Framed {
  readonly script: Answer;
  readonly body: Uint8Array;
  readonly ends: readonly number[];
}

function framed(stream: Exchange): Framed {
  const ends = spread(cutsOf(stream).slice(1), ACROSS_CUTS);
  return { script: played(stream), body: stream.response, ends };
}

function arrayOf(stream: Exchange): Framed {
  const { body, ends } = jsonArrayOf(stream.response);
  const before = framesBeforeEnd("gemini", stream.response);
  const headers = [["content-type", "application/json; charset=UTF-8"]] as const;
  return { script: { headers, body, framing: "chunked" }, body, ends: ends.slice(0, before) };
}

async function askedForArray(surface: Surface, script: Answer): Promise<string> {
  const user = bench.own(script);
  const path = `/v1beta/models/on-${dialectOf(surface)}:streamGenerateContent`;
  const body = JSON.stringify({ contents: [{ role: "user", parts: [{ text: user }] }] });
  const answer = await fetch(bench.binary.origin + path, { method: "POST", body });
  const text = await answer.text().catch(() => ""); // A reset: nothing that would parse.
  return answer.ok ? text : `{"error":${answer.status}}`;
}

function verdictOfArray(text: string): "whole" | "error" | "part" | "no JSON" {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "no JSON"; // Every reader throws on it.
  }
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  const said = JSON.stringify(last ?? {});
  if (said.includes('"error"')) return "error";
  return said.includes('"finishReason"') ? "whole" : "part";
}

describe.skipIf(!haveRecordings)(`an error in the middle${skip}`, () => {
  const faults = streamFaults();
  for (const surface of SURFACES) {
    if (surface === "invoke") continue;
    const [stream] = sampledOf(surface);
    for (const listener of LISTENERS) {
      test(
        `${listener.name} on ${surface} hears of every documented one, wherever it stands`,
        async () => {
          const own = faults.filter((fault) => {
            return fault.surface === surface && !(fault.isQuiet && listener.dialect === surface);
          });
          expect(own.length).toBeGreaterThan(0);
          const cases = own.flatMap((fault) =>
            spread(cutsOf(stream!).slice(1), 3).map((at) => ({
              ...{ title: `${fault.name} at ${at}`, listener, surface },
              script: withFault(stream!, fault, at),
              judge: (seen: Heard) => faultVerdict(listener, surface, seen),
            })),
          );
          expect(await failuresOf(cases)).toEqual([]);
        },
        LIMIT_MS,
      );
    }
  }
});

/** The stream up to there, the error, and the upstream's clean end. */
function withFault(stream: Exchange, { bytes }: StreamFault, at: number): Answer {
  const body = new Uint8Array(Buffer.concat([stream.response.subarray(0, at), bytes]));
  return played({ ...stream, response: body });
}

/** Same protocol: bytes are the vendor's, and its own SDK does with them what it does. */
function faultVerdict(
  { dialect }: Listener,
  surface: Surface,
  { thrown, sawFailure }: Heard,
): string | undefined {
  if (thrown instanceof Error) return undefined;
  return sawFailure && dialect === surface ? undefined : "a quiet success";
}

/** So many of them, the first and the last included. */
function spread(offsets: readonly number[], count: number): number[] {
  if (offsets.length <= count) return [...offsets];
  const step = (offsets.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => offsets[Math.round(index * step)]!);
}
