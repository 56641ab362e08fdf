import { describe, expect, test } from "bun:test";
import OpenAI, { APIError } from "openai";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { Delta, IrEvent } from "../../../src/protocol/ir/event.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import { codec } from "../../../src/protocol/responses/codec.ts";
import { streamTap } from "../../../src/protocol/responses/tap.ts";
import { haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import {
  accumulated,
  askedOf,
  eventsOf,
  foreign,
  plain,
  streamed,
  streams,
  telling,
  terminal,
  textOf,
  utf8,
  type WireEvent,
  wireEvents,
} from "./recorded.ts";

/** What the SDK's own accumulator makes of a stream. */
async function sdkReads(body: string): Promise<JsonObject> {
  const client = new OpenAI({
    apiKey: "k",
    baseURL: "http://gateway.test/v1",
    maxRetries: 0,
    fetch: () =>
      Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } })),
  });
  const final = await client.responses.stream({ model: "m", input: "x" }).finalResponse();
  return plain(final) as JsonObject;
}

interface Item extends JsonObject {
  readonly content?: JsonObject[];
}
/** An item without what hosts spell differently or seal anew in every event. */
function essence(item: JsonObject): unknown {
  const {
    status: _,
    encrypted_content: sealed,
    content,
    parsed_arguments: __,
    ...rest
  } = item as Item;
  const parts = content?.map(({ logprobs: ___, parsed: ____, ...part }) => part) ?? [];
  return { ...rest, content: parts, isSealed: typeof sealed === "string" };
}
const outputOf = (response: JsonObject) => (response["output"] as JsonObject[]).map(essence);

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  test.each(streams)("$name, told anew, is to the SDK what it was", async ({ response }) => {
    const { context, losses } = telling();
    const written = streamed(foreign(eventsOf(response.slice())), context);
    expectOrder(wireEvents(written));
    const final = await sdkReads(written);
    const want = terminal(response);
    expect(outputOf(final)).toEqual(outputOf(want));
    expect(final["usage"]).toEqual(want["usage"]!);
    expect(final["incomplete_details"]).toEqual(want["incomplete_details"] ?? null);
    expect(losses).toEqual([]);
  });
  test.each(streams)("$name, of another protocol, is whole what it is streamed", ({ response }) => {
    const events = foreign(eventsOf(response.slice())).map(anonymous);
    const blocks = accumulated(events);
    const stop = events.find((event) => event.t === "stop")!.stop;
    const whole = telling();
    const answer = { origin: "anthropic", candidates: [{ index: 0, blocks, stop }] } as const;
    const written = codec.writeAnswer(answer, whole.context);
    const stream = streamed(events, telling().context);
    expectOrder(wireEvents(stream));
    expect(terminal(stream)["output"]).toEqual(plain(written["output"]) as JsonObject[]);
  });
  test.each(streams)("$name broken off after any event is never complete", ({ response }) => {
    const events = foreign(eventsOf(response.slice()));
    for (let cut = 0; cut < events.length; cut += 7) {
      if (events[cut]!.t === "end") continue;
      const writer = codec.streamWriter(telling().context);
      const chunks = events.slice(0, cut).map((event) => writer.write(event));
      const broken = { mode: "surface", why: "truncated", requestId: "req_1" } as const;
      chunks.push(writer.fail({ ...broken, atBoundary: false, id: undefined, model: undefined }));
      const text = chunks.map(textOf).join("");
      expect(
        wireEvents(text)
          .slice(-2)
          .map(({ type }) => type),
      ).toEqual(["error", "response.failed"]);
      const tap = streamTap();
      tap.feed(utf8(text));
      expect(tap.fault).toBeDefined();
      expectNumbers(wireEvents(text));
    }
  });
});

/** Without what tells this wire from another: ids, groups, phases, parts of reasoning. */
function anonymous(event: IrEvent): IrEvent {
  if (event.t === "block_start") return { ...event, block: bare(event.block) };
  if (event.t === "block_stop") return { ...event, final: undefined };
  if (event.t === "delta" && event.d.k === "summary") {
    return { ...event, d: { k: "reasoning", text: event.d.text } };
  }
  return event;
}
function bare(block: Block): Block {
  const { id: _, group: __, phase: ___, ...rest } = block as Block & Record<string, unknown>;
  const { summary: ____, ...plainer } = rest;
  return (block.type === "reasoning" ? plainer : rest) as unknown as Block;
}

