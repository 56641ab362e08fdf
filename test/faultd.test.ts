import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { startFaultd } from "./faultd/faultd.ts";
import { eventEnds, pieceEnds } from "./faultd/pieces.ts";
import { postBytes, rawConnect } from "./faultd/raw-client.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf, replay } from "./faultd/recordings.ts";
import { RequestReader } from "./faultd/request-reader.ts";
import { eventStream, gate, json, redirect } from "./faultd/script.ts";
import type { Chunking, CutKind, Framing, Script } from "./faultd/script.ts";

const BODY = 'data: {"n":1}\n\ndata: {"n":2}\r\n\r\ndata: [DONE]\n\n';
const FRAMINGS = ["content-length", "chunked", "close"] as const satisfies readonly Framing[];
const CHUNKINGS: readonly Chunking[] = ["whole", "byte", "event", { seed: 7, max: 9 }];

/** Node's own client: another HTTP implementation than the one faultd is written with. */
const NODE_CLIENT = `
const http = require("node:http");
const request = http.request(process.argv[1], { method: "POST", agent: false }, (answer) => {
  const parts = [];
  const tell = (end) => {
    console.log(JSON.stringify({
      status: answer.statusCode, end, body: Buffer.concat(parts).toString("latin1") }));
    process.exit(0);
  };
  answer.on("data", (part) => parts.push(part));
  answer.on("end", () => tell("whole")).on("error", (error) => tell(error.code));
});
request.on("error", (error) => {
  console.log(JSON.stringify({ end: error.code }));
  process.exit(0);
});
request.end("{}");
`;

interface Seen {
  readonly status?: number;
  readonly end: string;
  readonly body?: string;
}

async function throughNode(script: Script): Promise<Seen> {
  using faultd = startFaultd(() => script);
  const node = Bun.spawn(["node", "-e", NODE_CLIENT, faultd.origin], { stderr: "inherit" });
  return JSON.parse(await node.stdout.text());
}

describe("an answer without a fault", () => {
  for (const framing of FRAMINGS) {
    for (const chunking of CHUNKINGS) {
      test(`is whole for Node's client: ${framing}, ${JSON.stringify(chunking)}`, async () => {
        const seen = await throughNode(eventStream(BODY, { framing, chunking }));
        expect(seen).toEqual({ status: 200, end: "whole", body: BODY });
      });
    }
  }
});

describe("a cut", () => {
  const cases: readonly (readonly [Framing, CutKind, string])[] = [
    ["content-length", "fin", "ECONNRESET"],
    ["content-length", "garbage", "ECONNRESET"],
    ["chunked", "fin", "ECONNRESET"],
    ["chunked", "rst", "ECONNRESET"],
    ["chunked", "garbage", "HPE_INVALID_CHUNK_SIZE"],
    ["close", "fin", "whole"],
  ];
  for (const [framing, how, end] of cases) {
    test(`by ${how} in a ${framing} body is ${end} for Node's client`, async () => {
      const seen = await throughNode(eventStream(BODY, { framing, cut: { at: 20, how } }));
      expect(seen.end).toBe(end);
      if (how !== "garbage") expect(BODY.slice(0, 20)).toStartWith(seen.body ?? "");
    });
  }

  test("sends exactly the bytes before it, at every offset and for every chunking", async () => {
    const at = { at: fc.nat(BODY.length), chunking: fc.constantFrom(...CHUNKINGS) };
    await fc.assert(
      fc.asyncProperty(fc.record(at), async ({ at, chunking }) => {
        const cut = { at, how: "fin" } as const;
        using faultd = startFaultd(() => eventStream(BODY, { framing: "close", chunking, cut }));
        using client = await rawConnect(faultd.port);
        await client.send(postBytes("/", "{}"));
        expect(await client.ended).toBe("fin");
        expect(client.text.split("\r\n\r\n").slice(1).join("\r\n\r\n")).toBe(BODY.slice(0, at));
        expect(faultd.exchanges[0]?.bodySent).toBe(at);
      }),
      { numRuns: 60 },
    );
  });

  test("by rst is a reset on the wire, also before the head", async () => {
    using faultd = startFaultd(() => ({ raw: "", then: "rst" }));
    using client = await rawConnect(faultd.port);
    await client.send(postBytes("/", "{}"));
    expect(await client.ended).toBe("rst");
    expect(client.text).toBe("");
  });

  test("by stall stays open until the peer leaves, and says that it left", async () => {
    using faultd = startFaultd(() => eventStream(BODY, { cut: { at: 3, how: "stall" } }));
    using client = await rawConnect(faultd.port);
    await client.send(postBytes("/", "{}"));
    await client.until((text) => text.endsWith("dat\r\n"));
    using other = await rawConnect(faultd.port); // A way there and back: time for a wrong FIN.
    await other.send(postBytes("/", "{}"));
    await other.until((text) => text.endsWith("dat\r\n"));
    expect(await Promise.race([client.ended, "open"])).toBe("open");
    expect(faultd.connections[0]?.open).toBeTrue();
    client.leave("fin");
    expect(await (await faultd.exchange(0)).finished).toBe("peer_left");
  });
});

