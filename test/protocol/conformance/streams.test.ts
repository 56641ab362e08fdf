import { describe, expect, test } from "bun:test";
import type { DialectId } from "../../../src/core/ids.ts";
import { dialects } from "../../../src/protocol/dialects.ts";
import type { BrokenStream } from "../../../src/protocol/dialect.ts";
import { frameEnds } from "../../binary/frames.ts";
import { brokenGrammar, endsWell, saysError } from "./grammar.ts";
import {
  answersOf,
  haveFixtures,
  PAIRS,
  type RecordedAnswer,
  SKIPPED,
  translatorOf,
} from "./pairs.ts";
import { DRAWN, FULL, some } from "./sampling.ts";

/** How many places one stream is cut at, and how many streams of a way are. */
const CUTS = FULL ? Number.POSITIVE_INFINITY : 6;
const STREAMS = FULL ? Number.POSITIVE_INFINITY : 12;

const TRUNCATED: BrokenStream = {
  ...{ mode: "surface", why: "truncated", requestId: "req_0123456789ab", atBoundary: true },
  ...{ id: undefined, model: undefined },
};

describe(`a translated stream${SKIPPED}`, () => {
  for (const [client, backend] of PAIRS) {
    test(`${backend} for ${client}: has the grammar its client's SDK needs`, () => {
      const wrong = answersOf(backend, true)
        .filter((answer) => isWhole(backend, answer))
        .flatMap(({ name, body }) => {
          const out = streamed(client, backend, body);
          // Where the end itself is an error, the stream says so and nothing more.
          if (saysError(client, out)) return [];
          return brokenGrammar(client, out).map((rule) => `${name}: ${rule}`);
        });
      expect(wrong).toEqual([]);
    });

    test(`${backend} for ${client}: cut anywhere, it never ends well${DRAWN}`, () => {
      const whole = answersOf(backend, true).filter((answer) => isWhole(backend, answer));
      if (haveFixtures) expect(whole.length).toBeGreaterThan(15);
      const wrong = some(whole, STREAMS).flatMap(({ name, body }) => {
        const places = [0, ...frameEnds(backend, body)].filter(
          (end) => !isWhole(backend, { name, body: body.slice(0, end) }),
        );
        return some(places, CUTS).flatMap((end) => {
          const stream = translatorOf(client, backend, true).stream();
          const before = stream.feed(body.slice(0, end)).slice();
          const out = new Uint8Array(Buffer.concat([before, stream.fail!(TRUNCATED)]));
          if (endsWell(client, out)) return [`${name} at ${end}: ends well`];
          return saysError(client, out) ? [] : [`${name} at ${end}: says no error`];
        });
      });
      expect(wrong).toEqual([]);
    });
  }
});

function streamed(client: DialectId, backend: DialectId, body: Uint8Array): Uint8Array {
  const stream = translatorOf(client, backend, true).stream();
  const out = stream.feed(body as Uint8Array<ArrayBuffer>).slice();
  return new Uint8Array(Buffer.concat([out, stream.end()]));
}

/** The backend's own tap saw its end and no fault. */
function isWhole(backend: DialectId, { body }: RecordedAnswer): boolean {
  const tap = dialects[backend].streamTap({ terminal: "finish" });
  tap.feed(body);
  tap.end();
  return tap.complete && tap.fault === undefined;
}
