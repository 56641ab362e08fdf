import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventStream, json } from "../faultd/script.ts";
import type { Script } from "../faultd/script.ts";
import { type Bench, startBench } from "./bench.ts";
import { chatBody, COMPLETION, NO_LEDGER, SHORT_TIMEOUTS, STREAM } from "./config.ts";

const MEBI = 2 ** 20;
const OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
const SIZED = `Content-Length: ${COMPLETION.length}\r\n\r\n${COMPLETION}`;
const CHUNKED = `Transfer-Encoding: chunked\r\n\r\n${COMPLETION.length.toString(16)}\r\n${COMPLETION}\r\n`;

/** A beginning of the answer that looks like a whole one from both its ends. */
function half(last: string): string {
  return COMPLETION.slice(0, COMPLETION.indexOf(last) + 1);
}

/** A head or a framing no upstream should send; what the client gets, and why that is right. */
const CASES: readonly (readonly [string, Script, number | readonly number[]])[] = [
  ["half a status line", { raw: "HTTP/1.1 20", then: "fin" }, 502],
  ["another protocol's greeting", { raw: "220 mail ESMTP\r\n", then: "fin" }, 502],
  ["binary garbage", { raw: "", then: "garbage" }, 502],
  ["half a header line", { raw: `${OK}Transfer-Enc`, then: "fin" }, 502],
  ["a head and no body", { raw: `${OK}${CHUNKED.slice(0, 28)}`, then: "rst" }, 502],
  ["a chunked body without its last chunk", { raw: OK + CHUNKED, then: "fin" }, 502],
  [
    "a chunked body with a bad size",
    { raw: `${OK}${CHUNKED}ZZ\r\nabc\r\n0\r\n\r\n`, then: "fin" },
    502,
  ],
  [
    "a chunk that stops inside",
    { raw: `${OK}Transfer-Encoding: chunked\r\n\r\n900\r\n${COMPLETION}`, then: "fin" },
    502,
  ],
  [
    "a length longer than the body",
    { raw: `${OK}Content-Length: 9999\r\n\r\n${COMPLETION}`, then: "fin" },
    502,
  ],
  ["a length longer than the body, and silence", json(COMPLETION, { declaredLength: 9999 }), 504],
  ["a length shorter than the body", json(COMPLETION, { declaredLength: 40 }), 502],
  ["a negative length", { raw: `${OK}Content-Length: -1\r\n\r\n${COMPLETION}`, then: "fin" }, 502],
  ["two lengths that differ", { raw: `${OK}Content-Length: 3\r\n${SIZED}`, then: "keep" }, 502],
  [
    "an unasked switch of protocols",
    {
      raw: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello",
      then: "fin",
    },
    502,
  ],
  ["status 000", { raw: `HTTP/1.1 000 X\r\n${SIZED}`, then: "keep" }, 502],
  ["status 999", { raw: `HTTP/1.1 999 X\r\n${SIZED}`, then: "keep" }, 502],
  ["a 204 for an answer", { raw: "HTTP/1.1 204 No Content\r\n\r\n", then: "keep" }, 502],
  [
    "an endless head",
    { raw: `${OK}${"x-a: bbbbbbbbbbbbbbbbbbbbbbbb\r\n".repeat(60_000)}`, then: "stall" },
    [502, 504],
  ],
  [
    "nothing but 100 Continue",
    { raw: "HTTP/1.1 100 Continue\r\n\r\n".repeat(500), then: "fin" },
    502,
  ],
  [
    "an HTML page with 200",
    { headers: [["content-type", "text/html"]], body: "<html>hi</html>" },
    502,
  ],
  ["an empty 200", json(""), 502],
  ["half a JSON text, well framed", json(COMPLETION.slice(0, 40)), 502],
  ["half a JSON text that ends in a brace, well framed", json(half("}")), 502],
  ...["application/octet-stream", "text/plain", "text/event-stream"].map(
    (type) =>
      [
        `half a JSON text called ${type}, ended by its connection`,
        { headers: [["content-type", type]], body: half("}"), framing: "close" },
        502,
      ] as const,
  ),
  [
    "half a JSON text of no type, ended by its connection",
    { body: half("}"), framing: "close" },
    502,
  ],
  ["a JSON text that is no object", json('"hello"'), [200, 502]],
  ["a NUL in a header", { raw: `${OK}X-A: a\u0000b\r\n${SIZED}`, then: "fin" }, [200, 502]],
  [
    "a bare CR in a header",
    { raw: `${OK}X-A: a\rSet-Cookie: z=1\r\n${SIZED}`, then: "fin" },
    [200, 502],
  ],
  [
    "an early hint first",
    { raw: `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}${SIZED}`, then: "keep" },
    200,
  ],
  [
    "an HTTP/1.0 answer that ends with its connection",
    { raw: `HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n${COMPLETION}`, then: "fin" },
    200,
  ],
  [
    "a lie about gzip",
    { raw: `${OK}Content-Encoding: gzip\r\n${SIZED}`, then: "keep" },
    [200, 502],
  ],
];