test("a gate holds every later byte until it opens", async () => {
  const [first, second] = [gate(), gate()];
  const gates = new Map([
    [5, first],
    [6, second],
  ]);
  using faultd = startFaultd(() => eventStream(BODY, { framing: "close", gates }));
  using client = await rawConnect(faultd.port);
  await client.send(postBytes("/", "{}"));
  await first.reached;
  expect(faultd.exchanges[0]?.bodySent).toBe(5);
  first.open();
  await second.reached;
  expect(faultd.exchanges[0]?.bodySent).toBe(6);
  second.open();
  await client.ended;
  expect(client.text).toEndWith(BODY);
});

test("a peer that does not read stops the writing", async () => {
  const large = new Uint8Array(64 * 2 ** 20);
  using faultd = startFaultd(() => json(large));
  using client = await rawConnect(faultd.port);
  client.pause();
  await client.send(postBytes("/", "{}"));
  const exchange = await faultd.exchange(0);
  client.leave("rst");
  expect(await exchange.finished).toBe("peer_left");
  expect(exchange.sent).toBeLessThan(large.length);
});

describe("requests", () => {
  const requests = [
    postBytes("/a", '{"one":1}', ["X-Odd:  padded ", "x-odd: twice"]),
    "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    "GET /c HTTP/1.1\r\nHost: h\r\n\r\n",
  ];

  test("are the same however the connection's bytes are cut", () => {
    const bytes = new TextEncoder().encode(requests.join(""));
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 40 }), (seed, max) => {
        const reader = new RequestReader();
        let from = 0;
        const seen = pieceEnds(bytes, { seed, max }).flatMap((to) => {
          const part = bytes.subarray(from, to);
          from = to;
          return reader.feed(part);
        });
        expect(seen.map(({ target, text }) => [target, text])).toEqual([
          ["/a", '{"one":1}'],
          ["/b", "abcde"],
          ["/c", ""],
        ]);
        expect(seen[0]?.headers.slice(2, 4)).toEqual([
          ["X-Odd", "padded"],
          ["x-odd", "twice"],
        ]);
        expect(reader.idle).toBeTrue();
      }),
    );
  });

  test("pipelined on one connection are answered in order, each by its own script", async () => {
    using faultd = startFaultd(({ target }) => json({ target }, { status: 200 }));
    using client = await rawConnect(faultd.port);
    await client.send(requests.join(""));
    const text = await client.until((text) => text.includes('"/c"'));
    expect(text.match(/"\/[abc]"/g)).toEqual(['"/a"', '"/b"', '"/c"']);
    expect(faultd.connections).toHaveLength(1);
  });

  const malformed = [
    ["two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"],
    ["no Host", "GET / HTTP/1.1\r\n\r\n"],
    ["a space before the colon", "GET / HTTP/1.1\r\nHost: h\r\nX : 1\r\n\r\n"],
    ["a bad chunk size", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
  ] as const;
  for (const [what, bytes] of malformed) {
    test(`with ${what} are noted, not answered by a script`, async () => {
      using faultd = startFaultd(() => json({}));
      using client = await rawConnect(faultd.port);
      await client.send(bytes);
      expect(await client.until((text) => text !== "")).toStartWith("HTTP/1.1 400 ");
      expect(faultd.connections[0]?.malformed).toBeString();
      expect(faultd.exchanges).toBeEmpty();
    });
  }

  test("that break off are told from whole ones", async () => {
    using faultd = startFaultd(() => json({}));
    using client = await rawConnect(faultd.port);
    await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabc");
    client.leave("fin");
    using late = await rawConnect(faultd.port);
    await late.send(postBytes("/", "{}"));
    await faultd.exchange(0);
    await faultd.connections[0]?.closed;
    expect(faultd.connections.map(({ brokeOff }) => brokeOff)).toEqual([true, false]);
  });
});

test("a redirect names its target and has no body", async () => {
  const seen = await throughNode(redirect("http://127.0.0.1:9/elsewhere"));
  expect(seen).toEqual({ status: 307, end: "whole", body: "" });
});

test("event ends are found behind LF and CRLF blank lines only", () => {
  expect(eventEnds(new TextEncoder().encode(BODY))).toEqual([15, 32, 46]);
});

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  test("replay byte for byte, streamed and buffered, errors too", async () => {
    const recordings = recordingsOf("openai-chat");
    expect(recordings.length).toBeGreaterThan(100);
    using faultd = startFaultd(({ target }) => {
      const recording = recordings[Number(target.slice(1))];
      return recording === undefined ? { raw: "", then: "rst" } : replay(recording);
    });
    for (const [index, recording] of recordings.entries()) {
      const answer = await fetch(`${faultd.origin}/${index}`, { method: "POST", body: "{}" });
      expect(answer.status).toBe(recording.status);
      expect(Buffer.from(await answer.bytes()).equals(recording.response)).toBeTrue();
    }
  });
});
