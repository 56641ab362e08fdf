import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { haveRecordings, NO_RECORDINGS, recordingsOf, replay } from "../faultd/recordings.ts";
import type { Recording } from "../faultd/recordings.ts";
import { CUT_KINDS, gate } from "../faultd/script.ts";
import type { CutKind, Framing, Gate, Script } from "../faultd/script.ts";
import { type Bench, startBench } from "./bench.ts";
import { SHORT_TIMEOUTS } from "./config.ts";
import { bufferedCuts, cutRecordings, doneEnd, inParallel, SEED, streamCuts } from "./cut-cases.ts";
import { bufferedVerdict, eventsBefore, type Seen, streamVerdict } from "./cut-verdict.ts";
import { isFull } from "./harness.ts";
import { startOpenAiClient } from "./openai-client.ts";

/** Below Bun's own limit of 256 requests in flight, or the test would wait for itself. */
const WIDTH = { cut: 32, stall: 200 } as const;
const FRAMINGS = ["chunked", "content-length", "close"] as const satisfies readonly Framing[];
const LIMIT_MS = isFull ? 3_600_000 : 120_000;

interface CutCase {
  readonly recording: Recording;
  readonly at: number;
  readonly how: CutKind;
  readonly framing: Framing;
}

/** How many stalls one test holds: its record is dropped behind it. */
const STALLS_AT_ONCE = 4000;

const recordings = cutRecordings();

function slices<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

function streamCases(recording: Recording, how: CutKind): CutCase[] {
  return streamCuts(recording).flatMap((at, index) => {
    const framings = isFull ? FRAMINGS : [FRAMINGS[index % FRAMINGS.length] ?? "chunked"];
    return framings.map((framing) => ({ recording, at, how, framing }));
  });
}

/**
 * The script of a cut, and the gate before it: the cut comes when the client has every event that
 * came before. Bytes that arrive in one turn with a failing end are lost to Bun's fetch in a
 * quarter of the cases, and nobody behind it can know that they were there.
 */
function gatedCut({ recording, at, how, framing }: CutCase): { script: Script; here: Gate } {
  const here = gate();
  if (eventsBefore(recording.response, at) === 0) here.open();
  const gates = new Map([[at, here]]);
  return { script: replay(recording, { framing, gates, cut: { at, how } }), here };
}

