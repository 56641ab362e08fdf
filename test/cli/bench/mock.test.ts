import { afterAll, beforeAll, expect, test } from "bun:test";
import OpenAI from "openai";
import { requestBytes } from "../../../src/cli/bench/caller.ts";
import type { Endpoint } from "../../../src/cli/bench/caller.ts";
import { startMock } from "../../../src/cli/bench/mock.ts";
import type { Mock } from "../../../src/cli/bench/mock.ts";
import {
  askBody,
  BUFFERED_ANSWER,
  DELTA_TEXTS,
  machineMicros,
  readPace,
  readStamps,
} from "../../../src/cli/bench/payload.ts";
import { singleBytes } from "./pieces.ts";

let mock: Mock;
beforeAll(() => void (mock = startMock(0)));
afterAll(() => mock.stop());

const url = () => `http://127.0.0.1:${mock.port}/v1`;
const endpoint = (): Endpoint => ({
  host: "127.0.0.1",
  port: mock.port,
  base: "/v1",
  key: "k",
  model: "m",
});
const client = () => new OpenAI({ baseURL: url(), apiKey: "k", maxRetries: 0 });
const ask = (body: string) =>
  fetch(`${url()}/chat/completions`, { method: "POST", body, signal: null });

interface Event {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
  readonly usage: { readonly completion_tokens: number } | null;
}
const dataOf = (text: string): readonly string[] =>
  text.split("\n\n").flatMap((event) => (event === "" ? [] : [event.replace(/^data: /, "")]));

test("the buffered answer is JSON of the size and with the counts it claims", async () => {
  const answer = await ask(askBody({ model: "m", stream: false, usage: false, pace: undefined }));
  const text = await answer.text();
  expect(answer.headers.get("content-type")).toBe("application/json");
  expect(text).toBe(BUFFERED_ANSWER);
  const parsed = JSON.parse(text) as { usage: { completion_tokens: number } };
  expect(parsed.usage.completion_tokens).toBe(64);
  expect(text.length).toBeGreaterThan(400);
  expect(text.length).toBeLessThan(600);
});

test("the stream has 64 deltas in order, a finish, a usage and [DONE] at its end", async () => {
  const answer = await ask(askBody({ model: "m", stream: true, usage: true, pace: undefined }));
  expect(answer.headers.get("content-type")).toStartWith("text/event-stream");
  const events = dataOf(await answer.text());
  expect(events).toHaveLength(67);
  expect(events.at(-1)).toBe("[DONE]");
  const parsed = events.slice(0, -1).map((event) => JSON.parse(event) as Event);
  expect(parsed.slice(0, 64).map(({ choices }) => choices[0]?.delta.content)).toEqual([
    ...DELTA_TEXTS,
  ]);
  expect(parsed.filter(({ usage }) => usage !== null)).toHaveLength(1);
});

test("a caller who does not ask for usage gets the same stream without that one event", async () => {
  const asked = { model: "m", stream: true, pace: undefined };
  const [bare, full] = await Promise.all(
    [false, true].map(async (usage) => (await ask(askBody({ ...asked, usage }))).text()),
  );
  const extra = dataOf(full ?? "").filter((event) => !dataOf(bare ?? "").includes(event));
  expect(extra).toHaveLength(1);
  expect(extra[0]).toContain('"choices":[],"usage":{');
  expect(dataOf(bare ?? "")).toHaveLength(66);
});

test("the official client takes both answers for OpenAI's", async () => {
  const messages = [{ role: "user" as const, content: "hello" }];
  const whole = await client().chat.completions.create({ model: "m", messages });
  expect(whole.choices[0]?.finish_reason).toBe("stop");
  let text = "";
  let finish: string | null | undefined;
  const stream = await client().chat.completions.create({ model: "m", messages, stream: true });
  for await (const { choices } of stream) {
    text += choices[0]?.delta.content ?? "";
    finish = choices[0]?.finish_reason ?? finish;
  }
  expect(text).toBe(DELTA_TEXTS.join(""));
  expect(finish).toBe("stop");
  expect((await client().models.list()).data).toHaveLength(1);
});

test("a request is understood however it is cut, and framed either way", async () => {
  const before = mock.counts().requests;
  const bytes = requestBytes({ endpoint: endpoint(), kind: "buffered", pace: undefined });
  const got = Promise.withResolvers<string>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: mock.port,
    socket: { data: (_, answer) => got.resolve(answer.toString()) },
  });
  for (const piece of singleBytes(bytes)) {
    socket.write(piece);
    socket.flush();
  }
  expect(await got.promise).toEndWith(BUFFERED_ANSWER);
  socket.end();
  const body = new Blob([
    askBody({ model: "m", stream: false, usage: false, pace: undefined }),
  ]).stream();
  const chunked = await fetch(`${url()}/chat/completions`, { method: "POST", body });
  expect(await chunked.text()).toBe(BUFFERED_ANSWER);
  expect(mock.counts().requests - before).toBe(2);
});

test("a paced stream sends as many stamped events as its prompt asks for", async () => {
  const body = askBody({ model: "m", stream: true, usage: true, pace: { events: 5, gapMs: 1 } });
  const earliest = machineMicros();
  const text = await (await ask(body)).text();
  const { sent } = readStamps(text);
  expect(sent).toHaveLength(5);
  expect([...sent].sort((a, b) => a - b)).toEqual([...sent]);
  expect(sent.every((at) => at >= earliest && at <= machineMicros())).toBe(true);
  expect(dataOf(text).at(-1)).toBe("[DONE]");
});

test("a client that leaves ends its paced stream at the mock", async () => {
  const controller = new AbortController();
  const body = askBody({
    model: "m",
    stream: true,
    usage: true,
    pace: { events: 100_000, gapMs: 1 },
  });
  const answer = await fetch(`${url()}/chat/completions`, {
    method: "POST",
    body,
    signal: controller.signal,
  });
  await answer.body?.getReader().read();
  expect(mock.counts().streamsOpen).toBe(1);
  controller.abort();
  while (mock.counts().streamsOpen > 0) await ask("{}"); // The runner's own limit bounds it.
  const { eventsPaced } = mock.counts();
  for (let turn = 0; turn < 20; turn++) await ask("{}");
  expect(mock.counts().eventsPaced).toBe(eventsPaced);
});

test("other paths are refused instead of answered", async () => {
  expect((await fetch(`${url()}/embeddings`, { method: "POST", body: "{}" })).status).toBe(404);
  expect((await fetch(`${url()}/chat/completions`)).status).toBe(404);
});

test("the pace survives the model's name being written anew, and is not read from nonsense", () => {
  const body = askBody({
    model: "renamed",
    stream: true,
    usage: true,
    pace: { events: 64, gapMs: 5 },
  });
  expect(readPace(Buffer.from(body))).toEqual({ events: 64, gapMs: 5 });
  expect(readPace(Buffer.from("pace=x"))).toBeUndefined();
  expect(readPace(Buffer.from("{}"))).toBeUndefined();
});
