import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { haveRecordings, NO_RECORDINGS } from "../faultd/recordings.ts";
import { type Answer, gate } from "../faultd/script.ts";
import { type Heard, type Listener, LISTENERS } from "./clients/iterate.ts";
import { dialectOf, type Exchange, exchangesOf, played, type Surface } from "./exchanges.ts";
import { frameEnds, jsonArrayOf } from "./frames.ts";
import { type SixBench, startSix } from "./six-bench.ts";
import { framesBeforeEnd } from "./stream-faults.ts";

const HEARTBEAT_SECONDS = 1;
const SILENCE_MS = 4000; // A busy machine is late by seconds.

/** The shortest stream of a protocol that has a middle. */
function streamOf(surface: Surface): Exchange {
  const [stream] = exchangesOf(surface)
    .filter(({ streamed, status, response }) => {
      return streamed && status === 200 && framesBeforeEnd(surface, response) >= 3;
    })
    .toSorted((one, other) => one.response.length - other.response.length);
  return stream!;
}

/** The same with a long silence behind its second frame. */
function halting(script: Answer, at: number): Answer {
  const here = gate();
  void here.reached.then(() => Bun.sleep(SILENCE_MS)).then(here.open);
  return { ...script, gates: new Map([[at, here]]) };
}

function haltingStream(stream: Exchange): Answer {
  const [, at = 0] = frameEnds(stream.surface, stream.response);
  return halting(played(stream), at);
}

/** Anthropic's own ping is an event of its SDK's, the one heartbeat that is. */
function isSame(listener: Listener, plain: Heard, slow: Heard): boolean {
  if (slow.thrown !== undefined || slow.sawFailure) return false;
  const more = slow.events - plain.events;
  return listener.dialect === "anthropic" ? more >= 0 : more === 0;
}

// All wait together, or each would wait for its own second.
describe.skipIf(!haveRecordings)(
  `a sign of life in a silent stream${haveRecordings ? "" : ` ${NO_RECORDINGS}`}`,
  () => {
    let bench: SixBench;
    beforeAll(async () => {
      bench = await startSix({ rest: { relay: { heartbeat_seconds: HEARTBEAT_SECONDS } } });
    });
    afterAll(() => bench[Symbol.asyncDispose]());

    for (const listener of LISTENERS) {
      const other = listener.dialect === "openai" ? "anthropic" : "openai";
      for (const surface of [listener.dialect, other] as const) {
        test.concurrent(`disturbs no SDK: ${listener.name} on ${surface}`, async () => {
          const stream = streamOf(surface);
          const plain = await bench.heard(listener, surface, played(stream));
          const slow = await bench.heard(listener, surface, haltingStream(stream));
          expect({ plain, slow, isSame: isSame(listener, plain, slow) }).toMatchObject({
            plain: { thrown: undefined },
            isSame: true,
          });
        });
      }
    }

    for (const surface of ["gemini", "openai"] as const) {
      test.concurrent(
        `leaves an array an array: gemini without alt=sse on ${surface}`,
        async () => {
          const stream = streamOf(surface);
          const { body, ends } = jsonArrayOf(stream.response);
          const headers = [["content-type", "application/json"]] as const;
          const array = halting({ headers, body, framing: "chunked" }, ends[1] ?? 0);
          const script = surface === "gemini" ? array : haltingStream(stream);
          const path = `/v1beta/models/on-${dialectOf(surface)}:streamGenerateContent`;
          const contents = [{ role: "user", parts: [{ text: bench.own(script) }] }];
          const init = { method: "POST", body: JSON.stringify({ contents }) };
          const text = await (await fetch(bench.binary.origin + path, init)).text();
          expect(JSON.parse(text)).toBeArray();
          // Ours has no lone line feed but the beat itself.
          if (surface === "openai") expect(text).toMatch(/(?<!\r)\n/);
        },
      );
    }

    test.concurrent("is there where the protocol has one", async () => {
      for (const [surface, beat] of BEATS) {
        const path = surface === "anthropic" ? "/v1/messages" : "/v1/chat/completions";
        const messages = [{ role: "user", content: bench.own(haltingStream(streamOf(surface))) }];
        const model = `on-${surface}`;
        const body = JSON.stringify({ model, messages, max_tokens: 9, stream: true });
        const answer = await fetch(bench.binary.origin + path, { method: "POST", body });
        expect(await answer.text()).toContain(beat);
      }
    });
  },
);

const BEATS = [
  ["openai", ": keep-alive\n\n"],
  ["anthropic", "event: ping\n"],
] as const;
