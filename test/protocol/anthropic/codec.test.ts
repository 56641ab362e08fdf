import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { Rejection } from "../../../src/core/rejection.ts";
import { codec } from "../../../src/protocol/anthropic/codec.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import { fixture, haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import {
  completed,
  context,
  eventsOf,
  objectOf,
  plain,
  readAll,
  readRequest,
  writeAll,
} from "./pieces.ts";

const { capabilities } = codec;

/** What reading and writing again makes of a request; a loss is an error. */
function again(body: JsonObject): unknown {
  const report = (loss: unknown) => {
    throw new Error(JSON.stringify(loss));
  };
  const model = typeof body["model"] === "string" ? body["model"] : "m";
  return plain(codec.writeRequest(readRequest(body), { model, capabilities, report }));
}
const expectSame = (body: JsonObject) => expect(again(body)).toEqual(plain(body));

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const all = recordingsOf("anthropic");
  /** A request its own server refused for its shape. */
  const REFUSED = "dd-trace--anthropic_completion_error";
  /** Two streams put together by a relay. */
  const SPLICED = "vercel-ai--spliced-message-start";

  for (const { name, request } of all) {
    if (request === undefined || name === REFUSED) continue;
    test(`${name}: the request read and written is itself`, () => {
      const body = objectOf(request);
      // Vertex names the model in the path; this wire always has it in the body.
      const model = body["model"] ?? "m";
      expect(again(body)).toEqual(plain({ ...body, model }));
    });
  }
  for (const { name, response, status, streamed } of all) {
    if (streamed || status >= 400) continue;
    test(`${name}: the answer read and written is itself, with no loss`, () => {
      const body = objectOf(response);
      if (body["type"] !== "message") return; // A count of tokens.
      const told = context();
      expect(plain(codec.writeAnswer(codec.readAnswer(body), told))).toEqual(plain(body));
      expect(told.losses).toEqual([]);
    });
  }
  for (const { name, response, streamed } of all) {
    if (!streamed || name === SPLICED) continue;
    test(`${name}: the stream read and written has the same events, with no loss`, () => {
      const { body, losses } = writeAll(readAll(response.slice()));
      expect(eventsOf(body)).toEqual(eventsOf(completed(response)));
      expect(losses).toEqual([]);
    });
    test(`${name}: the stream is read the same by the byte`, () => {
      const bytes = Array.from(response, (_, at) => response.slice(at, at + 1));
      expect(plain(readAll(...bytes))).toEqual(plain(readAll(response.slice())));
    });
  }

  test("a request that its server refused for its shape is refused with its path", () => {
    const { request } = all.find(({ name }) => name === REFUSED)!;
    const read = codec.readRequest(objectOf(request!), { model: "m", stream: false });
    expect(read).toBeInstanceOf(Rejection);
    expect((read as Rejection).reason).toMatchObject({
      kind: "malformed",
      param: "messages[0]",
    });
  });
  test("a stream that starts over in the middle is an error, and nothing is read behind it", () => {
    const { response } = all.find(({ name }) => name === SPLICED)!;
    const events = readAll(response.slice());
    expect(events.at(-1)?.t).toBe("error");
    expect(events.filter(({ t }) => t === "start")).toHaveLength(1);
  });

  const captured = readdirSync(fixture("sdk-requests")).filter((name) => /^anthropic/.test(name));
  test.each(captured)("sdk-requests/%s read and written is itself", (name) => {
    const { body } = JSON.parse(readFileSync(fixture(`sdk-requests/${name}`), "utf8"));
    expectSame(body);
  });
});