/** Numbers without gaps, and for every item and part that is added a done. */
function expectOrder(events: readonly WireEvent[]): void {
  expectNumbers(events);
  const open = new Map<string, string>();
  const added = events.filter(({ type }) => type === "response.output_item.added");
  expect(added.map((event) => event["output_index"])).toEqual(added.map((_, index) => index));
  for (const event of events) {
    const { type } = event;
    const key = [event["output_index"], event["content_index"], event["summary_index"]].join();
    if (type.endsWith(".added") && !type.includes("annotation")) open.set(type + key, type);
    if (type.endsWith("item.done") || type.endsWith("part.done")) {
      expect(open.delete(type.replace(/done$/, "added") + key)).toBe(true);
    }
  }
  expect([...open.values()]).toEqual([]);
  expect(events.slice(0, 2).map(({ type }) => type)).toEqual([
    "response.created",
    "response.in_progress",
  ]);
}
function expectNumbers(events: readonly WireEvent[]): void {
  expect(events.map((event) => event["sequence_number"])).toEqual(events.map((_, index) => index));
}

const start: IrEvent = { t: "start", id: "msg_up", model: "claude" };
const usage: IrEvent = { t: "usage", usage: { inputTotal: 5, outputTotal: 7, raw: {} } };
const stop = (kind: "end" | "tool_call" | "refusal" | "error" | "length"): IrEvent => ({
  t: "stop",
  c: 0,
  stop: { kind, raw: kind, detail: kind === "refusal" ? "I will not." : undefined },
});
const end: IrEvent = { t: "end" };
const block = (b: number, what: Block, ...ds: Delta[]): IrEvent[] => [
  { t: "block_start", c: 0, b, block: what },
  ...ds.map((d): IrEvent => ({ t: "delta", c: 0, b, d })),
  { t: "block_stop", c: 0, b },
];
const said = (text: string): Delta => ({ k: "text", text });
const signed = { value: "gw1.x", encoding: "plain", family: "openai" } as const;

describe("another protocol's stream", () => {
  const events: IrEvent[] = [
    start,
    ...block(0, { type: "reasoning" }, { k: "reasoning", text: "hm" }, { k: "sealed", signed }),
    ...block(1, { type: "text", text: "" }, said("I "), said("call")),
    ...block(2, { type: "text", text: "" }, said(" it."), {
      k: "citation",
      citation: { sources: [{ url: "https://x.test", title: "X" }] },
    }),
    ...block(
      3,
      { type: "reasoning", text: "", carries: { proofOf: "call" } },
      { k: "sealed", signed },
    ),
    { t: "block_start", c: 0, b: 4, block: { type: "tool_call", callId: "c1", name: "f" } },
    { t: "block_start", c: 0, b: 5, block: { type: "tool_call", callId: "c2", name: "g" } },
    { t: "delta", c: 0, b: 4, d: { k: "args", text: '{"a":' } },
    { t: "delta", c: 0, b: 5, d: { k: "args", text: "{}" } },
    { t: "delta", c: 0, b: 4, d: { k: "args", text: "1}" } },
    { t: "block_stop", c: 0, b: 4 },
    { t: "block_stop", c: 0, b: 5 },
    ...block(
      6,
      { type: "tool_call", callId: "c3", name: "h", freeform: true },
      { k: "args", text: "x" },
    ),
    ...block(7, { type: "tool_call", callId: "c4", name: "i" }),
    stop("tool_call"),
    usage,
    end,
  ];
  const { context, losses } = telling();
  const written = streamed(events, context);
  const response = terminal(written);

  test("keeps its order and its numbers", () => expectOrder(wireEvents(written)));
  test("becomes items, text run by text run, proofs before what they prove", () => {
    expect(losses).toEqual([]);
    expect((response["output"] as JsonObject[]).map(({ id: _, ...item }) => item)).toEqual([
      {
        type: "reasoning",
        summary: [{ type: "summary_text", text: "hm" }],
        encrypted_content: "gw1.x",
      },
      {
        type: "message",
        status: "completed",
        role: "assistant",
        content: [
          {
            type: "output_text",
            text: "I call it.",
            logprobs: [],
            annotations: [
              {
                type: "url_citation",
                start_index: 6,
                end_index: 10,
                url: "https://x.test",
                title: "X",
              },
            ],
          },
        ],
      },
      { type: "reasoning", summary: [], encrypted_content: "gw1.x" },
      {
        type: "function_call",
        status: "completed",
        call_id: "c1",
        name: "f",
        arguments: '{"a":1}',
      },
      { type: "function_call", status: "completed", call_id: "c2", name: "g", arguments: "{}" },
      { type: "custom_tool_call", status: "completed", call_id: "c3", name: "h", input: "x" },
      { type: "function_call", status: "completed", call_id: "c4", name: "i", arguments: "{}" },
    ]);
  });
  test("has ids of this wire's own, the same every time, and no two alike", () => {
    const ids = (response["output"] as JsonObject[]).map(({ id }) => String(id));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.map((id) => id.split("_")[0])).toEqual(["rs", "msg", "rs", "fc", "fc", "ctc", "fc"]);
    expect(streamed(events, telling().context)).toBe(written);
    expect(String(response["id"])).toMatch(/^resp_[0-9a-f]{48}$/);
  });
  test("ends with the whole response", () => {
    expect(response).toMatchObject({
      object: "response",
      status: "completed",
      model: "claude",
      created_at: 1_700_000_000,
      usage: { input_tokens: 5, output_tokens: 7, total_tokens: 12 },
      store: false,
      truncation: "disabled",
    });
  });
  test("is to the SDK what its terminal event says", async () => {
    const final = await sdkReads(written);
    expect(outputOf(final)).toEqual(outputOf(response));
    expect(final["output_text"]).toBe("I call it.");
  });
  test("is read back as it was told", () => {
    const again = streamed(foreign(eventsOf(utf8(written))), telling().context);
    expect(outputOf(terminal(again))).toEqual(outputOf(response));
  });
});