describe.skipIf(!haveRecordings)(`seed ${SEED} ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  let bench: Bench;
  let client: OpenAI;
  const full = new Map<string, readonly object[]>();
  const wholeOf = ({ name }: Recording) => full.get(name) ?? [];
  beforeAll(async () => {
    bench = await startBench({ provider: SHORT_TIMEOUTS });
    const baseURL = `${bench.binary.origin}/v1`;
    client = new OpenAI({ apiKey: "k", baseURL, maxRetries: 0, logLevel: "off" });
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  /** Reads a streamed answer; `got` hears how many chunks there are so far. */
  async function stream(script: Script, got: (count: number) => void = () => {}): Promise<Seen> {
    const chunks: object[] = [];
    const messages = [{ role: "user" as const, content: "hi" }];
    const request = { model: "m", stream: true as const, user: bench.own(script), messages };
    try {
      for await (const chunk of await client.chat.completions.create(request)) {
        chunks.push(chunk);
        got(chunks.length);
      }
      return { chunks, error: undefined };
    } catch (error) {
      return { chunks, error };
    }
  }

  /** Runs every case and returns a line for each that did not go as the table says. */
  async function failuresOf(cases: readonly CutCase[]): Promise<string[]> {
    const failures: string[] = [];
    const work = async (one: CutCase) => {
      const { recording, at, how, framing } = one;
      const { script, here } = gatedCut(one);
      const due = eventsBefore(recording.response, at);
      const seen = await stream(script, (count) => {
        if (count === due) here.open();
      });
      const body = recording.response;
      const wrong = streamVerdict(seen, { body, at, how, full: wholeOf(recording) });
      if (wrong !== undefined) failures.push(`${recording.name} ${framing} at ${at}: ${wrong}`);
    };
    const stalls = cases.some(({ how }) => how === "stall");
    await inParallel(cases, { width: stalls ? WIDTH.stall : WIDTH.cut, work });
    bench.forget();
    return failures;
  }

  test("twenty streams, whole, satisfy the SDK", async () => {
    expect(recordings).toHaveLength(20);
    for (const recording of recordings) {
      const { chunks, error } = await stream(replay(recording));
      expect(error).toBeUndefined();
      expect(chunks).toHaveLength(eventsBefore(recording.response, doneEnd(recording.response)));
      full.set(recording.name, chunks);
    }
  });

  for (const how of CUT_KINDS.filter((kind) => kind !== "stall")) {
    for (const recording of recordings) {
      const cut = async () => expect(await failuresOf(streamCases(recording, how))).toEqual([]);
      test(`${recording.name} cut by ${how} is never a quiet success`, cut, LIMIT_MS);
    }
  }

  // Together, or the deadlines of twenty recordings would be waited for one after the other.
  const stalls = recordings.flatMap((recording) => streamCases(recording, "stall"));
  for (const [index, some] of slices(stalls, STALLS_AT_ONCE).entries()) {
    const stall = async () => expect(await failuresOf(some)).toEqual([]);
    test(`a stall is never a quiet success: part ${index + 1}`, stall, LIMIT_MS);
  }

  test("with the whole end marker out, a cut changes nothing for the SDK", async () => {
    for (const recording of recordings) {
      for (let at = doneEnd(recording.response) + 1; at <= recording.response.length; at++) {
        const one: CutCase = { recording, at, how: "fin", framing: "chunked" };
        const { script, here } = gatedCut(one);
        const whole = wholeOf(recording);
        const seen = await stream(script, (count) => {
          if (count === whole.length) here.open();
        });
        expect(seen).toEqual({ chunks: [...whole], error: undefined });
      }
    }
  });

  test(
    "the SDK under Node throws as well, at every event's end",
    async () => {
      await using node = startOpenAiClient("node");
      const baseURL = `${bench.binary.origin}/v1`;
      for (const recording of recordings.slice(0, 3)) {
        for (const how of ["fin", "rst", "garbage"] as const) {
          for (const one of streamCases(recording, how)) {
            const { script, here } = gatedCut(one);
            here.open();
            const request = { model: "m", stream: true, messages: [], user: bench.own(script) };
            const { error } = await node.run({ baseURL, request });
            expect(error?.class).toBeString();
          }
        }
      }
    },
    LIMIT_MS,
  );
});

describe.skipIf(!haveRecordings)(`buffered ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const buffered = recordingsOf("openai-chat")
    .filter(({ streamed, status }) => !streamed && status === 200)
    .filter((_, index) => index % 8 === 0);
  let bench: Bench;
  beforeAll(async () => void (bench = await startBench({ provider: SHORT_TIMEOUTS })));
  afterAll(() => bench[Symbol.asyncDispose]());

  function cases(how: CutKind): CutCase[] {
    return buffered.flatMap((recording) =>
      bufferedCuts(recording).flatMap((at) =>
        FRAMINGS.map((framing) => ({ recording, at, how, framing })),
      ),
    );
  }

  for (const how of CUT_KINDS) {
    const run = async () => {
      const failures: string[] = [];
      const work = async ({ recording, at, framing }: CutCase) => {
        const script = replay(recording, { framing, cut: { at, how } });
        const messages = [{ role: "user", content: "hi" }];
        const request = JSON.stringify({ model: "m", user: bench.own(script), messages });
        const { response, name } = recording;
        const wrong = bufferedVerdict(await bench.post(request), { response, how });
        if (wrong !== undefined) failures.push(`${name} ${framing} at ${at}: ${wrong}`);
      };
      await inParallel(cases(how), { width: how === "stall" ? WIDTH.stall : WIDTH.cut, work });
      expect(failures).toEqual([]);
    };
    test(`an answer cut by ${how} is an error of ours, never a 200 with a part`, run, LIMIT_MS);
  }
});
