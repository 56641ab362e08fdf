import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Fault } from "../../src/core/fault.ts";
import type { AnyLane, Lane } from "../../src/core/pool.ts";
import type { Local, Private } from "../../src/core/privacy.ts";
import { Rejection } from "../../src/core/rejection.ts";
import type { Request } from "../../src/core/request.ts";
import { attempt } from "../../src/upstream/attempt.ts";
import type { Committed } from "../../src/upstream/committed.ts";
import type { SimClock } from "../sim/clock.ts";
import {
  attemptRig,
  backendOf,
  type Behaviour,
  COMPLETION,
  DEADLINES,
  delta,
  flow,
  laneOf,
  lost,
  refusal,
  type Rig,
  type RigOptions,
  sealed,
  STREAM,
  whole,
} from "./pieces.ts";

type Result = Committed | Rejection;

const PATIENT = { attemptsMax: 100, deadlineMs: 1e12 };

/** Runs one attempt to its end, time passing only while nothing else moves. */
function run(rig: Rig, options: { readonly stream?: boolean } = {}): Promise<Result> {
  return settled(rig.clock, begin(rig, options));
}
function begin(rig: Rig, { stream = false } = {}): Promise<Result> {
  const body = { model: "m", stream, messages: [{ role: "user", content: "hi" }] };
  const request = sealed(body) as Request<Private>;
  return attempt(request, rig.lanes as readonly Lane<Local>[], rig.context);
}
async function settled(clock: SimClock, result: Promise<Result>): Promise<Result> {
  let over = false;
  const end = (): void => void (over = true);
  result.then(end, end);
  for (let turn = 0; turn < 400 && !over; turn++) await clock.advance(10_000);
  if (!over) throw new Error("the attempt never ended");
  return await result;
}
function faultOf(result: Result): Fault["kind"] | "committed" | "other" {
  if (!(result instanceof Rejection)) return "committed";
  return result.reason.kind === "upstream_failed" ? result.reason.fault.kind : "other";
}

const answers: Behaviour = () => whole(COMPLETION);
const silent: Behaviour = () => new Promise<Response>(() => {});
const throws =
  (code: string): Behaviour =>
  () =>
    Promise.reject(lost(code));

/** reliability.md §3.3 in the words of core/fault.ts: what each failure is, and what comes next. */
type Next = "go on" | "once more" | "relay";
const TABLE: readonly (readonly [what: string, Behaviour, Fault["kind"], Next])[] = [
  ["429", () => refusal(429), "rate_limited", "go on"],
  ["503", () => refusal(503), "overloaded", "go on"],
  ["529", () => refusal(529), "overloaded", "go on"],
  ["500", () => refusal(500), "server_error", "go on"],
  ["502", () => refusal(502), "server_error", "go on"],
  ["401 with our credential", () => refusal(401), "auth", "go on"],
  ["402", () => refusal(402), "billing", "go on"],
  ["HTML in a 200", () => whole("<p>", { "content-type": "text/html" }), "protocol", "go on"],
  [
    "half an answer",
    () => flow(["{"], { headers: { "content-type": "application/json" } }),
    "protocol",
    "go on",
  ],
  ["307", () => new Response(null, { status: 307 }), "redirect", "go on"],
  ["nobody listening", throws("ConnectionRefused"), "network", "go on"],
  ["a lost connection", throws("ECONNRESET"), "network", "once more"],
  ["silence", silent, "timeout", "once more"],
  ["no HTTP", throws("InvalidHTTPResponse"), "protocol", "go on"],
  [
    "too long a prompt",
    () => refusal(400, { code: "context_length_exceeded" }),
    "context_length",
    "go on",
  ],
  ["a certificate nobody vouches for", throws("DEPTH_ZERO_SELF_SIGNED_CERT"), "tls", "go on"],
  ["408", () => refusal(408), "not_now", "once more"],
  ["409", () => refusal(409), "not_now", "once more"],
  ["425", () => refusal(425), "not_now", "once more"],
  ["400", () => refusal(400), "client_error", "relay"],
  ["404", () => refusal(404), "client_error", "relay"],
];

/** What a host says of these is the caller's to read, whatever else failed. */
const WITH_WORDS: ReadonlySet<string> = new Set(["context_length", "not_now"]);

