import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import type { Chunk } from "../../src/core/units.ts";
import {
  encodeFrame,
  type EventStreamHeader,
  type HeaderValue,
  readHeaders,
} from "../../src/wire/event-stream-frame.ts";
import { EventStreamScanner } from "../../src/wire/event-stream.ts";
import { fixture, haveRecordings, NO_RECORDINGS } from "../faultd/recordings.ts";

interface Seen {
  readonly headers: readonly EventStreamHeader[] | undefined;
  readonly payload: Chunk;
}

const bytesOf = (path: string): Chunk => new Uint8Array(readFileSync(fixture(path)));
const bytewise = (body: Chunk): Chunk[] => Array.from(body, (_, at) => body.slice(at, at + 1));
const joined = (chunks: readonly Uint8Array[]): Chunk => new Uint8Array(Buffer.concat(chunks));

/** Each chunk is overwritten once it was fed: a frame that outlived its call would show it. */
function scan(chunks: readonly Chunk[], frameBytesMax?: number) {
  const seen: Seen[] = [];
  const scanner = new EventStreamScanner({
    ...(frameBytesMax !== undefined && { frameBytesMax }),
    onFrame(frame) {
      const payload = new Uint8Array(frame.bytes.slice(frame.payload, frame.end));
      seen.push({ headers: readHeaders(frame), payload });
    },
  });
  for (const chunk of chunks) {
    const own = chunk.slice();
    scanner.feed(own);
    own.fill(0x7b);
  }
  return { seen, fault: scanner.fault, atBoundary: scanner.atBoundary };
}
const encoded = (seen: readonly Seen[]): Chunk =>
  joined(seen.map(({ headers, payload }) => encodeFrame(headers ?? [], payload)));

function cut(body: Chunk, points: readonly number[]): Chunk[] {
  const ends = [...points.map((point) => Math.floor(point * body.length)), body.length];
  let at = 0;
  return ends.sort((a, b) => a - b).map((end) => body.slice(at, (at = end)));
}
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), {
  maxLength: 20,
});

const name = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.isWellFormed());
const bytes = fc.uint8Array({ maxLength: 40 });
const value: fc.Arbitrary<HeaderValue> = fc.oneof(
  fc.record({ type: fc.constant("boolean" as const), value: fc.boolean() }),
  fc.record({ type: fc.constant("byte" as const), value: fc.integer({ min: -128, max: 127 }) }),
  fc.record({ type: fc.constant("short" as const), value: fc.integer({ min: -9, max: 32767 }) }),
  fc.record({ type: fc.constant("integer" as const), value: fc.integer() }),
  fc.record({
    type: fc.constantFrom("long" as const, "timestamp" as const),
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  }),
  fc.record({ type: fc.constant("binary" as const), value: bytes }),
  fc.record({
    type: fc.constant("uuid" as const),
    value: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  }),
  fc.record({ type: fc.constant("string" as const), value: fc.string({ unit: "binary" }) }),
);
const header = fc
  .tuple(name, value)
  .map(([said, rest]): EventStreamHeader => ({ name: said, ...rest }));
const message = fc.record({ headers: fc.array(header, { maxLength: 5 }), payload: bytes });

