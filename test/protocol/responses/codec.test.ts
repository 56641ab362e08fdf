import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Rejection } from "../../../src/core/rejection.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import { codec } from "../../../src/protocol/responses/codec.ts";
import { haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import {
  answers,
  askedOf,
  eventsOf,
  objectOf,
  plain,
  recordings,
  sdkRequests,
  streamed,
  streams,
  telling,
  textOf,
  utf8,
  type WireEvent,
  wireEvents,
} from "./recorded.ts";

const requests = recordings.flatMap(({ name, request }) =>
  request === undefined ? [] : [{ name, body: objectOf(request) }],
);
const requested = (body: JsonObject) => {
  const losses: unknown[] = [];
  const { capabilities } = codec;
  const report = (loss: unknown) => void losses.push(loss);
  const model = body["model"] as string;
  const written = codec.writeRequest(askedOf(body), { model, capabilities, report });
  return { written: plain(written), losses };
};

describe.skipIf(!haveRecordings)(`identity ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  test("every recording is here", () => {
    expect([requests.length, answers.length, streams.length]).toEqual([117, 60, 42]);
  });
  test.each([...requests, ...sdkRequests])("request $name is written as it was", ({ body }) => {
    expect(requested(body)).toEqual({ written: plain(body), losses: [] });
  });
  test.each(answers)("answer $name is written as it was", ({ response }) => {
    const body = objectOf(response);
    const { context, losses } = telling();
    expect(plain(codec.writeAnswer(codec.readAnswer(body), context))).toEqual(plain(body));
    expect(losses).toEqual([]);
  });
  test.each(streams)("stream $name is written as it was", ({ response }) => {
    const { context, losses } = telling();
    const written = streamed(eventsOf(response.slice()), context);
    // JSON prints the -0.0 of one log probability as 0.
    expect(wireEvents(written)).toEqual(plain(wireEvents(response)) as WireEvent[]);
    expect(losses).toEqual([]);
  });
});

describe("identity where no recording shows it", () => {
  const input = (...items: JsonObject[]): JsonObject => ({ model: "m", input: items });
  test.each<[string, JsonObject]>([
    ["no input", { model: "m", prompt: { id: "pmpt_1" } }],
    ["an empty input", { model: "m", input: [] }],
    ["nulls", { model: "m", input: "x", tools: null, text: null, reasoning: null, include: null }],
    ["empty objects", { model: "m", input: "x", text: {}, reasoning: {}, metadata: {}, tools: [] }],
    ["an effort of next year", { model: "m", input: "x", reasoning: { effort: "ultra" } }],
    ["no stream said and off", { model: "m", input: "x", stream: false }],
    ["both names of a user", { model: "m", input: "x", user: "a", safety_identifier: "b" }],
    ["the newer name of a user", { model: "m", input: "x", safety_identifier: "b" }],
    [
      "include in another order",
      {
        model: "m",
        input: "x",
        include: [
          "message.output_text.logprobs",
          "file_search_call.results",
          "reasoning.encrypted_content",
        ],
      },
    ],
    ["a list for instructions", { model: "m", input: "x", instructions: [{ role: "user" }] }],
    ["a role of next year", input({ role: "critic", content: "x" })],
    ["typed messages", input({ type: "message", role: "user", content: "x", status: "completed" })],
    ["an empty content", input({ role: "user", content: [] })],
    ["an assistant's empty content", input({ role: "assistant", content: [] })],
    [
      "a bare assistant beside calls",
      input(
        { role: "assistant", content: "so" },
        { type: "function_call", call_id: "c", name: "f", arguments: "" },
        { type: "message", role: "assistant", content: "then", phase: null, mood: { a: 1 } },
        { role: "assistant", content: [{ type: "input_text", text: "odd", extra: 1 }] },
      ),
    ],
    [
      "messages side by side",
      input({ role: "assistant", content: "a" }, { role: "assistant", content: "b" }),
    ],
    ["a reference", input({ type: "item_reference", id: "msg_1" })],
    ["a null name", input({ type: "function_call", call_id: null, name: null, arguments: "{}" })],
    [
      "results",
      input(
        { type: "function_call_output", call_id: "c", output: "" },
        {
          type: "custom_tool_call_output",
          call_id: "d",
          output: [{ type: "input_text", text: "x" }],
        },
        {
          type: "function_call_output",
          call_id: "e",
          output: [],
          status: "completed",
          caller: null,
        },
        { type: "computer_call_output", call_id: "f", output: { type: "computer_screenshot" } },
      ),
    ],
    [
      "media in all forms",
      input({
        role: "user",
        content: [
          { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "high" },
          { type: "input_image", image_url: "DATA:image/png;charset=x;base64,AA%41A" },
          { type: "input_image", image_url: "data:,a%20b" },
          { type: "input_image", image_url: "data:,%zz" },
          { type: "input_image", image_url: null, file_id: "file-1", detail: "auto" },
          { type: "input_image", image_url: "https://x.test/a.png" },
          { type: "input_file", file_data: "QUJD", filename: "a.txt" },
          { type: "input_file", file_url: "https://x.test/a.pdf" },
          { type: "input_file", file_id: "file-2", prompt_cache_breakpoint: { mode: "explicit" } },
          { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
          {
            type: "input_text",
            text: "x",
            prompt_cache_breakpoint: { mode: "explicit", ttl: "12h" },
          },
        ],
      }),
    ],
    [
      "reasoning",
      input(
        {
          type: "reasoning",
          id: "rs_1",
          summary: [],
          status: "completed",
          encrypted_content: null,
        },
        { type: "reasoning", summary: [{ type: "summary_text", text: "a", x: 1 }], content: [] },
        {
          type: "reasoning",
          summary: [{ type: "summary_text", text: "a" }],
          content: [
            { type: "reasoning_text", text: "b" },
            { type: "reasoning_text", text: "c" },
          ],
          encrypted_content: "e",
        },
      ),
    ],
    [
      "annotations",
      input({
        type: "message",
        id: "msg_1",
        status: "completed",
        role: "assistant",
        content: [
          { type: "refusal", refusal: "no" },
          {
            type: "output_text",
            text: "x",
            logprobs: [{ token: "x", logprob: -1, bytes: null, top_logprobs: [] }],
            annotations: [
              {
                type: "url_citation",
                start_index: 0,
                end_index: 1,
                url: "https://x.test",
                title: "t",
              },
              { type: "file_citation", file_id: "f", filename: "n", index: 3 },
              {
                type: "container_file_citation",
                container_id: "c",
                file_id: "f",
                filename: "n",
                start_index: 0,
                end_index: 1,
              },
              { type: "file_path", file_id: "f", index: 1 },
              { type: "of_next_year", start_index: 1 },
            ],
          },
          {
            type: "output_text",
            text: "y",
            logprobs: [{ token: "y", logprob: 0, extra: 1 }],
            annotations: ["z"],
          },
          { type: "output_of_next_year", text: 1 },
        ],
      }),
    ],
    [
      "tool choices",
      {
        model: "m",
        input: "x",
        tool_choice: {
          type: "allowed_tools",
          mode: "auto",
          tools: [{ type: "custom", name: "f" }],
        },
      },
    ],
    [
      "a hosted choice",
      { model: "m", input: "x", tool_choice: { type: "mcp", server_label: "s" } },
    ],
    ["a custom choice", { model: "m", input: "x", tool_choice: { type: "custom", name: "s" } }],
    [
      "tools",
      {
        model: "m",
        input: "x",
        tools: [
          { type: "function", name: "f", description: null, parameters: null, strict: null },
          { type: "function", name: "g" },
          {
            type: "custom",
            name: "h",
            format: { type: "grammar", syntax: "lark", definition: "x" },
          },
          { type: "namespace", name: "n", tools: [] },
        ],
      },
    ],
    [
      "formats",
      {
        model: "m",
        input: "x",
        text: {
          format: { type: "json_schema", name: "n", schema: null, strict: null },
          verbosity: null,
        },
      },
    ],
    ["a format of next year", { model: "m", input: "x", text: { format: { type: "yaml" } } }],
  ])("%s", (_, body) => {
    expect(requested(body)).toEqual({ written: plain(body), losses: [] });
  });
});

// Whatever somebody sends, in the words of this wire.
const word = fc.constantFrom(
  "message",
  "reasoning",
  "function_call",
  "function_call_output",
  "custom_tool_call",
  "assistant",
  "user",
  "output_text",
  "input_text",
  "refusal",
  "input_image",
  "summary_text",
  "url_citation",
  "completed",
  "data:image/png;base64,AA",
  "json_schema",
  "allowed_tools",
  "function",
  "",
  "x",
  "response.completed",
  "response.output_item.added",
  "response.output_item.done",
  "response.failed",
  "response.content_part.added",
  "response.output_text.delta",
  "response.output_text.done",
  "error",
  "response.function_call_arguments.delta",
  "response.reasoning_summary_text.delta",
);
const name = fc.constantFrom(
  "type",
  "role",
  "id",
  "content",
  "text",
  "input",
  "output",
  "arguments",
  "name",
  "call_id",
  "item",
  "part",
  "delta",
  "response",
  "item_id",
  "output_index",
  "content_index",
  "summary_index",
  "summary",
  "annotations",
  "annotation",
  "logprobs",
  "status",
  "error",
  "usage",
  "tools",
  "tool_choice",
  "reasoning",
  "include",
  "image_url",
  "file_data",
  "metadata",
  "encrypted_content",
  "__proto__",
  "constructor",
  "toString",
  "stream",
  "model",
  "instructions",
  "message",
  "code",
  "phase",
);
const { hostile } = fc.letrec<{ hostile: unknown }>((tie) => ({
  hostile: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    word,
    fc.constantFrom(null, true, false, 0, 1, -1, 1.5, 1e300, "\ud800"),
    fc.array(tie("hostile"), { maxLength: 4 }),
    fc.dictionary(name, tie("hostile"), { maxKeys: 7 }),
  ),
}));
const body = fc
  .dictionary(name, hostile, { maxKeys: 10 })
  .map((said) => objectOf(utf8(JSON.stringify(said))));

describe("hostile input", () => {
  test("a request is refused or comes back as it was", () => {
    const property = fc.property(body, (said) => {
      const read = codec.readRequest(said, { model: "m", stream: false });
      if (read instanceof Rejection) return;
      const { capabilities } = codec;
      const report = () => undefined;
      const written = codec.writeRequest(read, { model: read.model, capabilities, report });
      const { model: _, ...expected } = plain(said) as Record<string, unknown>;
      const { model: __, ...found } = plain(written) as Record<string, unknown>;
      expect(found).toEqual(expected);
    });
    fc.assert(property, { numRuns: 500 });
  });
  test("an answer comes back as it was", () => {
    const property = fc.property(body, (said) => {
      const { object: _, ...found } = codec.writeAnswer(codec.readAnswer(said), telling().context);
      const { object: __, ...expected } = plain(said) as Record<string, unknown>;
      expect(plain(found)).toEqual(expected);
    });
    fc.assert(property, { numRuns: 500 });
  });
  test("a stream is read and written without a throw, as its own and as another's", () => {
    const property = fc.property(fc.array(body, { maxLength: 8 }), (said) => {
      const bytes = utf8(said.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
      const events = eventsOf(bytes);
      streamed(events, telling().context);
      const other = events.map(({ ext: _, ...event }) => event as (typeof events)[number]);
      expect(wireEvents(streamed(other, telling().context)).length).toBeGreaterThan(0);
    });
    fc.assert(property, { numRuns: 500 });
  });
  test("a type with a line end forges no event", () => {
    const forged = { type: "x\n\ndata: forged", response: {} };
    const written = streamed(
      eventsOf(utf8(`data: ${JSON.stringify(forged)}\n\n`)),
      telling().context,
    );
    expect(wireEvents(written)).toEqual([forged]);
  });
  test("bytes that are no text at all are stepped over", () => {
    const bytes = new Uint8Array([
      0xff,
      0xfe,
      0x0a,
      0x0a,
      ...utf8("data: {]\n\nevent: error\ndata: no\n\n"),
    ]);
    expect(eventsOf(bytes).map(({ t }) => t)).toEqual(["error"]);
    expect(textOf(bytes)).toContain("no");
  });
});