describe("an upstream that breaks the protocol", () => {
  let bench: Bench;
  beforeAll(async () => void (bench = await startBench({ provider: SHORT_TIMEOUTS })));
  afterAll(() => bench[Symbol.asyncDispose]());

  for (const [what, script, expected] of CASES) {
    test(`by ${what}`, async () => {
      bench.play(script);
      const { status, headers, bytes } = await bench.post(chatBody());
      expect([expected].flat()).toContain(status);
      expect(headers.get("set-cookie")).toBeNull();
      if (status === 200) return;
      expect(JSON.parse(bytes.toString())).toHaveProperty("error.code");
      expect(bytes.toString()).not.toMatch(/ECONN|Malformed|Invalid[A-Z]|fetch|127\.0\.0\.1/);
    });
    test(`by ${what}, leaves the next request alone`, async () => {
      bench.play(json(COMPLETION));
      const { status, bytes } = await bench.post(chatBody());
      expect({ status, text: bytes.toString() }).toEqual({ status: 200, text: COMPLETION });
    });
  }

  test("bytes behind a whole answer never become the next one", async () => {
    const poison = `${OK}Content-Length: 8\r\n\r\n"poison"`;
    bench.play({ raw: `${OK}${SIZED}${poison}`, then: "keep" });
    for (let asked = 0; asked < 10; asked++) {
      const { bytes } = await bench.post(chatBody());
      expect(bytes.toString()).not.toContain("poison");
    }
  });

  test("a connection that dies between two requests costs at most one of them a 502", async () => {
    const seen: number[] = [];
    for (const then of ["keep", "rst", "keep", "fin", "keep"] as const) {
      bench.play(then === "keep" ? json(COMPLETION) : { raw: "", then });
      seen.push((await bench.post(chatBody())).status);
    }
    expect(seen).toEqual([200, 502, 200, 502, 200]);
  });
});

test("an error of any size is passed whole, or replaced by ours, never cut", async () => {
  await using bench = await startBench({ provider: SHORT_TIMEOUTS });
  for (const size of [1, 200, 300, 1024].map((kibi) => kibi * 1024)) {
    const theirs = JSON.stringify({ error: { message: "x".repeat(size), type: "t", code: "c" } });
    bench.play(json(theirs, { status: 400 }));
    const text = (await bench.post()).bytes.toString();
    if (text !== theirs) expect(JSON.parse(text)).toHaveProperty("error.message");
  }
});

describe("memory under an upstream that floods", () => {
  const floods: readonly (readonly [string, boolean, Script, number?])[] = [
    [
      "one line of 64 MiB in a stream",
      true,
      eventStream(`data: ${"x".repeat(64 * MEBI)}\n\ndata: [DONE]\n\n`),
    ],
    ["a million comments", true, eventStream(`${": c\n\n".repeat(1_000_000)}${STREAM}`)],
    [
      "a million empty events",
      true,
      eventStream(
        `${STREAM.slice(0, STREAM.indexOf("\n\n") + 2)}${"data:\n\n".repeat(1_000_000)}data: [DONE]\n\n`,
      ),
    ],
    // 16 MiB of it are held before it is passed on, and a copy is made of what is held.
    ["64 MiB that are no stream", false, json("x".repeat(64 * MEBI)), 80],
    ["64 MiB of an error", false, json("x".repeat(64 * MEBI), { status: 400 })],
  ];
  for (const [what, stream, script, most = 64] of floods) {
    test(`stays within ${most} MiB over idle: ${what}`, async () => {
      await using bench = await startBench({ provider: SHORT_TIMEOUTS, rest: NO_LEDGER });
      bench.play(json(COMPLETION));
      await bench.post();
      const idle = bench.binary.residentBytes();
      bench.binary.takePeakBytes();
      bench.play(script);
      const headers = { "content-type": "application/json" };
      const body = chatBody({ stream });
      const answer = await fetch(`${bench.binary.origin}/v1/chat/completions`, {
        method: "POST",
        headers,
        body,
      });
      let byteCount = 0;
      try {
        for await (const chunk of answer.body ?? []) byteCount += chunk.byteLength;
      } catch {
        // Cut off is as good an answer as a refusal; what counts is the memory.
      }
      expect(byteCount).toBeGreaterThan(0);
      expect(bench.binary.takePeakBytes() - idle).toBeLessThan(most * MEBI);
      bench.play(json(COMPLETION));
      expect((await bench.post()).status).toBe(200);
    }, 30_000);
  }
});