describe("what comes before the first event may go to the next lane", () => {
  test.each(TABLE)("%s", async (_, behaviour, kind, next) => {
    const rig = attemptRig([behaviour, behaviour, behaviour, answers], { failover: PATIENT });
    const result = await run(rig);
    const tries = { "go on": 4, "once more": 2, relay: 1 }[next];
    expect(rig.tried).toEqual(["b0", "b1", "b2", "b3"].slice(0, tries));
    expect(rig.context.facts.map(({ fault }) => fault?.kind)).toEqual(
      next === "go on" ? [kind, kind, kind, undefined] : Array<Fault["kind"]>(tries).fill(kind),
    );
    if (next === "relay") expect(result).toMatchObject({ kind: "whole", refusal: { kind } });
    else if (WITH_WORDS.has(kind)) expect(result).toMatchObject({ kind: "whole" });
    else expect(faultOf(result)).toBe(next === "go on" ? "committed" : kind);
    expect(rig.clock.armed).toBe(0);
  });

  test("whatever fails in whatever order, lanes are tried in the plan's order and no further than that", async () => {
    const row = fc.constantFrom(...TABLE, ["an answer", answers, "none", "commit"] as const);
    const max = fc.integer({ min: 1, max: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 2, maxLength: 6 }),
        max,
        async (rows, attemptsMax) => {
          const failover = { ...PATIENT, attemptsMax };
          const rig = attemptRig(
            rows.map(([, behaviour]) => behaviour),
            { failover },
          );
          const result = await run(rig);
          const wanted: string[] = [];
          let unanswered = 0;
          for (const [at, [, , , next]] of rows.slice(0, attemptsMax).entries()) {
            wanted.push(`b${at}`);
            if (next === "once more") unanswered++;
            if (next === "commit" || next === "relay" || unanswered === 2) break;
          }
          expect(rig.tried).toEqual(wanted);
          const [, , kind, next] = rows[wanted.length - 1]!;
          if (next === "commit")
            expect(result).toMatchObject({ kind: "whole", refusal: undefined });
          // Words that may be passed on are the answer, whichever lane had them.
          else if (rows.slice(0, wanted.length).some(([, , said]) => WITH_WORDS.has(said)))
            expect(result).toMatchObject({ kind: "whole" });
          else if (next !== "relay") expect(faultOf(result)).toBe(kind as Fault["kind"]);
          expect(rig.clock.armed).toBe(0);
        },
      ),
    );
  });
});

describe("a lane that would fail alike is passed over", () => {
  const lane = (name: string, host: string, contextMax: number | undefined) =>
    laneOf(backendOf({ name, url: `http://${host}/v1` }), { contextMax });

  test("a window that is no larger than one that was too small; one of unknown size is tried", async () => {
    const tooLong: Behaviour = () => refusal(400, { code: "context_length_exceeded" });
    const sizes = [8000, 4000, 8000, undefined, 16_000];
    const lanes = sizes.map((size, at) => lane(`b${at}`, `127.0.0.${at + 1}:8000`, size));
    const behaviours = [tooLong, answers, answers, tooLong, answers];
    const rig = attemptRig(behaviours, { lanes, failover: PATIENT });
    expect(await run(rig)).toMatchObject({ kind: "whole", refusal: undefined });
    expect(rig.tried).toEqual(["b0", "b3", "b4"]);
  });

  test("another at the host whose certificate is not its own", async () => {
    const forged = throws("ERR_TLS_CERT_ALTNAME_INVALID");
    const hosts = ["127.0.0.1:8000", "127.0.0.1:8000", "127.0.0.2:8000"];
    const lanes = hosts.map((host, at) => lane(`b${at}`, host, undefined));
    const rig = attemptRig([forged, answers, answers], { lanes, failover: PATIENT });
    expect(await run(rig)).toMatchObject({ kind: "whole", refusal: undefined });
    expect(rig.tried).toEqual(["b0", "b2"]);
  });
});

test("no more lanes are tried than the configuration allows", async () => {
  const busy: Behaviour = () => refusal(503);
  const rig = attemptRig([busy, busy, busy, answers], { failover: { attemptsMax: 3 } });
  const result = await run(rig);
  expect(rig.tried).toEqual(["b0", "b1", "b2"]);
  expect(result).toMatchObject({ reason: { kind: "upstream_failed", attempts: 3 } });
});

test("no further attempt is begun once the failover deadline has passed", async () => {
  let rig: Rig;
  const slow: Behaviour = () =>
    new Promise((resolve) => rig.clock.after(50_000, () => resolve(refusal(503))));
  rig = attemptRig([slow, slow, slow, slow, answers], {
    failover: { attemptsMax: 10, deadlineMs: 120_000 },
  });
  expect(faultOf(await run(rig))).toBe("overloaded");
  expect(rig.tried).toEqual(["b0", "b1", "b2"]);
});

