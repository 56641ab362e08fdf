import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { anthropic } from "../../src/protocol/anthropic/dialect.ts";
import { responses } from "../../src/protocol/responses/dialect.ts";
import type { Committed } from "../../src/upstream/committed.ts";
import type { Failed } from "../../src/upstream/context.ts";
import { readAnswer } from "../../src/upstream/read-answer.ts";
import {
  bytesOf,
  cutAt,
  delta,
  flow,
  type FlowOptions,
  replyTo,
  restOf,
  STREAM,
} from "./pieces.ts";

/** How a stream in these pieces is met. */
async function met(pieces: Parameters<typeof flow>[0], options: FlowOptions = {}) {
  const { reply, call, clock } = replyTo(flow(pieces, options), { stream: true });
  const answer: Committed | Failed = await readAnswer(reply);
  return { answer, call, clock };
}
const ERROR = 'data: {"error":{"message":"busy","type":"overloaded_error","code":null}}\n\n';
const places = fc.array(fc.nat(10_000), { maxLength: 20 });

test("a stream is committed at its first event, and no byte of it is lost, however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(places, async (cuts) => {
      const pieces = cutAt(STREAM, cuts);
      const { answer, call } = await met(pieces);
      if (!("kind" in answer) || answer.kind !== "stream") throw new Error("not committed");
      const heldText = Buffer.concat(answer.held).toString();
      expect(heldText).toContain("\n\n");
      const beforeLast = Buffer.concat(answer.held.slice(0, -1)).toString();
      expect(beforeLast).not.toContain("\n\n");
      expect(await restOf(answer.held, answer.reader)).toBe(STREAM);
      expect(call.signal.aborted).toBe(false);
    }),
  );
});

test("a stream that begins with an error is a fault and is given up, however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(places, fc.constantFrom("", ": hold on\n\n"), async (cuts, before) => {
      const { answer, call } = await met(cutAt(before + ERROR + STREAM, cuts));
      expect(answer).toEqual({
        fault: { kind: "overloaded", retryAfterMs: undefined },
        answer: undefined,
      });
      expect(call.signal.aborted).toBe(true);
    }),
  );
});

test("a stream is known by its type however that is spelled", async () => {
  const headers = { "content-type": "Text/Event-Stream; charset=utf-8" };
  expect((await met([STREAM], { headers })).answer).toMatchObject({ kind: "stream" });
});

test("an error behind the first event is the client's to see, however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(places, async (cuts) => {
      const text = delta("he") + ERROR;
      const { answer } = await met(cutAt(text, cuts));
      if (!("kind" in answer) || answer.kind !== "stream") throw new Error("not committed");
      expect(await restOf(answer.held, answer.reader)).toBe(text);
    }),
  );
});

describe("a stream that ends before its first event was never one", () => {
  const LOST = { fault: { kind: "network", sent: true }, answer: undefined };
  test.each<[string, string[]]>([
    ["empty", []],
    ["comments only", [": one\n\n", ": two\n\n"]],
    ["half an event", ['data: {"id"']],
  ])("%s", async (_, pieces) => expect((await met(pieces)).answer).toMatchObject(LOST));

  test("an error that is its last and unfinished line is still what went wrong", async () => {
    expect((await met([ERROR.trimEnd()])).answer).toMatchObject({ fault: { kind: "overloaded" } });
  });
  test("reset", () => {
    const { reply } = replyTo(flow([": x\n\n"], { then: "reset" }), { stream: true });
    return expect(Promise.resolve(readAnswer(reply))).rejects.toMatchObject({ code: "ECONNRESET" });
  });
});

test("the end mark alone is an answer, though an empty one", async () => {
  expect((await met(["data: [DONE]\n\n"])).answer).toMatchObject({ kind: "stream", status: 200 });
});

