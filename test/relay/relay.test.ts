import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { StreamEdit } from "../../src/protocol/dialect.ts";
import type { StreamFailure } from "../../src/config/config.ts";
import type { Ending, Stopped } from "../../src/core/outcome.ts";
import type { Lane } from "../../src/core/pool.ts";
import type { Placement } from "../../src/core/privacy.ts";
import type { Chunk } from "../../src/core/units.ts";
import type { StreamTap } from "../../src/protocol/dialect.ts";
import { type Leave, relay } from "../../src/relay/relay.ts";
import { SimSink } from "../sim/sink.ts";
import type { ChunkReader } from "../../src/upstream/committed.ts";
import { microtasks, SimClock } from "../sim/clock.ts";

const STALL_MS = 100_000;
const HEARTBEAT_MS = 15_000;
const CLIENT_STALL_MS = 60_000;
const END_MARK = 0x2e;

/** A dialect of one rule: a full stop completes the stream, any byte pair is an event. */
function pointTap(): StreamTap {
  let complete = false;
  let byteCount = 0;
  return {
    feed(chunk) {
      byteCount += chunk.byteLength;
      complete ||= chunk.includes(END_MARK);
    },
    end() {},
    get complete() {
      return complete;
    },
    fault: undefined,
    faultEvent: undefined,
    eventsBeforeFault: 0,
    get atBoundary() {
      return byteCount % 2 === 0;
    },
    get eventCount() {
      return byteCount / 2;
    },
    get textBytes() {
      return byteCount;
    },
    usage: undefined,
    id: undefined,
    model: undefined,
  };
}

interface Rig {
  readonly clock: SimClock;
  readonly ends: { ending: Ending; byteCount: number }[];
  readonly reader: ChunkReader & { readonly closed: Promise<unknown> };
  readonly upstream: ReadableStreamDefaultController<Chunk>;
  readonly state: { aborted: boolean; pulled: number };
  readonly bugs: unknown[];
  readonly relaying: Leave;
}

const SSE = "text/event-stream; charset=utf-8";

interface Differs {
  readonly type?: string;
  /** What the owner answers before a chunk that has been fed so many times. */
  readonly stopBefore?: (chunkNumber: number) => Stopped | undefined;
  readonly edit?: StreamEdit;
  readonly brokenEnd?: "close" | "reset";
}

function rig(
  mode: StreamFailure = "surface",
  held: readonly Chunk[] = [],
  { edit, brokenEnd = "close", stopBefore, type = "" }: Differs = {},
): Rig {
  const bugs: unknown[] = [];
  const clock = new SimClock();
  const ends: Rig["ends"] = [];
  const state = { aborted: false, pulled: 0 };
  let upstream!: ReadableStreamDefaultController<Chunk>;
  const source = new ReadableStream<Chunk>(
    {
      start(controller) {
        upstream = controller;
      },
      pull() {
        state.pulled++;
      },
    },
    { highWaterMark: 0 },
  );
  let chunkNumber = 0;
  const tap = pointTap();
  for (const chunk of held) tap.feed(chunk);
  const sink = new SimSink();
  const relaying = relay(
    {
      kind: "stream",
      lane: {} as Lane<Placement>,
      status: 200,
      headers: { "content-type": type },
      attempts: 1,
      firstEventAt: 0,
      held: [...held],
      reader: source.getReader(),
      tap,
      edit,
      translation: undefined,
      call: {
        abort() {
          state.aborted = true;
        },
      },
    },
    sink,
    {
      clock,
      stallMs: STALL_MS,
      totalMs: 3_600_000,
      brokenEnd,
      heartbeatMs: HEARTBEAT_MS,
      clientStallMs: CLIENT_STALL_MS,
      streamFailure: mode,
      heartbeat: bytes("~"),
      owner: {
        writeError: ({ mode: shown, why, atBoundary }) => bytes(`!${shown}/${why}/${atBoundary}`),
        stopBefore: stopBefore && (() => stopBefore(++chunkNumber)),
        bug: (error) => void bugs.push(error),
        passed: () => {},
        done: (ending, byteCount) => void ends.push({ ending, byteCount }),
      },
    },
  );
  sink.onGone(() => relaying.leave());
  const reader = sink.body.getReader();
  reader.closed.catch(() => {}); // Tests that cut the stream look at reads.
  return { clock, ends, reader, upstream, state, bugs, relaying };
}

