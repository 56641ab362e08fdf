import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventEnds } from "../faultd/pieces.ts";
import { postBytes, rawConnect } from "../faultd/raw-client.ts";
import { bytesOf, eventStream, gate, json } from "../faultd/script.ts";
import { type Bench, CHAT, startBench } from "./bench.ts";
import { chatBody, COMPLETION, STREAM } from "./config.ts";
import { isFull } from "./harness.ts";
import { isWhole, rawAnswer, rawBody } from "./raw-answer.ts";

/** Longer than any idle timeout of a server or a client left at its default, our listener's too. */
const SILENCE_MS = isFull ? 335_000 : 40_000;
const LIMIT_MS = SILENCE_MS + 20_000;
const silence = () => Bun.sleep(SILENCE_MS);
const [FIRST = 0] = eventEnds(bytesOf(STREAM));
const latin1 = Buffer.from(STREAM).toString("latin1");

// Waiting is what these are about: nothing else is synchronised by it. They all wait together.
describe("nothing is cut because it is slow", () => {
  let bench: Bench;
  let quiet: Bench;
  beforeAll(async () => {
    bench = await startBench();
    quiet = await startBench({ rest: { relay: { heartbeat_seconds: 0 } } });
  });
  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await quiet[Symbol.asyncDispose]();
  });

  for (const stream of [true, false]) {
    test.concurrent(
      `a model that thinks before it answers, ${stream ? "streamed" : "buffered"}`,
      async () => {
        const beforeHead = gate();
        const script = stream
          ? eventStream(STREAM, { beforeHead })
          : json(COMPLETION, { beforeHead });
        using client = await bench.ask(chatBody({ stream, user: bench.own(script) }));
        await silence();
        expect(client.text).toBe("");
        beforeHead.open();
        const answer = rawAnswer(await client.until(isWhole));
        expect(answer?.status).toBe(200);
        expect(answer?.body).toBe(stream ? latin1 : COMPLETION);
      },
      LIMIT_MS,
    );
  }

  for (const beats of [true, false]) {
    test.concurrent(
      `a model that thinks between two events, ${beats ? "with" : "without"} heartbeats`,
      async () => {
        const here = gate();
        const script = eventStream(STREAM, { gates: new Map([[FIRST, here]]) });
        using client = await (beats ? bench : quiet).askFor(script);
        await client.until((text) => rawBody(text).length >= FIRST);
        await silence();
        here.open();
        const body = rawBody(await client.until(isWhole));
        const comments = body.match(/^: .*\n\n/gm)?.length ?? 0;
        if (beats) expect(comments).toBeGreaterThan(1);
        else expect(comments).toBe(0);
        expect(body.replaceAll(/^: .*\n\n/gm, "")).toBe(latin1);
      },
      LIMIT_MS,
    );
  }

  test.concurrent(
    "a client that reads slowly",
    async () => {
      const events = `${STREAM.slice(0, STREAM.lastIndexOf("data: [DONE]"))}`;
      const body = `${events.repeat(Math.ceil((24 * 2 ** 20) / events.length))}data: [DONE]\n\n`;
      using client = await bench.askFor(eventStream(body));
      const until = performance.now() + SILENCE_MS;
      while (performance.now() < until) {
        client.pause();
        await Bun.sleep(1000);
        const before = client.bytes.length;
        client.resume();
        await client.until((text) => text.length > before);
      }
      await client.until(isWhole);
      expect(rawBody(client.text)).toBe(Buffer.from(body).toString("latin1"));
    },
    LIMIT_MS,
  );

  test.concurrent(
    "a client that sends slowly",
    async () => {
      // Twice the rate a body must keep (4 KB/s), half of what the runtime alone would allow.
      const size = (SILENCE_MS / 1000) * 8 * 1024;
      const body = chatBody({ user: bench.own(json(COMPLETION)), input: "x".repeat(size) });
      const request = postBytes(CHAT, body);
      using client = await rawConnect(bench.binary.port);
      const pieces = Math.floor(SILENCE_MS / 1000);
      const step = Math.ceil(request.length / pieces);
      for (let from = 0; from < request.length; from += step) {
        await client.send(request.slice(from, from + step));
        await Bun.sleep(1000);
      }
      expect(rawAnswer(await client.until(isWhole))?.status).toBe(200);
    },
    LIMIT_MS,
  );
});
