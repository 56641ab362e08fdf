import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Chunk } from "../../../src/core/units.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import { codec } from "../../../src/protocol/responses/codec.ts";
import { haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import {
  accumulated,
  eventsOf,
  foreign,
  gist,
  objectOf,
  sse,
  streams,
  terminal,
  utf8,
} from "./recorded.ts";

const told = (...events: object[]): IrEvent[] => foreign(eventsOf(utf8(sse(...events))));
const gists = (events: readonly IrEvent[]) => accumulated(events).map(gist);
const of = <T extends IrEvent["t"]>(events: readonly IrEvent[], t: T) =>
  events.filter((event): event is Extract<IrEvent, { t: T }> => event.t === t);

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  test.each(streams)("$name builds up what its terminal event holds", ({ response }) => {
    const events = eventsOf(response.slice());
    const answer = codec.readAnswer(objectOf(utf8(JSON.stringify(terminal(response)))));
    expect(gists(events)).toEqual(answer.candidates[0]!.blocks.map(gist));
    expect(of(events, "stop").map(({ stop }) => stop.kind)).toEqual([
      answer.candidates[0]!.stop!.kind,
    ]);
    expect(of(events, "usage").at(-1)?.usage).toEqual(answer.usage!);
    expect(events.at(-1)?.t).toBe("end");
  });
  test.each(streams)("$name follows the grammar", ({ response }) =>
    expectGrammar(eventsOf(response.slice())),
  );
  test.each(streams)("$name is the same in any chunks", ({ response }) => {
    const whole = eventsOf(response.slice());
    const bytes: Chunk[] = Array.from(response, (_, at) => response.slice(at, at + 1));
    expect(eventsOf(...bytes)).toEqual(whole);
    const property = fc.property(fc.nat(response.length), (at) => {
      expect(eventsOf(response.slice(0, at), response.slice(at))).toEqual(whole);
    });
    fc.assert(property, { numRuns: 5 });
  });
  test.each(streams)("$name cut anywhere never ends", ({ response }) => {
    const text = new TextDecoder().decode(response);
    const last = text.trimEnd().lastIndexOf("\n\n", text.lastIndexOf("response.completed"));
    for (let cut = 0; cut >= 0 && cut <= last; cut = text.indexOf("\n\n", cut + 2)) {
      expect(of(eventsOf(utf8(text.slice(0, cut + 2))), "end")).toEqual([]);
    }
  });
});

/** One start; blocks started, grown, stopped once; nothing behind the end. */
function expectGrammar(events: readonly IrEvent[]): void {
  const open = new Set<number>();
  let next = 0;
  expect(events[0]?.t).toBe("start");
  expect(of(events, "start")).toHaveLength(1);
  for (const event of events) {
    if (event.t === "block_start") {
      expect(event.b).toBe(next++);
      open.add(event.b);
    }
    if (event.t === "delta") expect(open.has(event.b)).toBe(true);
    if (event.t === "block_stop") expect(open.delete(event.b)).toBe(true);
  }
  expect(open.size).toBe(0);
}

const message = (text: string) => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text, annotations: [], logprobs: [] }],
});
const call = (args: string) => ({
  id: "fc_1",
  type: "function_call",
  call_id: "c",
  name: "f",
  arguments: args,
});
const created = { type: "response.created", response: { id: "resp_1", model: "m", created_at: 7 } };
const completed = (...output: object[]) => ({
  type: "response.completed",
  response: { id: "resp_1", status: "completed", output },
});
const at = { item_id: "msg_1", output_index: 0, content_index: 0 };