const bytes = (text: string): Chunk => new TextEncoder().encode(text);
const text = (chunk: Uint8Array | undefined): string => new TextDecoder().decode(chunk);

async function drain(reader: ChunkReader): Promise<string> {
  let all = "";
  for (;;) {
    const read = await reader.read().catch(() => "cut" as const);
    if (read === "cut") return `${all}<cut>`;
    if (read.done) return all;
    all += text(read.value);
  }
}

test("what goes in comes out, byte for byte, for any chunking and any part held back", async () => {
  const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(parts, fc.nat(20), async (given, heldCount) => {
      const chunks = [...given.map((part) => Uint8Array.from(part)), bytes("..")];
      const { reader, upstream, ends } = rig("surface", chunks.slice(0, heldCount));
      const got: number[] = [];
      for (const chunk of chunks.slice(heldCount)) upstream.enqueue(chunk);
      upstream.close();
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        got.push(...read.value);
      }
      const sent = chunks.flatMap((chunk) => [...chunk]);
      expect(got).toEqual(sent);
      expect(ends).toEqual([{ ending: { kind: "completed" }, byteCount: sent.length }]);
    }),
  );
});

test("a chunk reaches the client before the upstream is asked for the next", async () => {
  const { reader, upstream, state } = rig();
  const first = reader.read();
  await microtasks();
  expect(state.pulled).toBe(1);
  upstream.enqueue(bytes("ab"));
  expect(text((await first).value)).toBe("ab");
  await microtasks();
  expect(state.pulled).toBe(1);
});

test("a client that leaves aborts the upstream and ends once", async () => {
  const { reader, upstream, state, ends, clock } = rig();
  upstream.enqueue(bytes("ab"));
  await reader.read();
  await reader.cancel();
  expect(state.aborted).toBe(true);
  expect(ends).toEqual([{ ending: { kind: "client_gone" }, byteCount: 2 }]);
  expect(clock.armed).toBe(0);
});

test("a bug in what changes a stream breaks it off, and is told to somebody", async () => {
  const bug = new TypeError("a bug of ours");
  const edit: StreamEdit = {
    feed() {
      throw bug;
    },
    end: () => new Uint8Array(),
  };
  const { reader, upstream, ends, bugs, state, clock } = rig("surface", [], { edit });
  upstream.enqueue(bytes("ab"));
  expect(await drain(reader)).toBe("!surface/truncated/true");
  expect(ends.map(({ ending }) => ending.kind)).toEqual(["truncated"]);
  expect([bugs, state.aborted, clock.armed]).toEqual([[bug], true, 0]);
});

test("where an SDK notices nothing but a reset, a broken stream ends with its error and a cut", async () => {
  const { reader, upstream } = rig("surface", [], { brokenEnd: "reset" });
  upstream.enqueue(bytes("ab"));
  upstream.close();
  expect(await drain(reader)).toBe("ab!surface/truncated/true<cut>");
});

test("an upstream that ends without its end mark is cut off, not finished", async () => {
  const { reader, upstream, ends } = rig();
  upstream.enqueue(bytes("ab"));
  upstream.close();
  expect(await drain(reader)).toBe("ab!surface/truncated/true");
  expect(ends.map(({ ending }) => ending.kind)).toEqual(["truncated"]);
});

test("a reset says whether the last event was left open", async () => {
  const { reader, upstream } = rig("graceful");
  upstream.enqueue(bytes("abc"));
  const all = drain(reader);
  await microtasks();
  upstream.error(new Error("reset"));
  expect(await all).toBe("abc!graceful/truncated/false");
});

