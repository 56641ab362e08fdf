import { expect, test } from "bun:test";
import fc from "fast-check";
import OpenAI from "openai";
import type { Clock } from "../../src/runtime/runtime.ts";
import { type DemoRuntime, demoSession } from "../../src/upstream/demo.ts";
import { countWords, DEMO_MODEL, DEMO_WORDS } from "../../src/upstream/demo-text.ts";

const TEXT = DEMO_WORDS.join("");
const BASE = "http://demo.internal/v1";

/** Time passes only where somebody waits for it, and then at once; every wait is noted. */
function eagerClock(): Clock & { readonly delays: number[] } {
  const delays: number[] = [];
  return {
    delays,
    now: () => 0,
    wall: () => 1_900_000_000_000,
    machine: () => 0n,
    after(delay, wake) {
      delays.push(delay);
      let cancelled = false;
      queueMicrotask(() => {
        if (!cancelled) wake();
      });
      return { cancel: () => void (cancelled = true) };
    },
  };
}
/** Time that never passes; `waiting` is how many wait for it. */
function stoppedClock(): Clock & { readonly waiting: number } {
  let waiting = 0;
  return {
    get waiting() {
      return waiting;
    },
    now: () => 0,
    wall: () => 0,
    machine: () => 0n,
    after() {
      waiting++;
      return { cancel: () => void waiting-- };
    },
  };
}

function runtimeWith(clock: Clock): DemoRuntime {
  let ids = 0;
  return {
    clock,
    random: { next: () => 0, hex: (length) => `${ids++}`.padStart(length * 2, "0") },
  };
}
function client(clock: Clock = eagerClock()): OpenAI {
  const { fetch } = demoSession(runtimeWith(clock));
  const send = (url: string | URL | Request, init?: RequestInit): Promise<Response> =>
    fetch(String(url), init as BunFetchRequestInit);
  return new OpenAI({ apiKey: "none", baseURL: BASE, fetch: send, maxRetries: 0 });
}
const messages = [{ role: "user" as const, content: "one two  three" }];

test("the official client reads an answer that says it is a demo and what to do", async () => {
  const answer = await client().chat.completions.create({ model: "gpt-4o", messages });
  const choice = answer.choices[0];
  expect(choice?.message.content).toBe(TEXT);
  expect(choice?.finish_reason).toBe("stop");
  expect(answer.model).toBe(DEMO_MODEL);
  expect(TEXT).toStartWith("This is Interlock's built-in demo backend. No model was asked.");
  expect(TEXT).toContain("OPENAI_API_KEY");
  expect(answer.usage).toMatchObject({
    prompt_tokens: 3,
    completion_tokens: countWords(TEXT),
    total_tokens: 3 + countWords(TEXT),
  });
});

test("the official client reads the same as a stream, a word at a time, at a pace", async () => {
  const clock = eagerClock();
  const stream = await client(clock).chat.completions.create({
    model: "m",
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await Array.fromAsync(stream);
  const said = chunks.map((chunk) => chunk.choices[0]?.delta.content).filter(Boolean);
  expect(said).toEqual([...DEMO_WORDS]);
  expect(chunks.flatMap((chunk) => chunk.choices[0]?.finish_reason ?? [])).toEqual(["stop"]);
  expect(chunks.at(-1)).toMatchObject({
    choices: [],
    usage: { prompt_tokens: 3, completion_tokens: DEMO_WORDS.length },
  });
  expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  expect(clock.delays).toEqual(Array(chunks.length).fill(15));
});

test("usage comes in a stream only when it was asked for", async () => {
  const stream = await client().chat.completions.create({ model: "m", messages, stream: true });
  const chunks = await Array.fromAsync(stream);
  expect(chunks.some((chunk) => "usage" in chunk)).toBe(false);
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
});

test("a stream is server-sent events that end with the end marker", async () => {
  const body = JSON.stringify({ model: "m", messages, stream: true });
  const { fetch } = demoSession(runtimeWith(eagerClock()));
  const answer = await fetch(`${BASE}/chat/completions`, { method: "POST", body });
  expect(answer.headers.get("content-type")).toStartWith("text/event-stream");
  const text = await answer.text();
  expect(text).toEndWith("\n\ndata: [DONE]\n\n");
  expect(text).toMatch(/^(data: [^\n]+\n\n)+$/);
});

test("a cap on tokens is kept, and the answer says it was cut", async () => {
  const chat = client().chat.completions;
  const capped = { model: "m", messages, max_completion_tokens: 5 };
  const answer = await chat.create(capped);
  expect(answer.choices[0]?.finish_reason).toBe("length");
  expect(answer.usage?.completion_tokens).toBe(5);
  expect(answer.choices[0]?.message.content).toBe(DEMO_WORDS.slice(0, 5).join(""));
  const chunks = await Array.fromAsync(await chat.create({ ...capped, stream: true }));
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("length");
});

test("nothing of a prompt is repeated, tools or not", async () => {
  const marker = "what-the-client-wrote";
  const body = {
    model: marker,
    messages: [{ role: "user", content: [{ type: "text", text: marker }] }],
    tools: [{ type: "function", function: { name: marker } }],
    tool_choice: "required",
    prompt: marker,
    input: marker,
  };
  const { fetch } = demoSession(runtimeWith(eagerClock()));
  for (const path of ["chat/completions", "completions", "embeddings"]) {
    for (const stream of [true, false]) {
      const sent = { method: "POST", body: JSON.stringify({ ...body, stream }) };
      const answer = await fetch(`${BASE}/${path}`, sent);
      expect(answer.status).toBe(200);
      expect(await answer.text()).not.toContain(marker);
    }
  }
});

test("the older completions answer alike, buffered and streamed", async () => {
  const { completions } = client();
  const whole = await completions.create({ model: "m", prompt: ["one two", "three"] });
  expect(whole.choices[0]?.text).toBe(TEXT);
  expect(whole.usage?.prompt_tokens).toBe(3);
  const stream = await completions.create({ model: "m", prompt: "one", stream: true });
  const chunks = await Array.fromAsync(stream);
  expect(chunks.map((chunk) => chunk.choices[0]?.text).join("")).toBe(TEXT);
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
});

test("an embedding is a unit vector, the same for the same input, in either encoding", async () => {
  const { embeddings } = client();
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.integer({ min: 1, max: 64 }), async (text, dimensions) => {
      const asked = { model: "m", input: [text, `${text}!`], dimensions };
      const floats = await embeddings.create({ ...asked, encoding_format: "float" });
      const packed = await embeddings.create(asked); // This client asks for base64 by itself.
      const [one, other] = floats.data.map(({ embedding }) => embedding);
      expect(packed.data[0]?.embedding).toEqual(one!);
      expect(one).toHaveLength(dimensions);
      expect(Math.hypot(...one!)).toBeCloseTo(1, 5);
      if (dimensions > 2) expect(other).not.toEqual(one!);
    }),
    { numRuns: 30 },
  );
});