describe("what is due is written once", () => {
  test("by the end of the source, without an end mark of its own", () => {
    const types = wireEvents(streamed([start, stop("end"), usage], telling().context)).map(
      ({ type }) => type,
    );
    expect(types).toEqual(["response.created", "response.in_progress", "response.completed"]);
  });
  test("usage behind the stop still counts, and none is reported", () => {
    expect(
      terminal(streamed([start, stop("end"), usage, end], telling().context))["usage"],
    ).toMatchObject({
      input_tokens: 5,
    });
    const { context, losses } = telling();
    expect(terminal(streamed([start, stop("end"), end], context))["usage"]).toBeNull();
    expect(losses.map(({ code }) => code)).toEqual(["L-USAGE"]);
  });
  test("text that goes on beside a call stays in its message", () => {
    const events: IrEvent[] = [
      start,
      { t: "block_start", c: 0, b: 0, block: { type: "text", text: "" } },
      { t: "delta", c: 0, b: 0, d: said("a") },
      ...block(1, { type: "tool_call", callId: "c", name: "f" }),
      { t: "delta", c: 0, b: 0, d: said("b") },
      { t: "block_stop", c: 0, b: 0 },
      ...block(2, { type: "text", text: "" }, said("c")),
      stop("end"),
      end,
    ];
    const written = streamed(events, telling().context);
    expectOrder(wireEvents(written));
    const items = terminal(written)["output"] as JsonObject[];
    expect(items.map(({ type }) => type)).toEqual(["message", "function_call", "message"]);
    expect(items[0]!["content"]).toMatchObject([{ text: "ab" }]);
  });
  test("a citation of a whole block that comes before its end covers all of it", () => {
    const citation = { sources: [{ url: "https://x.test" }] };
    const grown = block(
      0,
      { type: "text", text: "" },
      said("ab"),
      { k: "citation", citation },
      said("cd"),
    );
    const [item] = terminal(
      streamed([start, ...grown, stop("end"), usage, end], telling().context),
    )["output"] as Item[];
    expect(item!.content).toMatchObject([{ annotations: [{ start_index: 0, end_index: 4 }] }]);
  });
  test("parts of a summary stay apart", () => {
    const part = (number: number, text: string): Delta => ({ k: "summary", part: number, text });
    const grown = block(0, { type: "reasoning" }, part(0, "a"), part(0, "b"), part(1, "c"));
    const written = streamed([start, ...grown, stop("end"), usage, end], telling().context);
    expectOrder(wireEvents(written));
    expect(terminal(written)["output"]).toMatchObject([
      { summary: [{ text: "ab" }, { text: "c" }] },
    ]);
  });
  test("a refusal without a word is a part as well", () => {
    const silent: IrEvent = { t: "stop", c: 0, stop: { kind: "refusal" } };
    const output = terminal(streamed([start, silent, usage, end], telling().context))["output"];
    expect(output).toMatchObject([{ content: [{ type: "refusal", refusal: "" }] }]);
  });
  test("a refusal that was only a stop is a part", () => {
    const output = terminal(streamed([start, stop("refusal"), usage, end], telling().context))[
      "output"
    ];
    expect(output).toMatchObject([{ content: [{ type: "refusal", refusal: "I will not." }] }]);
  });
  test("a blocked prompt is an empty answer that was filtered", () => {
    const blocked: IrEvent = { t: "meta", patch: { blocked: { reason: "SAFETY" } } };
    const written = streamed([start, blocked, usage, end], telling().context);
    expect(terminal(written)).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "content_filter" },
      output: [],
    });
  });
  test("a ping is a comment", () => {
    const { context } = telling();
    expect(streamed([start, { t: "ping" }], context)).toContain("\n\n: keep-alive\n\n");
  });
  test("other candidates and unknown events are reported", () => {
    const { context, losses } = telling();
    const other: IrEvent = { t: "block_start", c: 1, b: 9, block: { type: "text", text: "x" } };
    const raw: IrEvent = { t: "raw", from: "anthropic", event: "odd", data: {} };
    const hosted: Block = { type: "hosted_call", vendor: "anthropic", toolType: "x", raw: {} };
    streamed([start, other, raw, ...block(1, hosted), stop("end"), usage, end], context);
    expect(losses.map(({ code }) => code)).toEqual(["L-N", "L-UNKNOWN-BLOCK", "L-HOSTED"]);
  });
});