describe("deadlines of one lane", () => {
  test("a host that cannot be reached costs the connect deadline, and the next is asked", async () => {
    let rig: Rig;
    const began: number[] = [];
    const noted: Behaviour = (sent, before) => {
      began.push(rig.clock.now());
      return began.length === 1 ? silent(sent, before) : whole(COMPLETION);
    };
    rig = attemptRig([noted, noted], { reach: () => false, failover: PATIENT });
    await run(rig);
    expect(rig.context.facts[0]?.fault).toEqual({ kind: "timeout", phase: "connect" });
    expect(began).toEqual([0, DEADLINES.connectMs / 2]);
  });

  test("a host that thinks is waited for to its first-event deadline, then one other is asked", async () => {
    const rig = attemptRig([silent, silent, answers], { failover: PATIENT });
    expect(faultOf(await run(rig))).toBe("timeout");
    expect(rig.tried).toEqual(["b0", "b1"]);
    expect(rig.context.facts[1]?.fault).toEqual({ kind: "timeout", phase: "first_event" });
  });

  test("a thinking host that answers in time is not disturbed", async () => {
    let rig: Rig;
    const late: Behaviour = () =>
      new Promise((resolve) => rig.clock.after(330_000, () => resolve(whole(COMPLETION))));
    rig = attemptRig([late, answers]);
    expect(await run(rig)).toMatchObject({ kind: "whole" });
    expect(rig.tried).toEqual(["b0"]);
  });
});

describe("a lane alone", () => {
  const once =
    (first: Behaviour): Behaviour =>
    (sent, before) =>
      before === 0 ? first(sent, before) : whole(COMPLETION);

  test("is asked again after a lost connection, as of a pooled one that had died", async () => {
    const rig = attemptRig([once(throws("ECONNRESET"))]);
    expect(await run(rig)).toMatchObject({ kind: "whole", attempts: 2 });
    expect(rig.tried).toEqual(["b0", "b0"]);
  });
  test("is asked again once only", async () => {
    const rig = attemptRig([throws("ECONNRESET")], { failover: PATIENT });
    expect(faultOf(await run(rig))).toBe("network");
    expect(rig.tried).toEqual(["b0", "b0"]);
  });
  test("is not asked again when the configuration allows one attempt", async () => {
    const rig = attemptRig([once(throws("ECONNRESET"))], { failover: { attemptsMax: 1 } });
    expect(faultOf(await run(rig))).toBe("network");
  });
  const others = TABLE.filter(([what]) => what !== "a lost connection");
  test.each(others)("is not asked again after %s", async (_, behaviour) => {
    const rig = attemptRig([once(behaviour)]);
    await run(rig);
    expect(rig.tried).toEqual(["b0"]);
  });
});

describe("the upstream's own words", () => {
  test("are the client's when they are about its request, whoever failed before", async () => {
    const wrong = (): Response => refusal(422, { message: "n must be 1" });
    const rig = attemptRig([() => refusal(503), wrong, answers]);
    const result = await run(rig);
    expect(result).toMatchObject({
      kind: "whole",
      status: 422,
      attempts: 2,
      refusal: { kind: "client_error" },
    });
    expect((result as { body: Uint8Array }).body).toEqual(await wrong().bytes());
    expect(rig.tried).toEqual(["b0", "b1"]);
  });
  test("that a prompt is too long for every lane are the client's too", async () => {
    const tooLong: Behaviour = () => refusal(400, { code: "context_length_exceeded" });
    const rig = attemptRig([tooLong, tooLong]);
    expect(await run(rig)).toMatchObject({ kind: "whole", refusal: { kind: "context_length" } });
    expect(rig.tried).toEqual(["b0", "b1"]);
  });
});