test("models lists the demo and nothing else", async () => {
  const { data } = await client().models.list();
  expect(data.map(({ id }) => id)).toEqual([DEMO_MODEL]);
  expect((await client().models.retrieve(DEMO_MODEL)).id).toBe(DEMO_MODEL);
});

test("what is wrong with a request is said in OpenAI's shape", async () => {
  const { fetch } = demoSession(runtimeWith(eagerClock()));
  const cases: [path: string, body: string, status: number, param: string | null][] = [
    ["chat/completions", "{", 400, null],
    ["chat/completions", "", 400, null],
    ["chat/completions", "[1]", 400, null],
    ["chat/completions", '{"messages":[]}', 400, "messages"],
    ["chat/completions", '{"messages":["x"],"n":2}', 400, "n"],
    ["completions", "{}", 400, "prompt"],
    ["embeddings", '{"input":[1,"a"]}', 400, "input"],
    ["embeddings", '{"input":"a","dimensions":99999}', 400, "dimensions"],
    ["images/generations", "{}", 404, null],
  ];
  for (const [path, body, status, param] of cases) {
    const answer = await fetch(`${BASE}/${path}`, { method: "POST", body });
    expect([path, body, answer.status]).toEqual([path, body, status]);
    const { error } = (await answer.json()) as { error: object };
    expect(error).toMatchObject({ type: "invalid_request_error", param, code: null });
    expect(Object.keys(error)).toEqual(["message", "type", "param", "code"]);
  }
});

test("an abort stops a stream at once and leaves no timer behind", async () => {
  const clock = stoppedClock();
  const controller = new AbortController();
  const { fetch } = demoSession(runtimeWith(clock));
  const body = JSON.stringify({ model: "m", messages, stream: true });
  const { signal } = controller;
  const answer = await fetch(`${BASE}/chat/completions`, { method: "POST", body, signal });
  const reader = answer.body!.getReader();
  expect((await reader.read()).done).toBe(false);
  const second = reader.read();
  await Promise.resolve();
  expect(clock.waiting).toBe(1);
  const reason = new Error("the client left");
  controller.abort(reason);
  expect(await second.catch((cause: unknown) => cause)).toBe(reason);
  expect(clock.waiting).toBe(0);
});

test("a reader that cancels leaves no timer behind", async () => {
  const clock = stoppedClock();
  const { fetch } = demoSession(runtimeWith(clock));
  const body = JSON.stringify({ model: "m", messages, stream: true });
  const answer = await fetch(`${BASE}/chat/completions`, { method: "POST", body });
  const reader = answer.body!.getReader();
  await reader.read();
  const second = reader.read();
  await Promise.resolve();
  expect(clock.waiting).toBe(1);
  await reader.cancel();
  expect((await second).done).toBe(true);
  expect(clock.waiting).toBe(0);
});

test("a request that was aborted before it began is rejected with its reason", async () => {
  const { fetch } = demoSession(runtimeWith(eagerClock()));
  const reason = new Error("too late");
  const signal = AbortSignal.abort(reason);
  for (const method of ["GET", "POST"]) {
    const sent = fetch(`${BASE}/models`, { method, signal });
    expect(await sent.catch((cause: unknown) => cause)).toBe(reason);
  }
});

test("words are what white space separates", () => {
  const word = fc.stringMatching(/^[!-~]{1,5}$/);
  const blanks = fc.stringMatching(/^[ \n\t]{1,3}$/);
  fc.assert(
    fc.property(fc.array(word), blanks, (words, blank) => {
      expect(countWords(blank + words.join(blank) + blank)).toBe(words.length);
    }),
  );
});