describe("a stream that has only said it began", () => {
  const named = (event: string, data: object) =>
    `event: ${event}\ndata: ${JSON.stringify({ type: event, ...data })}\n\n`;
  const response = { id: "r", model: "m", status: "in_progress" };
  const created = named("response.created", { response });
  const progress = named("response.in_progress", { response });
  const item = named("response.output_item.added", { output_index: 0, item: {} });
  const error = { code: "rate_limit_exceeded", message: "slow down" };
  const failure = named("response.failed", { response: { ...response, status: "failed", error } });
  const started = named("message_start", { message: { id: "m", model: "m", usage: {} } });
  const busy = named("error", { error: { type: "overloaded_error", message: "busy" } });

  const wires = { responses, anthropic } as const;
  async function begun(wire: keyof typeof wires, answer: Response) {
    const { reply, clock, call } = replyTo(answer, { stream: true });
    let result: Committed | Failed | undefined;
    const read = Promise.resolve(readAnswer({ ...reply, wire: wires[wire] }));
    void read.then((value) => (result = value));
    await clock.advance(0);
    return { result: () => result, clock, call };
  }

  test.each([
    ["responses", created + progress + failure, "rate_limited"],
    ["responses", created + failure, "rate_limited"],
    ["anthropic", started + busy, "overloaded"],
  ] as const)("and then fails, fails over, however it is cut: %s", async (wire, text, kind) => {
    await fc.assert(
      fc.asyncProperty(places, async (cuts) => {
        const { result, call, clock } = await begun(wire, flow(cutAt(text, cuts)));
        expect(result()).toMatchObject({ fault: { kind }, answer: undefined });
        expect(call.signal.aborted).toBe(true);
        call.settle();
        expect(clock.armed).toBe(0);
      }),
    );
  });

  test("and then fails behind a word of the answer, is the client's to see", async () => {
    const text = created + item + failure;
    const { result } = await begun("responses", flow(cutAt(text, [created.length + item.length])));
    expect(result()).toMatchObject({ kind: "stream" });
  });

  test("and then thinks, goes out after a quarter of a second, with every byte of it", async () => {
    const pieces = [created, progress, item, failure].map(bytesOf);
    let wake = (): void => {};
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          if (pieces.length === 2) await new Promise<void>((resolve) => (wake = resolve));
          const piece = pieces.shift();
          if (piece === undefined) controller.close();
          else controller.enqueue(piece);
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { "content-type": "text/event-stream" };
    const { result, clock, call } = await begun("responses", new Response(body, { headers }));
    await clock.advance(249);
    expect(result()).toBeUndefined();
    await clock.advance(1);
    const answer = result();
    if (answer === undefined || !("kind" in answer) || answer.kind !== "stream") {
      throw new Error("not committed");
    }
    wake();
    expect(await restOf(answer.held, answer.reader)).toBe(created + progress + item + failure);
    call.settle();
    expect(clock.armed).toBe(0);
  });
});

test("a compressed stream is committed at its first bytes and read by nobody", async () => {
  const body = Bun.gzipSync(bytesOf(ERROR));
  const { answer } = await met([body], { headers: { "content-encoding": "gzip" } });
  expect(answer).toMatchObject({
    kind: "stream",
    tap: undefined,
    headers: { "content-encoding": "gzip" },
  });
  const empty = await met([], { headers: { "content-encoding": "gzip" } });
  expect(empty.answer).toMatchObject({ fault: { kind: "network", sent: true } });
});

describe("the head is not held for ever", () => {
  test("beyond 16 KiB without an event it goes out", async () => {
    const comment = (length: number) => `: ${"x".repeat(length - 4)}\n\n`;
    const over = await met([comment(16 * 1024), ": y\n\n"], { then: "silence" });
    expect(over.answer).toMatchObject({ kind: "stream" });
    expect((await met([comment(16 * 1024)])).answer).toMatchObject({ fault: { kind: "network" } });
  });

  test("with comments dripping it goes out after 15 s, and each of them starts the wait anew", async () => {
    let wake = (): void => {};
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          await new Promise<void>((resolve) => (wake = resolve));
          controller.enqueue(bytesOf(": still here\n\n"));
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { "content-type": "text/event-stream" };
    const { reply, clock, call } = replyTo(new Response(body, { headers }), { stream: true });
    let answer: Committed | Failed | undefined;
    void Promise.resolve(readAnswer(reply)).then((value) => (answer = value));
    const drip = async (ms: number): Promise<void> => {
      await clock.advance(ms);
      wake();
      await clock.advance(0);
    };
    await drip(7_000);
    await drip(8_000);
    expect(answer).toBeUndefined();
    await drip(1);
    expect(answer).toMatchObject({ kind: "stream" });
    expect(call.expired).toBeUndefined();
  });
});
