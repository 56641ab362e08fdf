import { describe, expect, test } from "bun:test";
import {
  BARE_CHUNKS,
  BENCH_KEY,
  BODIES,
  companyConfig,
  companyRoutes,
  envelopeOf,
  EVENT_CHUNKS,
  SEGMENT_CHUNKS,
  targetOf,
  WHOLE_STREAM,
} from "../../bench/inputs.ts";
import { parsedAll, stripped, tapped } from "../../bench/stream-work.ts";
import { authenticate, keyRing } from "../../src/ingress/authenticate.ts";
import { splice, jsonString } from "../../src/wire/json-splice.ts";
import { decide } from "../../src/router/decide.ts";
import { systemRandom } from "../../src/runtime/random.ts";

describe.each([...BODIES])("the body of $name", ({ name, body }) => {
  const parsed = JSON.parse(Buffer.from(body).toString()) as { model: string; messages: unknown[] };

  test("has the size its name says", () => {
    const [number = "0", unit] = name.split(" ");
    const said = Number(number) * (unit === "MB" ? 1e6 : 1e3);
    expect(Math.abs(body.length - said) / said).toBeLessThan(0.15);
  });

  test("is read by scanning as it is by parsing", () => {
    expect(envelopeOf(body)).toMatchObject({
      model: parsed.model,
      stream: true,
      includeUsage: true,
      outputTokensMax: 256,
    });
  });

  test("is the same document after splicing as after writing it anew", () => {
    const spliced = splice(body, envelopeOf(body).modelSpan, jsonString("bench-upstream"));
    expect(JSON.parse(Buffer.from(spliced).toString())).toEqual({
      ...parsed,
      model: "bench-upstream",
    });
  });
});

test("the streams are the same bytes, however they are cut", () => {
  expect(Buffer.concat([...EVENT_CHUNKS]).equals(WHOLE_STREAM)).toBe(true);
  expect(Buffer.concat([...SEGMENT_CHUNKS]).equals(WHOLE_STREAM)).toBe(true);
  expect(SEGMENT_CHUNKS.length).toBeGreaterThan(5);
});

test.each([
  ["an event a chunk", EVENT_CHUNKS],
  ["a segment a chunk", SEGMENT_CHUNKS],
  ["all at once", [WHOLE_STREAM]],
] as const)("the tap finds in %s what parsing every event finds", (_, chunks) => {
  const { usage, complete, events } = tapped(chunks);
  expect(usage?.outputTokens).toBe(parsedAll(chunks));
  expect(usage?.outputTokens).toBe(64);
  expect({ complete, events }).toEqual({ complete: true, events: 67 });
});

test("what is stripped is the usage chunk and nothing else", () => {
  for (const chunks of [EVENT_CHUNKS, SEGMENT_CHUNKS, [WHOLE_STREAM]]) {
    expect(Buffer.concat([...stripped(chunks)]).toString()).toBe(
      Buffer.concat([...BARE_CHUNKS]).toString(),
    );
  }
});

test("the company's key opens it, and its pools hold what their names say", () => {
  const ring = keyRing(companyConfig().keys, { wall: () => 0 });
  const headers = new Headers({ authorization: `Bearer ${BENCH_KEY}` });
  expect(authenticate(headers, ring)).toMatchObject({ id: "app" });
  const routes = companyRoutes();
  const lanes = (model: string) => {
    const target = targetOf(routes, model);
    return [target.private.lanes.length, target.shareable.lanes.length];
  };
  expect(["m0", "m1", "three", "thirty", "gpt-4o"].map(lanes)).toEqual([
    [1, 1],
    [0, 1],
    [2, 3],
    [15, 30],
    [0, 1],
  ]);
});

test("routing a pool in a bench gives a plan, not a refusal", () => {
  const { shareable } = targetOf(companyRoutes(), "thirty");
  const plan = decide(
    shareable,
    { model: "thirty", dialect: "openai", operation: "chat" },
    systemRandom,
  );
  expect(plan).toHaveProperty("lanes.length", 30);
});
