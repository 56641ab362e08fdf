import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { Chunk } from "../../src/core/units.ts";
import { frameText, type SseFrame } from "../../src/wire/sse-block.ts";
import { parseSse, SseScanner } from "../../src/wire/sse.ts";
import { fixture, haveRecordings, NO_RECORDINGS } from "../faultd/recordings.ts";

interface Vector {
  readonly name: string;
  readonly chunks?: readonly string[];
  readonly chunksBase64?: readonly string[];
  readonly generate?: {
    readonly prefix: string;
    readonly repeat: string;
    readonly count: number;
    readonly suffix: string;
    readonly chunk: number;
  };
  readonly events: readonly {
    readonly event?: string;
    readonly data?: string;
    readonly id?: string;
    readonly dataLength?: number;
  }[];
}

interface Seen {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

const utf8 = (text: string): Chunk => new TextEncoder().encode(text);
const joined = (chunks: readonly Chunk[]): Chunk => new Uint8Array(Buffer.concat(chunks));
const bytewise = (body: Chunk): Chunk[] => Array.from(body, (_, at) => body.slice(at, at + 1));
const seenOf = (frame: SseFrame): Seen => ({
  event: frame.event,
  data: frameText(frame),
  id: frame.id,
});

/** Cut points anywhere in a body, as chunks; some of them empty. */
function cut(body: Chunk, points: readonly number[]): Chunk[] {
  const ends = [...points.map((point) => Math.floor(point * body.length)), body.length];
  let at = 0;
  return ends.sort((a, b) => a - b).map((end) => body.slice(at, (at = end)));
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), {
  maxLength: 20,
});

/** Each chunk is overwritten once it was fed: a frame that outlived its call would show it. */
function scan(chunks: readonly Chunk[], eventBytesMax?: number) {
  const frames: (SseFrame & { readonly text: string })[] = [];
  const events: Seen[] = [];
  const scanner = new SseScanner({
    ...(eventBytesMax !== undefined && { eventBytesMax }),
    onFrame(frame) {
      frames.push({ ...frame, text: frameText(frame) });
      if (!frame.oversize && frame.terminated) events.push(seenOf(frame));
    },
  });
  for (const chunk of chunks) {
    const own = chunk.slice();
    scanner.feed(own);
    own.fill(0x0a);
  }
  return { frames, events, scanner };
}

/** WHATWG HTML §9.2.6 to the letter, on a decoded string: slow, and nothing of ours in it. */
function byTheBook(body: Chunk): Seen[] {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body).replace(/^\ufeff/, "");
  const ended = /(\r\n|\r|\n)$/.test(text);
  const lines = text.split(/\r\n|\r|\n/);
  const events: Seen[] = [];
  let data: string[] = [];
  let event = "";
  let id: string | undefined;
  for (const line of ended ? lines.slice(0, -1) : lines) {
    if (line === "") {
      if (data.length > 0) events.push({ event, data: data.join("\n"), id });
      data = [];
      event = "";
      id = undefined;
      continue;
    }
    const [, name, value] = /^([^:]*)(?:: ?)?([^]*)$/.exec(line)!;
    if (name === "data") data.push(value!);
    if (name === "event") event = value!;
    if (name === "id" && !value!.includes("\0")) id = value;
  }
  return events;
}