describe("a client that leaves", () => {
  test("stops everything at whatever moment it does: no further attempt, nothing armed", async () => {
    const row = fc.constantFrom<Behaviour>(silent, () => refusal(503), throws("ECONNRESET"));
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 4 }),
        fc.nat(1_300_000),
        async (rows, at) => {
          let rig: Rig;
          const slowly = rows.map<Behaviour>((behaviour) => async (sent, before) => {
            await new Promise<void>((resolve) => rig.clock.after(1000, resolve));
            return await behaviour(sent, before);
          });
          rig = attemptRig(slowly, { failover: PATIENT });
          let triesThen: number | undefined;
          const going = begin(rig);
          let over = false;
          void going.then(() => (over = true));
          rig.clock.after(at, () => {
            if (!over) triesThen = rig.tried.length;
            rig.client.abort();
          });
          const result = await settled(rig.clock, going);
          if (triesThen === undefined) return;
          expect(result).toMatchObject({ reason: { kind: "client_gone" } });
          await rig.clock.advance(2_000_000);
          expect(rig.tried).toHaveLength(triesThen);
          expect(rig.context.facts.at(-1)?.fault).toBeUndefined();
          expect(rig.clock.armed).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("before the first attempt, gets nothing sent that is not called back", async () => {
    const rig = attemptRig([silent, answers]);
    rig.client.abort();
    expect(await run(rig)).toMatchObject({ reason: { kind: "client_gone" } });
    expect(rig.network.sent.every(({ init }) => init.signal?.aborted)).toBe(true);
  });
});

test("nothing is asked again once an answer is committed, though it breaks off", async () => {
  const breaking: Behaviour = () => flow([delta("he")], { then: "reset" });
  const rig = attemptRig([breaking, answers], { stream: true });
  const result = await run(rig, { stream: true });
  if (result instanceof Rejection || result.kind !== "stream") throw new Error("not committed");
  await expect(result.reader.read()).rejects.toMatchObject({ code: "ECONNRESET" });
  await rig.clock.advance(10_000_000);
  expect(rig.tried).toEqual(["b0"]);
  expect(rig.clock.armed).toBe(0);
});

test("a stream whose first event is an error goes to the next lane", async () => {
  const broken: Behaviour = () => flow(['data: {"error":{"type":"overloaded_error"}}\n\n']);
  const rig = attemptRig([broken, () => flow([STREAM])]);
  const result = await run(rig, { stream: true });
  expect(result).toMatchObject({ kind: "stream", attempts: 2 });
  expect(rig.network.sent[0]?.init.signal?.aborted).toBe(true);
});

describe("where it goes", () => {
  const named = (given: { operatorControlled?: boolean } = {}): RigOptions => ({
    lanes: [
      laneOf(backendOf({ name: "b0", url: "http://gpu.lan:8000/v1", ...given })),
      laneOf(backendOf({ name: "b1", url: "http://127.0.0.9:8000/v1/" })),
    ],
    resolve: () => ["8.8.8.8"],
  });
  test("a local name with a public address gets no byte, and the next lane is asked", async () => {
    const rig = attemptRig([answers, answers], named());
    await run(rig);
    expect(rig.network.sent.map(({ url }) => url)).toEqual([
      "http://127.0.0.9:8000/v1/chat/completions",
    ]);
    expect(rig.context.facts[0]?.fault).toEqual({ kind: "address_refused" });
  });
  test("a name nobody knows is a fault of the network, and nothing was sent", async () => {
    const rig = attemptRig([answers, answers], { ...named(), resolve: () => [] });
    await run(rig);
    expect(rig.tried).toEqual(["b1"]);
    expect(rig.context.facts[0]?.fault).toEqual({ kind: "network", sent: false });
  });
  test("a name that may be dialled is dialled by address, and told its name", async () => {
    const rig = attemptRig([answers, answers], named({ operatorControlled: true }));
    await run(rig);
    const [sent] = rig.network.sent;
    expect(sent?.url).toBe("http://8.8.8.8:8000/v1/chat/completions");
    expect(sent?.headers["host"]).toBe("gpu.lan:8000");
  });
});

describe("a look-up that never answers", () => {
  const lane = laneOf(backendOf({ name: "b0", url: "http://gpu.lan:8000/v1" }));
  const hangs = { lanes: [lane], resolve: () => new Promise<never>(() => {}) as never };
  test("ends with the connect deadline", async () => {
    expect(faultOf(await run(attemptRig([answers], hangs)))).toBe("timeout");
  });
  test("ends when the client leaves", async () => {
    const rig = attemptRig([answers], hangs);
    rig.clock.after(1000, () => rig.client.abort());
    expect(await run(rig)).toMatchObject({ reason: { kind: "client_gone" } });
  });
});

test("a bug in reading an answer is thrown, and no backend is blamed for it", async () => {
  const rig = attemptRig([() => flow([STREAM]), () => flow([STREAM])]);
  const streamTap = (): never => {
    throw new TypeError("a bug of ours");
  };
  const openai = { ...rig.context.dialects.openai, streamTap };
  const dialects = { ...rig.context.dialects, openai };
  const context = { ...rig.context, dialects };
  await expect(run({ ...rig, context }, { stream: true })).rejects.toThrow("a bug of ours");
});

test("each lane gets the body under its own name for the model, and else as it came", async () => {
  const upstream: AnyLane[] = ["one", undefined, "three"].map((upstreamModel, at) =>
    laneOf(backendOf({ name: `b${at}` }), { upstreamModel }),
  );
  const busy: Behaviour = () => refusal(503);
  const rig = attemptRig([busy, busy, busy], { lanes: upstream });
  await run(rig);
  const bodies = rig.network.sent.map(({ body }) => JSON.parse(body));
  const messages = [{ role: "user", content: "hi" }];
  expect(bodies).toEqual(
    ["one", "m", "three"].map((model) => ({ model, stream: false, messages })),
  );
});

test("a plan without lanes is a bug", () => {
  const rig = attemptRig([]);
  return expect(run(rig)).rejects.toThrow("a plan without lanes");
});