describe("a request read and written is itself", () => {
  const ask = (members: object): JsonObject => ({
    model: "m",
    max_tokens: 9,
    messages: [{ role: "user", content: "hi" }],
    ...members,
  });
  const says = (...content: object[]) => ask({ messages: [{ role: "user", content }] });
  const text = { type: "text", text: "t" };

  test.each<[string, JsonObject]>([
    ["stream said to be off", ask({ stream: false })],
    ["stream on", ask({ stream: true })],
    ["an empty system list", ask({ system: [] })],
    [
      "system as blocks with a mark",
      ask({ system: [{ ...text, cache_control: { type: "ephemeral", ttl: "1h" } }] }),
    ],
    [
      "a mark of a kind to come",
      ask({ cache_control: { type: "lasting", ttl: "9h", scope: "all" } }),
    ],
    ["a null mark", says({ ...text, cache_control: null })],
    [
      "a system message in the middle",
      ask({
        messages: [
          { role: "user", content: "a" },
          { role: "system", content: [text] },
        ],
      }),
    ],
    ["empty content", ask({ messages: [{ role: "user", content: [] }] })],
    ["empty text", ask({ messages: [{ role: "assistant", content: "" }] })],
    ["metadata of nothing", ask({ metadata: {} })],
    ["metadata with more than a user", ask({ metadata: { user_id: "u", privacy: "private" } })],
    ["a null user", ask({ metadata: { user_id: null } })],
    ["a null thinking and stop list", ask({ thinking: null, stop_sequences: null, tools: null })],
    [
      "thinking with a budget",
      ask({ thinking: { type: "enabled", budget_tokens: 1024, display: "omitted" } }),
    ],
    [
      "adaptive thinking with effort",
      ask({
        thinking: { type: "adaptive", display: "summarized" },
        output_config: { effort: "max" },
      }),
    ],
    ["thinking between tools", ask({ thinking: { type: "between_tools" } })],
    ["thinking off", ask({ thinking: { type: "disabled" } })],
    ["thinking of a kind to come", ask({ thinking: { type: "later", depth: 3 } })],
    ["effort alone", ask({ output_config: { effort: "low" } })],
    ["an effort to come", ask({ output_config: { effort: "ultra", pace: 1 } })],
    [
      "a format",
      ask({ output_config: { format: { type: "json_schema", schema: { type: "object" }, x: 1 } } }),
    ],
    [
      "the older beta's format",
      ask({ output_format: { type: "json_schema", schema: { type: "object" } } }),
    ],
    [
      "both formats",
      ask({
        output_format: { type: "json_schema", schema: {} },
        output_config: { format: { type: "json_schema", schema: { a: 1 } } },
      }),
    ],
    [
      "parallel calls off",
      ask({ tools: [], tool_choice: { type: "any", disable_parallel_tool_use: true } }),
    ],
    ["parallel calls on", ask({ tool_choice: { type: "auto", disable_parallel_tool_use: false } })],
    [
      "one tool",
      ask({ tool_choice: { type: "tool", name: "f", disable_parallel_tool_use: true } }),
    ],
    ["no tool", ask({ tool_choice: { type: "none" } })],
    ["a choice to come", ask({ tool_choice: { type: "some", names: ["f"] } })],
    [
      "a tool with every option",
      ask({
        tools: [
          {
            type: "custom",
            name: "f",
            description: "d",
            input_schema: { type: "object" },
            strict: true,
            defer_loading: true,
            input_examples: [{}],
            allowed_callers: ["direct"],
            cache_control: { type: "ephemeral" },
          },
        ],
      }),
    ],
    [
      "a hosted tool",
      ask({ tools: [{ type: "web_search_20250305", name: "web_search", max_uses: null }] }),
    ],
    [
      "a toolset without a name",
      ask({ tools: [{ type: "browser_toolset_20260801", configs: null }] }),
    ],
    [
      "what only Anthropic has",
      ask({
        container: { id: "c", skills: [] },
        context_management: { edits: [] },
        mcp_servers: [{ name: "m" }],
        service_tier: "auto",
        speed: "fast",
        inference_geo: null,
        top_k: 3,
        top_p: 0.5,
        temperature: 0.7,
      }),
    ],
    [
      "images of all sources",
      says(
        {
          type: "image",
          source: { type: "base64", media_type: "image/png", data: "AAAA" },
          transformations: null,
        },
        {
          type: "image",
          source: { type: "url", url: "https://x.test/i.png" },
          cache_control: { type: "ephemeral" },
        },
        { type: "image", source: { type: "file", file_id: "file_1" } },
        { type: "image", source: { type: "future", id: 1 } },
      ),
    ],
    [
      "documents of all sources",
      says(
        {
          type: "document",
          source: { type: "base64", media_type: "application/pdf", data: "AAAA" },
          title: "t",
          context: "c",
          citations: { enabled: true },
        },
        {
          type: "document",
          source: { type: "text", media_type: "text/plain", data: "d" },
          citations: {},
          title: null,
        },
        { type: "document", source: { type: "url", url: "https://x.test/d.pdf" }, citations: null },
        { type: "document", source: { type: "content", content: "bare" } },
        {
          type: "document",
          source: {
            type: "content",
            content: [text, { type: "image", source: { type: "url", url: "u" } }],
          },
        },
        { type: "document", source: { type: "file", file_id: "file_1" } },
      ),
    ],
    [
      "search results",
      says({
        type: "search_result",
        source: "https://x.test",
        title: "t",
        content: [text],
        citations: { enabled: false, x: 1 },
      }),
    ],
    [
      "a search result of a shape to come",
      says({ type: "search_result", source: "s", title: "t", content: [{ type: "image" }] }),
    ],
    [
      "a file for the container",
      says({ type: "container_upload", file_id: "f", cache_control: { type: "ephemeral" } }),
    ],
    [
      "tool results of all forms",
      says(
        { type: "tool_result", tool_use_id: "a" },
        { type: "tool_result", tool_use_id: "b", content: "" },
        { type: "tool_result", tool_use_id: "c", content: [], is_error: false },
        {
          type: "tool_result",
          tool_use_id: "d",
          content: [text, { type: "tool_reference", tool_name: "f" }],
          is_error: true,
          toolset_name: null,
        },
      ),
    ],
    [
      "reasoning",
      ask({
        messages: [
          {
            role: "assistant",
            content: [
              { type: "thinking", thinking: "t", signature: "SIG" },
              { type: "thinking", thinking: "", signature: "" },
              { type: "thinking", thinking: "unsigned" },
              { type: "redacted_thinking", data: "RED" },
            ],
          },
        ],
      }),
    ],
    [
      "calls",
      ask({
        messages: [
          {
            role: "assistant",
            content: [
              { type: "tool_use", id: "a", name: "f", input: { n: 1 }, caller: { type: "direct" } },
              { type: "server_tool_use", id: "b", name: "web_search", input: {} },
              { type: "web_search_tool_result", tool_use_id: "b", content: [] },
              { type: "mcp_tool_use", id: "c", name: "g", server_name: "s", input: {} },
              { type: "mcp_tool_result", tool_use_id: "c", content: "x" },
              { type: "compaction", content: null, encrypted_content: "E" },
              { type: "block_to_come", inside: { a: [1] } },
              { no_type: true },
            ],
          },
        ],
      }),
    ],
    [
      "citations of all places",
      ask({
        messages: [
          {
            role: "assistant",
            content: [
              {
                ...text,
                citations: [
                  {
                    type: "char_location",
                    cited_text: "c",
                    document_index: 0,
                    document_title: null,
                    start_char_index: 1,
                    end_char_index: 2,
                    file_id: null,
                  },
                  {
                    type: "page_location",
                    cited_text: "c",
                    document_index: 1,
                    document_title: "d",
                    start_page_number: 1,
                    end_page_number: 2,
                    file_id: "f",
                  },
                  {
                    type: "content_block_location",
                    cited_text: "c",
                    document_index: 1,
                    document_title: "d",
                    start_block_index: 1,
                    end_block_index: 2,
                  },
                  {
                    type: "web_search_result_location",
                    cited_text: "c",
                    encrypted_index: "E",
                    title: null,
                    url: "https://x.test",
                  },
                  {
                    type: "search_result_location",
                    cited_text: "c",
                    search_result_index: 0,
                    source: "not a URL",
                    title: "t",
                    start_block_index: 0,
                    end_block_index: 1,
                  },
                  { type: "place_to_come", cited_text: "c", where: [1] },
                ],
              },
            ],
          },
        ],
      }),
    ],
    ["a citation list that is null", says({ ...text, citations: null })],
  ])("%s", (_, body) => expectSame(body));

  test("integers that a double cannot hold", () => {
    const bytes = new TextEncoder().encode(
      '{"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"n":12345678901234567890}}]}]}',
    );
    const read = codec.readRequest(objectOf(bytes), { model: "m", stream: false });
    if (read instanceof Rejection) throw new Error("refused");
    const written = codec.writeRequest(read, { model: "m", capabilities, report: () => {} });
    expect(JSON.stringify(written)).toContain("12345678901234567890");
  });
  test("members called as what every object has", () => {
    const body = JSON.parse(
      '{"model":"m","messages":[{"role":"user","content":"a","__proto__":{"x":1}}],"__proto__":{"y":2},"constructor":3}',
    );
    const read = codec.readRequest(body, { model: "m", stream: false });
    if (read instanceof Rejection) throw new Error("refused");
    const written = codec.writeRequest(read, { model: "m", capabilities, report: () => {} });
    expect(JSON.stringify(written)).toContain('"__proto__":{"y":2}');
    expect(JSON.stringify(written)).toContain('"__proto__":{"x":1}');
    expect(({} as { y?: number }).y).toBeUndefined();
  });
});

describe("a request that no server would take is refused with its path", () => {
  test.each<[JsonObject, string]>([
    [{}, "messages"],
    [{ messages: "hi" }, "messages"],
    [{ messages: ["hi"] }, "messages[0]"],
    [
      {
        messages: [
          { role: "user", content: "a" },
          { role: "robot", content: "b" },
        ],
      },
      "messages[1].role",
    ],
    [{ messages: [{ role: "user" }] }, "messages[0].content"],
    [{ messages: [{ role: "user", content: ["a"] }] }, "messages[0].content"],
  ])("%j", (body, param) => {
    const read = codec.readRequest(body, { model: "m", stream: false });
    expect((read as Rejection).reason).toMatchObject({ kind: "malformed", param });
  });
});
