import { afterEach, describe, expect, test } from "bun:test";
import { startMock } from "../../../src/cli/bench/mock.ts";
import { runHold } from "../../../src/cli/bench/hold.ts";
import { runWindow } from "../../../src/cli/bench/load.ts";
import type { WindowOrder, WindowReport } from "../../../src/cli/bench/load.ts";
import { BUFFERED_ANSWER, STREAM_FRAMES } from "../../../src/cli/bench/payload.ts";
import type { Pace } from "../../../src/cli/bench/payload.ts";
import type { AskKind } from "../../../src/cli/bench/verdict.ts";

const open: { stop(): void }[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.stop();
});

/** Answers every read with these bytes, in single bytes when asked; then hangs up, when asked. */
function scripted(text: string, { bytewise = false, hangUp = false } = {}): number {
  const bytes = Buffer.from(text, "latin1");
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket) {
        const step = bytewise ? 1 : bytes.length;
        for (let at = 0; at < bytes.length; at += step) {
          socket.write(bytes.subarray(at, at + step));
          socket.flush();
        }
        if (hangUp) socket.end();
      },
    },
  });
  open.push({ stop: () => listener.stop(true) });
  return listener.port;
}

function mockPort(): number {
  const mock = startMock(0);
  open.push(mock);
  return mock.port;
}

interface Asked {
  readonly kind?: AskKind;
  readonly pace?: Pace;
  readonly concurrency?: number;
}
function order(
  port: number,
  { kind = "buffered", pace, concurrency = 2 }: Asked = {},
): WindowOrder {
  const endpoint = { host: "127.0.0.1", port, base: "/v1", key: "k", model: "m" };
  return {
    mode: "window",
    errand: { endpoint, kind, pace },
    concurrency,
    warmMs: 20,
    windowMs: 60,
    gateway: [],
    mock: [],
  };
}
const reasons = (report: WindowReport) => Object.keys(report.failures).sort();
const answer = (body: string, status = "200 OK") =>
  `HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

describe("right answers", () => {
  test("of the mock are all counted, with their times", async () => {
    const report = await runWindow(order(mockPort()));
    expect(report.failures).toEqual({});
    expect(report.answered).toBeGreaterThan(0);
    expect(report.answeredInAll).toBeGreaterThan(report.answered);
    expect(report.latency?.count).toBe(report.answered);
    expect(report.rewritten).toBe(0);
    expect(report.firstEvent).toBeUndefined();
  });

  test.each(["streamed", "bare"] as const)(
    "%s have a first event before their end",
    async (kind) => {
      const report = await runWindow(order(mockPort(), { kind }));
      expect(report.failures).toEqual({});
      expect(report.firstEvent?.count).toBe(report.answered);
      expect(report.firstEvent?.p50).toBeLessThan(report.latency?.p50 ?? 0);
    },
  );

  test("paced have a delay for each event", async () => {
    const asked = { kind: "paced", pace: { events: 3, gapMs: 1 } } as const;
    const report = await runWindow(order(mockPort(), asked));
    expect(report.failures).toEqual({});
    expect(report.eventLag?.count).toBeGreaterThanOrEqual(report.answered);
  });

  test("byte by byte, and on a connection closed after each, are still right", async () => {
    const slow = await runWindow(order(scripted(answer(BUFFERED_ANSWER), { bytewise: true })));
    expect(slow.failures).toEqual({});
    expect(slow.answered).toBeGreaterThan(0);
    const closing = answer(BUFFERED_ANSWER).replace("content-length", "connection: close\r\n$&");
    const short = await runWindow(order(scripted(closing, { hangUp: true })));
    expect(short.failures).toEqual({});
    expect(short.answered).toBeGreaterThan(0);
  });

  test("in other bytes are counted as rewritten", async () => {
    const other = BUFFERED_ANSWER.replace("chatcmpl-bench", "chatcmpl-other");
    const report = await runWindow(order(scripted(answer(other))));
    expect(report.failures).toEqual({});
    expect(report.rewritten).toBe(report.answered);
  });
});

const half = BUFFERED_ANSWER.slice(0, 200);
const stream = STREAM_FRAMES.slice(0, 30).join("");
const WRONG: readonly (readonly [string, string, string, Asked])[] = [
  ["a short answer, well framed", answer(half), "wrong answer", {}],
  ["an empty answer", answer(""), "wrong answer", {}],
  ["another answer of the same length", answer("x".repeat(450)), "wrong answer", {}],
  ["a refusal", answer("{}", "429 Too Many Requests"), "status 429", {}],
  ["the right body with the wrong status", answer(BUFFERED_ANSWER, "503 x"), "status 503", {}],
  ["a stream without its end", answer(stream), "wrong answer", { kind: "streamed" }],
  [
    "a paced stream with too few events",
    answer("data: sent=1795169907773027\n\ndata: [DONE]\n\n"),
    "wrong answer",
    { kind: "paced", pace: { events: 2, gapMs: 1 } },
  ],
  ["nonsense", "nonsense\r\n\r\n", "malformed HTTP", {}],
];

describe("a fast wrong answer is a failure and no figure:", () => {
  test.each(WRONG)("%s", async (_, text, reason, asked) => {
    const report = await runWindow(order(scripted(text), asked));
    expect(reasons(report)).toEqual([reason]);
    expect(report.answered).toBe(0);
    expect(report.latency).toBeUndefined();
  });

  test("an answer cut by a closed connection", async () => {
    const cut = answer(BUFFERED_ANSWER).slice(0, 300);
    const report = await runWindow(order(scripted(cut, { hangUp: true })));
    expect(reasons(report)).toEqual(["connection closed before the end"]);
    expect(report.answered).toBe(0);
  });

  test("no server at all", async () => {
    const gone = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const { port } = gone;
    gone.stop(true);
    const report = await runWindow(order(port));
    expect(reasons(report)).toEqual(["no connection: ECONNREFUSED"]);
    expect(report.answered).toBe(0);
  });
});

describe("held streams", () => {
  const HEAD = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  const EVENT = "1d\r\ndata: sent=1795169907773027\n\n\r\n";
  const held = (port: number) =>
    runHold({
      mode: "hold",
      errand: { ...order(port).errand, kind: "paced", pace: { events: 1_000_000, gapMs: 200 } },
      streams: 5,
      holdMs: 500,
      gateway: [],
    });

  /** Sends a hundred times the events that are due, so that a busy machine makes no difference. */
  function flowing(): number {
    const listener = Bun.listen<{ timer?: Timer }>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => void (socket.data = {}),
        data(socket) {
          socket.write(HEAD + EVENT);
          socket.data.timer = setInterval(() => socket.write(EVENT), 2);
        },
        close: (socket) => clearInterval(socket.data.timer),
      },
    });
    open.push({ stop: () => listener.stop(true) });
    return listener.port;
  }

  test("that flow are counted one by one", async () => {
    const report = await held(flowing());
    expect(report).toMatchObject({ streams: 5, opened: 5, flowed: 5, failures: {} });
    expect(report.events).toBeGreaterThan(5);
  });

  test("that stop after their first event do not count as flowing", async () => {
    const report = await held(scripted(HEAD + EVENT));
    expect(report).toMatchObject({ opened: 5, flowed: 0, events: 0 });
  });
});