describe.skipIf(!haveRecordings)(`vectors ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const path = fixture("sse/vectors.json");
  const vectors: Vector[] = haveRecordings ? JSON.parse(readFileSync(path, "utf8")).vectors : [];

  test("there are thirty of them", () => expect(vectors).toHaveLength(30));

  for (const vector of vectors) {
    const chunks = chunksOf(vector);
    const whole = joined(chunks);
    const expectSame = (events: readonly Seen[]) =>
      expect(events.map((event, at) => shapeOf(event, vector.events[at]))).toEqual([
        ...vector.events,
      ]);
    test(`${vector.name}, as given`, () => expectSame(scan(chunks).events));
    test(`${vector.name}, whole`, () => expectSame(scan([whole]).events));
    test(`${vector.name}, as a body`, () => expectSame(parseSse(whole)));
    test(`${vector.name}, by the byte`, () => expectSame(scan(bytewise(whole)).events));
    test(`${vector.name}, cut anywhere`, () => {
      const numRuns = whole.length > 10_000 ? 5 : 100;
      fc.assert(
        fc.property(cuts, (points) => expectSame(scan(cut(whole, points)).events)),
        { numRuns },
      );
    });
  }
});

function chunksOf({ chunks, chunksBase64, generate }: Vector): Chunk[] {
  if (chunksBase64) return chunksBase64.map((text) => new Uint8Array(Buffer.from(text, "base64")));
  if (chunks) return chunks.map(utf8);
  const { prefix, repeat, count, suffix, chunk } = generate!;
  const body = utf8(prefix + repeat.repeat(count) + suffix);
  return Array.from({ length: Math.ceil(body.length / chunk) }, (_, at) =>
    body.slice(at * chunk, (at + 1) * chunk),
  );
}

/** An event, written as the vectors write theirs. */
function shapeOf({ event, data, id }: Seen, like: Vector["events"][number] | undefined) {
  if (like?.dataLength !== undefined) return { dataLength: data.length };
  return { ...(event !== "" && { event }), data, ...(id !== undefined && { id }) };
}

// Streams made of what has a meaning in one, so that every rule meets every other.
const stream = fc
  .array(
    fc.oneof(
      fc.constantFrom("\n", "\r", "\r\n", "\n\n", ":", " ", "\ufeff", "\0", "é", "{}"),
      fc.constantFrom("data", "data:", "data: ", "event: x", "id: 1", "retry: 5", "id:\0"),
      fc.constantFrom("data: a\n\n", "event: error\ndata: b\r\n\r\n", ": ping\r\r", "dat"),
    ),
    { maxLength: 30 },
  )
  .map((parts) => utf8(parts.join("")));

test("any stream, cut anywhere, gives the events the specification gives", () => {
  fc.assert(
    fc.property(stream, cuts, (body, points) => {
      expect(scan(cut(body, points)).events).toEqual(byTheBook(body));
    }),
    { numRuns: 1000 },
  );
});

test("any bytes at all, cut anywhere, give the events the specification gives", () => {
  const noise = fc
    .array(fc.oneof(fc.constantFrom(10, 13, 58, 32, 0xef, 0xbb, 0xbf), fc.nat(255)), {
      maxLength: 200,
    })
    .map((bytes) => Uint8Array.from([...utf8("data:"), ...bytes]));
  fc.assert(
    fc.property(noise, cuts, (body, points) => {
      expect(scan(cut(body, points)).events).toEqual(byTheBook(body));
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["\ufeffdata: a\n\n", ["a"]],
  ["\n\ufeffdata: a\n\n", []],
  ["\ufeff\ufeffdata: a\n\n", []],
  ["data: \ufeffa\n\n", ["\ufeffa"]],
])("a byte order mark is one only where the stream begins: %j", (text, expected) => {
  expect(scan([utf8(text)]).events.map(({ data }) => data)).toEqual([...expected]);
  expect(scan(bytewise(utf8(text))).events.map(({ data }) => data)).toEqual([...expected]);
});

test("at a boundary, an event of another origin may stand and no event is lost or changed", () => {
  const ours = utf8(": keep-alive\n\ndata: ours\n\n");
  fc.assert(
    fc.property(stream, (body) => {
      const scanner = new SseScanner({ onFrame: () => {} });
      for (let at = 1; at <= body.length; at++) {
        scanner.feed(body.slice(at - 1, at));
        if (!scanner.atBoundary) continue;
        const before = byTheBook(body.slice(0, at));
        const after = byTheBook(body).slice(before.length);
        const mixed = joined([body.slice(0, at), ours, body.slice(at)]);
        const inserted = { event: "", data: "ours", id: undefined };
        expect(byTheBook(mixed)).toEqual([...before, inserted, ...after]);
      }
    }),
  );
});

test.each([
  ["", true],
  ["data: a\n\n", true],
  ["data: a\r\r", true],
  ["data: a\r\n\r\n", true],
  [": ping\n\n", true],
  ["\n", true],
  ["d", false],
  ["data: a", false],
  ["data: a\n", false],
  ["data: a\r\n", false],
  ["data: a\r\n\r", false],
  [": ping\n", false],
])("%j stops at a boundary: %p", (text, expected) => {
  expect(scan([utf8(text)]).scanner.atBoundary).toBe(expected);
  expect(scan(bytewise(utf8(text))).scanner.atBoundary).toBe(expected);
});

describe("an event over the cap", () => {
  const long = `data: ${"x".repeat(64)}`;
  const sizes = (chunks: Chunk[], cap: number) =>
    scan(chunks, cap).frames.map((frame) => (frame.oversize ? "oversize" : frame.text));

  test.each([["\n"], ["\r"], ["\r\n"]])(
    "is reported once, and the next one is whole: %j",
    (eol) => {
      const body = utf8(`${long}${eol}${eol}data: next${eol}${eol}`);
      fc.assert(
        fc.property(cuts, (points) => {
          expect(sizes(cut(body, points), 40)).toEqual(["oversize", "next"]);
        }),
      );
    },
  );

  test("is over it by what all its lines hold together", () => {
    const body = utf8("data: 1\ndata: 2\ndata: 3\n\ndata: 4\n\n");
    fc.assert(
      fc.property(cuts, (points) => {
        expect(sizes(cut(body, points), 23)).toEqual(["oversize", "4"]);
        expect(sizes(cut(body, points), 24)).toEqual(["1\n2\n3", "4"]);
      }),
    );
  });

  test("costs no memory, however long it goes on", () => {
    const scanner = new SseScanner({ onFrame: () => {} });
    const chunk = utf8("x".repeat(1 << 20));
    scanner.feed(utf8("data: "));
    const before = process.memoryUsage().arrayBuffers;
    for (let mib = 0; mib < 64; mib++) scanner.feed(chunk);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 << 20);
    expect(scanner.atBoundary).toBe(false);
  });
});

describe("the end of the transport", () => {
  const leftOf = (text: string) => {
    const { frames, scanner } = scan([utf8(text)]);
    const known = frames.length;
    scanner.end();
    return frames.slice(known).map(({ text, terminated }) => ({ text, terminated }));
  };
  test.each([
    ["data: a\n\ndata: [DONE]", "[DONE]"],
    ["data: [DONE]\n", "[DONE]"],
    ["data: a\ndata: b", "a\nb"],
    ["data: a\r\n", "a"],
  ])("reports what stands behind the last blank line of %j, as cut", (text, data) => {
    expect(leftOf(text)).toEqual([{ text: data, terminated: false }]);
  });
  test.each([[""], ["data: a\n\n"], [": ping"], ["\n"], ["dat"]])("adds nothing to %j", (text) => {
    expect(leftOf(text)).toEqual([]);
  });
});

test("a hostile stream costs time in proportion to its length", () => {
  // Quadratic work on 2 MiB would be minutes, so the default time limit is the assertion.
  for (const unit of ["\r", "\n", "data: a\r\r", "a\r", ":\n", "data\n", "data: a\n\n", "x"]) {
    const body = utf8(unit.repeat((1 << 21) / unit.length));
    scan([body]);
    scan(
      cut(
        body,
        Array.from({ length: 512 }, (_, at) => at / 512),
      ),
    );
  }
});