describe.skipIf(!haveRecordings)(`vectors ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const TYPES = "boolean boolean byte short integer long binary string timestamp uuid".split(" ");
  const plain = ({ type, value: said }: EventStreamHeader): unknown => {
    if (typeof said === "bigint") return Number(said);
    if (type === "string") return Buffer.from(said).toString("base64");
    return said instanceof Uint8Array ? Buffer.from(said).toString("base64") : said;
  };

  for (const vector of readdirSync(fixture("eventstream/encoded/positive"))) {
    test(`${vector} is read as Smithy reads it, and written as it came`, () => {
      const body = bytesOf(`eventstream/encoded/positive/${vector}`);
      const wanted = JSON.parse(
        readFileSync(fixture(`eventstream/decoded/positive/${vector}`), "utf8"),
      );
      const { seen, fault, atBoundary } = scan([body]);
      expect({ fault, atBoundary, count: seen.length }).toEqual({
        fault: undefined,
        atBoundary: true,
        count: 1,
      });
      const headers = seen[0]!.headers!;
      expect(headers.map((said) => [said.name, said.type, plain(said)])).toEqual(
        wanted.headers.map((said: { name: string; type: number; value: unknown }) => [
          said.name,
          TYPES[said.type],
          said.value,
        ]),
      );
      expect(Buffer.from(seen[0]!.payload).toString("base64")).toBe(wanted.payload);
      expect(encoded(seen)).toEqual(body);
    });
  }

  for (const vector of readdirSync(fixture("eventstream/encoded/negative"))) {
    test(`${vector} is a fault, as Smithy has it`, () => {
      const said = readFileSync(fixture(`eventstream/decoded/negative/${vector}`), "utf8");
      const { seen, fault } = scan([bytesOf(`eventstream/encoded/negative/${vector}`)]);
      expect(seen).toEqual([]);
      expect(fault).toBe(said.startsWith("Prelude") ? "prelude" : "checksum");
    });
  }

  test("Bedrock's exception frames are read as recorded, and written as they came", () => {
    const frames: { headers: Record<string, string>; payload: unknown; hex: string }[] = JSON.parse(
      readFileSync(fixture("eventstream-bedrock/exceptions.json"), "utf8"),
    );
    expect(frames).toHaveLength(9);
    for (const frame of frames) {
      const body = new Uint8Array(Buffer.from(frame.hex, "hex"));
      const { seen, fault } = scan([body]);
      expect(fault).toBeUndefined();
      const [{ headers, payload } = { headers: [], payload: new Uint8Array() }] = seen;
      const read = Object.fromEntries(headers!.map((said) => [said.name, said.value]));
      expect(read).toEqual(frame.headers);
      const text = new TextDecoder().decode(payload);
      expect(text === "" ? "" : JSON.parse(text)).toEqual(frame.payload);
      expect(encoded(seen)).toEqual(body);
    }
  });

  for (const folder of ["bedrock-converse", "bedrock-invoke"]) {
    for (const file of readdirSync(fixture(folder)).filter((path) => path.endsWith(".bin"))) {
      test(`${folder} ${file} comes out as it went in, whole and by the byte`, () => {
        const body = bytesOf(`${folder}/${file}`);
        const lines = readFileSync(fixture(`${folder}/${file.replace(/bin$/, "txt")}`), "utf8");
        const whole = scan([body]);
        expect({ fault: whole.fault, atBoundary: whole.atBoundary }).toEqual({
          fault: undefined,
          atBoundary: true,
        });
        const recorded = lines.trim().split("\n");
        expect(
          whole.seen.map(({ payload }) => JSON.parse(new TextDecoder().decode(payload))),
        ).toEqual(recorded.map((line) => JSON.parse(line).payload));
        expect(encoded(whole.seen)).toEqual(body);
        expect(scan(bytewise(body))).toEqual(whole);
      });
    }
  }
});

describe("any message", () => {
  test("comes back as it was written, however it was cut", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), cuts, (messages, points) => {
        const body = joined(messages.map(({ headers, payload }) => encodeFrame(headers, payload)));
        const { seen, fault, atBoundary } = scan(cut(body, points));
        expect({ fault, atBoundary }).toEqual({ fault: undefined, atBoundary: true });
        expect(seen).toEqual(
          messages.map(({ headers, payload }) => ({ headers, payload: new Uint8Array(payload) })),
        );
      }),
    );
  });

  test("is refused with any of its bits turned, at every place", () => {
    const sample = { type: "string", value: "contentBlockDelta" } as const;
    const payload = new TextEncoder().encode('{"contentBlockIndex":0,"delta":{"text":"hi"}}');
    const body = encodeFrame([{ name: ":event-type", ...sample }], payload);
    for (let bit = 0; bit < body.length * 8; bit++) {
      const turned = body.slice();
      turned[bit >> 3]! ^= 1 << (bit & 7);
      const { seen, fault } = scan([turned, body]);
      expect([bit, seen, fault === undefined]).toEqual([bit, [], false]);
    }
  });

  test("is refused with any stretch of up to 32 bits turned", () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 1 }), ({ headers, payload }, at, mask) => {
        const body = encodeFrame(headers, payload);
        const from = at % (body.length - 3);
        for (const shift of [0, 8, 16, 24]) body[from + shift / 8]! ^= (mask >>> shift) & 0xff;
        const { seen, fault } = scan([body]);
        expect(seen).toEqual([]);
        expect(fault).toBeDefined();
      }),
    );
  });

  test("that was cut is neither seen nor a fault, and no place for other bytes", () => {
    const body = encodeFrame([], new Uint8Array(9));
    for (let end = 1; end < body.length; end++) {
      expect(scan([body.slice(0, end)])).toEqual({
        seen: [],
        fault: undefined,
        atBoundary: false,
      });
    }
  });
});

describe("hostile bytes", () => {
  /** A prelude whose checksum is right, whatever it says. */
  function prelude(size: number, headersBytes: number): Chunk {
    const said = new Uint8Array(16);
    const view = new DataView(said.buffer);
    view.setUint32(0, size);
    view.setUint32(4, headersBytes);
    view.setUint32(8, Bun.hash.crc32(said.subarray(0, 8)));
    return said;
  }

  test.each([
    ["shorter than a message can be", 15, 0],
    ["of no length", 0, 0],
    ["longer than 16 MiB", (1 << 24) + 1, 0],
    ["of all ones", 0xffffffff, 0xffffffff],
    ["whose headers are longer than itself", 20, 5],
  ])("a message %s is a fault", (_, size, headersBytes) => {
    expect(scan([prelude(size, headersBytes)]).fault).toBe("length");
    expect(scan(bytewise(prelude(size, headersBytes))).fault).toBe("length");
  });

  test("a message of 16 MiB is not, and one larger than a cap of ours is", () => {
    expect(scan([prelude(1 << 24, 0)]).fault).toBeUndefined();
    expect(scan([encodeFrame([], new Uint8Array(100))], 115).fault).toBe("length");
    expect(scan([encodeFrame([], new Uint8Array(100))], 116).seen).toHaveLength(1);
  });

  test("any bytes are read without a throw, the same in any chunks", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), cuts, (said, points) => {
        const body = new Uint8Array(said);
        expect(scan(cut(body, points))).toEqual(scan([body]));
      }),
    );
  });

  test("headers that do not fill their place are undefined, not an exception", () => {
    const broken = [
      Uint8Array.of(0),
      Uint8Array.of(1),
      Uint8Array.of(1, 0x61),
      Uint8Array.of(0, 0),
      Uint8Array.of(1, 0x61, 10),
      Uint8Array.of(1, 0x61, 5, 0),
      Uint8Array.of(1, 0x61, 7, 0, 9, 0x61),
      Uint8Array.of(1, 0xff, 0),
      Uint8Array.of(1, 0x61, 7, 0, 1, 0xff),
      Uint8Array.of(1, 0x61, 9, 0),
    ];
    for (const bytesOfHeaders of broken) {
      const frame = { bytes: bytesOfHeaders, start: 0, payload: bytesOfHeaders.length };
      expect(readHeaders({ ...frame, end: bytesOfHeaders.length })).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (said) => {
        readHeaders({ bytes: said, start: 0, payload: said.length, end: said.length });
      }),
    );
  });

  test("nothing behind a fault is read", () => {
    const good = encodeFrame([], new Uint8Array(3));
    const bad = good.slice();
    bad[13]! ^= 1;
    expect(scan([joined([good, bad, good])])).toMatchObject({ fault: "checksum" });
    expect(scan([good, bad, good]).seen).toHaveLength(1);
  });
});