test("in abort mode a broken stream is a cut connection", async () => {
  const { reader, upstream } = rig("abort");
  upstream.enqueue(bytes("ab"));
  upstream.close();
  expect(await drain(reader)).toBe("ab<cut>");
});

test("a reset after the end mark is a normal end", async () => {
  const { reader, upstream, ends } = rig();
  upstream.enqueue(bytes("a."));
  const all = drain(reader);
  await microtasks();
  upstream.error(new Error("reset"));
  expect(await all).toBe("a.");
  expect(ends.map(({ ending }) => ending.kind)).toEqual(["completed"]);
});

test("a finished stream whose connection stays open is ended for it", async () => {
  const { reader, upstream, clock, ends, state } = rig();
  upstream.enqueue(bytes("a."));
  const all = drain(reader);
  await clock.advance(3000);
  expect(await all).toBe("a.");
  expect(state.aborted).toBe(true);
  expect(ends.map(({ ending }) => ending.kind)).toEqual(["completed"]);
});

test("a silent upstream ends as stalled, at the limit and not before", async () => {
  const { reader, clock, ends, state } = rig();
  const all = drain(reader);
  await clock.advance(STALL_MS - 1);
  expect(ends).toEqual([]);
  await clock.advance(1);
  expect(await all).toEndWith("!surface/timeout/true");
  expect(ends).toEqual([{ ending: { kind: "timeout", phase: "stall" }, byteCount: 0 }]);
  expect(state.aborted).toBe(true);
});

describe("a rule about its key ends a stream", () => {
  test("with the rest of the event that is open, and no more", async () => {
    const stopBefore = (number: number) => (number === 2 ? "budget_exceeded" : undefined);
    const { reader, upstream, ends } = rig("surface", [], { stopBefore, type: SSE });
    upstream.enqueue(bytes("data: a"));
    upstream.enqueue(bytes("bc\n\ndata: de\n\n"));
    expect(await drain(reader)).toBe("data: abc\n\n!surface/budget_exceeded/true");
    expect(ends.map(({ byteCount }) => byteCount)).toEqual([11]);
  });

  test("before the chunk that breaks it, at the boundary of what the client was given", async () => {
    const stopBefore = (number: number) => (number === 3 ? "budget_exceeded" : undefined);
    for (const [given, atBoundary] of [
      ["ab", true],
      ["abc", false],
    ] as const) {
      const { reader, upstream, ends, state, clock } = rig("surface", [], { stopBefore });
      for (const chunk of [given, "de", "f"]) upstream.enqueue(bytes(chunk));
      expect(await drain(reader)).toBe(`${given}de!surface/budget_exceeded/${atBoundary}`);
      expect(ends).toEqual([
        { ending: { kind: "stopped", why: "budget_exceeded" }, byteCount: given.length + 2 },
      ]);
      expect([state.aborted, clock.armed]).toEqual([true, 0]);
    }
  });

  test("with the rest of the event that is open when its key ends, or without when told again", async () => {
    for (const comes of [true, false]) {
      const { reader, upstream, relaying, ends } = rig("surface", [], { type: SSE });
      upstream.enqueue(bytes("data: a"));
      const all = drain(reader);
      await microtasks();
      relaying.stop("key_revoked");
      await microtasks();
      expect(ends).toEqual([]);
      if (comes) upstream.enqueue(bytes("b\n\ndata: c\n\n"));
      else relaying.stop("key_revoked");
      const end = (atBoundary: boolean) => `!surface/key_revoked/${atBoundary}`;
      expect(await all).toBe(comes ? `data: ab\n\n${end(true)}` : `data: a${end(false)}`);
      expect(ends.map(({ ending }) => ending.kind)).toEqual(["stopped"]);
    }
  });

  test("at once, while the upstream is silent; and never after its end", async () => {
    const { reader, upstream, ends, relaying } = rig();
    upstream.enqueue(bytes("ab"));
    const all = drain(reader);
    await microtasks();
    relaying.stop("key_revoked");
    relaying.stop("key_revoked");
    relaying.leave();
    expect(await all).toBe("ab!surface/key_revoked/true");
    expect(ends).toEqual([{ ending: { kind: "stopped", why: "key_revoked" }, byteCount: 2 }]);
  });
});