describe("a stream that fails", () => {
  const begun: IrEvent[] = [start, ...block(0, { type: "text", text: "" }, said("so"))];
  const error: IrEvent = {
    t: "error",
    error: { class: "rate_limit", status: 429, message: "slow down", code: "rate_limit_exceeded" },
  };
  const failures: readonly (readonly [string, string])[] = [
    ["an error event", streamed([...begun, error, stop("end"), end], telling().context)],
    ["an error first of all", streamed([error, end], telling().context)],
    [
      "a stop that is a failure",
      streamed([...begun, stop("error"), usage, end], telling().context),
    ],
    ["a cut", broken("surface")],
  ];
  function broken(mode: "surface" | "graceful"): string {
    const writer = codec.streamWriter(telling().context);
    const text = begun.map((event) => textOf(writer.write(event))).join("");
    const said = { mode, why: "timeout", requestId: "req_1", atBoundary: true } as const;
    const last = writer.fail({ ...said, id: undefined, model: undefined });
    expect(textOf(writer.end())).toBe("");
    return text + textOf(last);
  }
  test.each(failures)("%s ends with both events and makes the SDK throw", async (_, text) => {
    const events = wireEvents(text);
    expectNumbers(events);
    expect(events.slice(-2).map(({ type }) => type)).toEqual(["error", "response.failed"]);
    expect(await sdkReads(text).catch((thrown: unknown) => thrown)).toBeInstanceOf(APIError);
    const tap = streamTap();
    tap.feed(utf8(text));
    expect(tap.fault).toBeDefined();
  });
  test("the failed response holds what was done, not what was begun", () => {
    const half: IrEvent = {
      t: "block_start",
      c: 0,
      b: 1,
      block: { type: "tool_call", callId: "c", name: "f" },
    };
    const text = streamed([...begun, half, error], telling().context);
    expect(terminal(text)["output"]).toMatchObject([{ type: "message" }]);
  });
  test("its code and message are the error's own", async () => {
    const thrown = await sdkReads(failures[0]![1]).catch((one: unknown) => one);
    expect(thrown).toMatchObject({ code: "rate_limit_exceeded", type: "requests" });
    expect(terminal(failures[0]![1])).toMatchObject({
      status: "failed",
      error: { code: "rate_limit_exceeded", message: "slow down" },
    });
  });
  test("a graceful end is incomplete, with all that was said, and no throw", async () => {
    const text = broken("graceful");
    expectOrder(wireEvents(text));
    const final = await sdkReads(text);
    expect(final).toMatchObject({ status: "incomplete", error: { code: "server_error" } });
    expect(final["output"]).toMatchObject([{ content: [{ text: "so" }] }]);
  });
});

test("the echo of the request is the caller's own", () => {
  const body = {
    model: "alias",
    instructions: "be brief",
    input: "x",
    tools: [
      { type: "function", name: "f", parameters: null, strict: true },
      { type: "web_search" },
    ],
    tool_choice: { type: "web_search" },
    temperature: 0.5,
    parallel_tool_calls: false,
    metadata: { a: "b" },
    max_output_tokens: 9,
    text: { format: { type: "json_object" }, verbosity: "low" },
    reasoning: { effort: "low", summary: "auto" },
    user: "u",
    prompt_cache_key: "k",
  };
  const written = streamed([start, stop("end"), usage, end], telling(askedOf(body)).context);
  for (const event of wireEvents(written)) {
    const { model: _, input: __, ...echoed } = body;
    expect(event["response"]).toMatchObject(echoed);
  }
});