describe("what a host leaves out", () => {
  test("everything but the terminal event is in that one", () => {
    const events = told(completed(message("hello"), call("{}")));
    expect(gists(events)).toEqual([
      { text: "hello", id: "msg_1", cites: 0 },
      { call: "c", name: "f", args: "{}" },
    ]);
    expect(of(events, "stop")[0]!.stop.kind).toBe("tool_call");
    expectGrammar(events);
  });
  test("the added of an item and of a part", () => {
    const events = told(
      created,
      { type: "response.output_text.delta", ...at, delta: "hel" },
      { type: "response.output_text.delta", ...at, delta: "lo" },
      completed(message("hello")),
    );
    expect(gists(events)).toEqual([{ text: "hello", id: "msg_1", cites: 0 }]);
    expectGrammar(events);
  });
  test("deltas: the done of a text, a part, an item adds what is missing and nothing twice", () => {
    for (const done of [
      { type: "response.output_text.done", ...at, text: "hello" },
      { type: "response.content_part.done", ...at, part: message("hello").content[0] },
      { type: "response.output_item.done", output_index: 0, item: message("hello") },
    ]) {
      const events = told(
        created,
        {
          type: "response.output_item.added",
          output_index: 0,
          item: { ...message(""), content: [] },
        },
        { type: "response.output_text.delta", ...at, delta: "hel" },
        done,
        completed(message("hello")),
      );
      const texts = of(events, "delta").map(({ d }) => d);
      expect(texts).toEqual([
        { k: "text", text: "hel" },
        { k: "text", text: "lo" },
      ]);
      expectGrammar(events);
    }
  });
  test("arguments, in part and altogether", () => {
    const events = told(
      created,
      { type: "response.output_item.added", output_index: 0, item: call("") },
      {
        type: "response.function_call_arguments.delta",
        output_index: 0,
        item_id: "fc_1",
        delta: '{"a"',
      },
      { type: "response.function_call_arguments.done", output_index: 0, arguments: '{"a":1}' },
      { type: "response.output_item.done", output_index: 0, item: call('{"a":1}') },
      { type: "response.output_item.done", output_index: 1, item: { ...call("{}"), id: "fc_2" } },
      completed(call('{"a":1}'), { ...call("{}"), id: "fc_2" }),
    );
    expect(gists(events).map((one) => (one as { args: string }).args)).toEqual(['{"a":1}', "{}"]);
    expectGrammar(events);
  });
  test("reasoning that only its item tells, and its seal", () => {
    const item = {
      id: "rs_1",
      type: "reasoning",
      summary: [
        { type: "summary_text", text: "a" },
        { type: "summary_text", text: "b" },
      ],
      encrypted_content: "e",
    };
    const events = told(
      created,
      { type: "response.output_item.done", output_index: 0, item },
      completed(item),
    );
    expect(accumulated(events)).toEqual([
      {
        type: "reasoning",
        id: "rs_1",
        summary: ["a", "b"],
        sealed: { value: "e", encoding: "plain", family: "openai" },
      },
    ]);
  });
  test("a done that is no longer version of the deltas adds nothing, and is told at the end", () => {
    const events = told(
      created,
      { type: "response.output_text.delta", ...at, delta: "hello" },
      { type: "response.output_text.done", ...at, text: "Good day" },
      completed(message("Good day")),
    );
    expect(gists(events)).toEqual([{ text: "hello", id: "msg_1", cites: 0 }]);
    expect(of(events, "block_stop")[0]!.final).toMatchObject({ text: "Good day" });
  });
  test("log probabilities that only the done has, and none twice", () => {
    const logprobs = [{ token: "x", logprob: -1, bytes: [120], top_logprobs: [] }];
    const whole = {
      ...message("x"),
      content: [{ type: "output_text", text: "x", annotations: [], logprobs }],
    };
    for (const early of [[], logprobs]) {
      const events = told(
        created,
        { type: "response.output_text.delta", ...at, delta: "x", logprobs: early },
        completed(whole),
      );
      expect(accumulated(events)).toMatchObject([{ logprobs: [{ token: "x", top: [] }] }]);
    }
  });
  test("the id under which the terminal event repeats an item", () => {
    const events = told(
      created,
      { type: "response.output_text.delta", ...at, delta: "hello" },
      completed({ ...message("hello"), id: "another" }),
    );
    expect(gists(events)).toHaveLength(1);
  });
  test("event lines, with [DONE] behind it all", () => {
    const events = eventsOf(utf8(`${sse(created, completed(message("x")))}data: [DONE]\n\n`));
    expect(events.at(-1)!.t).toBe("end");
    expect(of(events, "error")).toEqual([]);
  });
  test("the type in the data", () => {
    const { type, ...rest } = completed(message("x"));
    const events = eventsOf(utf8(`event: ${type}\ndata: ${JSON.stringify(rest)}\n\n`));
    expect(gists(events)).toEqual([{ text: "x", id: "msg_1", cites: 0 }]);
  });
});

describe("what a host adds", () => {
  test("an unknown event is kept, and what a hosted tool does on its way is not told", () => {
    const events = told(
      created,
      {
        type: "response.output_item.added",
        output_index: 0,
        item: { id: "ws_1", type: "web_search_call" },
      },
      { type: "response.web_search_call.searching", output_index: 0, item_id: "ws_1" },
      { type: "response.of_next_year", x: 1 },
      { type: "keepalive", sequence_number: 4 },
      completed({ id: "ws_1", type: "web_search_call", status: "completed" }),
    );
    expect(of(events, "raw").map(({ event }) => event)).toEqual(["response.of_next_year"]);
    expect(of(events, "ping")).toHaveLength(1);
    expect(of(events, "block_stop")[0]!.final).toMatchObject({ raw: { status: "completed" } });
  });
  test("a tier, and a state before the first word", () => {
    const events = told(
      { type: "response.queued", response: { id: "resp_1" } },
      { type: "response.completed", response: { service_tier: "flex", output: [] } },
    );
    expect(of(events, "start")[0]).toMatchObject({ id: "resp_1" });
    expect(of(events, "meta").map(({ patch }) => patch)).toEqual([
      { status: "queued" },
      { tier: "flex" },
    ]);
  });
});

describe("how it ends", () => {
  test.each([
    [
      "response.incomplete",
      { incomplete_details: { reason: "max_output_tokens" }, status: "incomplete" },
      "length",
    ],
    [
      "response.incomplete",
      { incomplete_details: { reason: "content_filter" }, status: "incomplete" },
      "content_filter",
    ],
    [
      "response.incomplete",
      { incomplete_details: { reason: "steered" }, status: "incomplete" },
      "steered",
    ],
    ["response.incomplete", { status: "incomplete" }, "other"],
    ["response.cancelled", { status: "cancelled" }, "other"],
    ["response.completed", { status: "completed", output: [message("x")] }, "end"],
  ] as const)("%s %j is %s", (type, response, kind) => {
    expect(of(told(created, { type, response }), "stop").map(({ stop }) => stop.kind)).toEqual([
      kind,
    ]);
  });
  test.each([
    [
      { type: "error", code: "server_error", message: "Our servers are currently overloaded." },
      "overloaded",
    ],
    [{ type: "error", error: { code: "insufficient_quota", message: "no" } }, "quota"],
    [
      {
        type: "response.failed",
        response: { status: "failed", error: { code: "rate_limit_exceeded", message: "no" } },
      },
      "rate_limit",
    ],
    [{ error: { code: 429, message: "no" } }, "rate_limit"],
  ])("%j is an error, and nothing follows it", (event, kind) => {
    const events = told(created, event, completed(message("x")));
    expect(of(events, "error").map(({ error }) => error.class)).toEqual([kind as never]);
    expect(of(events, "end")).toEqual([]);
    expect(of(events, "stop")).toEqual([]);
  });
});