describe("heartbeats", () => {
  test("fill silence between events, once per interval, and are not counted as delivered", async () => {
    const { reader, upstream, clock, ends } = rig();
    upstream.enqueue(bytes("ab"));
    const all = drain(reader);
    await clock.advance(HEARTBEAT_MS * 3 + 1);
    upstream.enqueue(bytes(".."));
    upstream.close();
    expect(await all).toBe("ab~~~..");
    expect(ends).toEqual([{ ending: { kind: "completed" }, byteCount: 4 }]);
  });
  test("never stand inside an event", async () => {
    const { reader, upstream, clock } = rig();
    upstream.enqueue(bytes("abc"));
    const all = drain(reader);
    await clock.advance(HEARTBEAT_MS * 4);
    upstream.enqueue(bytes("d.."));
    upstream.close();
    expect(await all).toBe("abcd..");
  });
  test("are not piled up for a client that does not read", async () => {
    const { reader, upstream, clock } = rig();
    upstream.enqueue(bytes("ab"));
    await reader.read();
    await clock.advance(HEARTBEAT_MS * 3);
    const all = drain(reader);
    await microtasks();
    upstream.enqueue(bytes(".."));
    upstream.close();
    expect(await all).toBe("..");
  });
});

test("a slow client is not a stalled upstream", async () => {
  const { reader, upstream, clock, ends } = rig();
  upstream.enqueue(bytes("ab"));
  await reader.read();
  await clock.advance(CLIENT_STALL_MS - 1);
  upstream.enqueue(bytes(".."));
  expect(text((await reader.read()).value)).toBe("..");
  expect(ends).toEqual([]);
});

test("a client that takes nothing for too long is cut", async () => {
  const { reader, upstream, clock, ends, state } = rig();
  upstream.enqueue(bytes("ab"));
  await reader.read();
  await clock.advance(CLIENT_STALL_MS);
  expect(await drain(reader)).toBe("<cut>");
  expect(ends.map(({ ending }) => ending.kind)).toEqual(["client_stalled"]);
  expect(state.aborted).toBe(true);
});

test("whatever the order of events, a stream ends exactly once and nothing escapes", async () => {
  const action = fc.constantFrom(
    "read",
    "chunk",
    "mark",
    "silence",
    "finish",
    "fail",
    "stop",
    "leave",
  );
  const escaped: unknown[] = [];
  const note = (reason: unknown): void => void escaped.push(reason);
  process.on("unhandledRejection", note);
  const mode = fc.constantFrom<StreamFailure>("surface", "graceful", "abort");
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 14 }), mode, async (actions, failure) => {
      const { reader, upstream, clock, ends, relaying } = rig(failure);
      let open = true;
      for (const act of [...actions, "leave"]) {
        if (act === "read") reader.read().catch(() => {}); // A cut is one of the outcomes.
        if (act === "chunk" && open) upstream.enqueue(bytes("x"));
        if (act === "mark" && open) upstream.enqueue(bytes("."));
        if (act === "finish" && open) upstream.close();
        if (act === "fail" && open) upstream.error(new Error("reset"));
        if (act === "stop") relaying.stop("key_revoked");
        if (act === "finish" || act === "fail") open = false;
        if (act === "silence") await clock.advance(40_000);
        if (act === "leave") reader.cancel().catch(() => {}); // It may be cut already.
        await clock.advance(0);
        if (ends.length > 0) open = false;
      }
      expect(ends.length).toBe(1);
      expect(clock.armed).toBe(0);
    }),
    { numRuns: 2000 },
  );
  process.off("unhandledRejection", note);
  expect(escaped).toEqual([]);
});
