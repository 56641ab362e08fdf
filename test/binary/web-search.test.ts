import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Answer, eventStream, json } from "../faultd/script.ts";
import { type SixBench, startSix } from "./six-bench.ts";

let bench: SixBench;
beforeAll(async () => {
  // The model of Anthropic's has a search of its own; of the others nobody said so.
  const change = (text: string) =>
    text.replace('"provider":"p-anthropic"', '"provider":"p-anthropic","web_search":true');
  bench = await startSix({ change });
});
afterAll(() => bench[Symbol.asyncDispose]());

const SAID = "It rains.";
const source = { url: "https://weather.example/bern", title: "Bern" };
const cited = { type: "web_search_result_location", cited_text: SAID, encrypted_index: "E" };
const CONTENT = [
  { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "Bern" } },
  {
    ...{ type: "web_search_tool_result", tool_use_id: "srvtoolu_1" },
    content: [{ type: "web_search_result", encrypted_content: "E", page_age: null, ...source }],
  },
  { type: "text", text: SAID, citations: [{ ...cited, ...source }] },
];
const MESSAGE = {
  ...{ id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-4-5" },
  ...{ stop_sequence: null, usage: { input_tokens: 3, output_tokens: 2 } },
};
const event = (data: { readonly type: string }) =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const STREAM = [
  { type: "message_start", message: { ...MESSAGE, content: [], stop_reason: null } },
  ...CONTENT.flatMap((block, index) => [
    { type: "content_block_start", index, content_block: block },
    { type: "content_block_stop", index },
  ]),
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
  { type: "message_stop" },
]
  .map(event)
  .join("");
const WHOLE = json({ ...MESSAGE, content: CONTENT, stop_reason: "end_turn" });

async function asked(model: string, body: object, script: Answer) {
  const user = bench.own(script);
  const input = { model, input: user, store: false, ...body };
  const answer = await fetch(`${bench.binary.origin}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  const { status, headers } = answer;
  const sent = bench.seen(user)?.text;
  return { status, text: await answer.text(), losses: headers.get("x-interlock-loss"), sent };
}

const tools = [
  {
    ...{ type: "web_search", search_context_size: "low" },
    filters: { allowed_domains: ["weather.example"] },
  },
];

test("a search asked of one vendor is another's own, where its model has one", async () => {
  const { status, sent, losses, text } = await asked("on-anthropic", { tools }, WHOLE);
  expect(status).toBe(200);
  expect(JSON.parse(sent!).tools).toEqual([
    { type: "web_search_20250305", name: "web_search", allowed_domains: ["weather.example"] },
  ]);
  expect(losses).toContain("L-HOSTED-OPTS(tools[0].search_context_size)");
  expect(losses).toContain("L-HOSTED(tools[0])");
  expect(text).toContain(SAID);
  expect(text).toContain(source.url);
});

test("what it found is heard in a stream as well", async () => {
  const script = eventStream(STREAM);
  const { status, text } = await asked("on-anthropic", { tools, stream: true }, script);
  expect(status).toBe(200);
  expect(text).toContain(SAID);
  expect(text).toContain("response.completed");
});

test("is refused before anything is sent where nobody said that the model has one", async () => {
  const { status, sent, text } = await asked("on-gemini", { tools }, WHOLE);
  expect(status).toBe(400);
  expect(sent).toBeUndefined();
  expect(JSON.parse(text).error.message).toContain("tools[0]");
});

test("any other tool that a vendor runs is refused, wherever", async () => {
  const others = [{ type: "code_interpreter", container: { type: "auto" } }];
  const { status, sent } = await asked("on-anthropic", { tools: others }, WHOLE);
  expect(status).toBe(400);
  expect(sent).toBeUndefined();
});
