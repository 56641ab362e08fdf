import fc from "fast-check";
import type { Json, JsonObject } from "../../../src/protocol/ir/json.ts";

/** Text that wants care: astral, escapes, empty, what looks like the wire itself. */
export const text = fc.oneof(
  fc.constantFrom("", " ", "é𝄞\u2028", '{"a":1}', "data: [DONE]\n\n", "__proto__", "constructor"),
  fc.string({ unit: "binary", maxLength: 20 }),
);
export const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>;
const object = fc.dictionary(text, json, { maxKeys: 3 }) as fc.Arbitrary<JsonObject>;
/** Members this build does not know, and known ones of a wrong kind. */
const unknown = fc.dictionary(fc.constantFrom("x_new", "cache_control", "note"), json, {
  maxKeys: 2,
});

function record(members: Record<string, fc.Arbitrary<unknown>>, ...required: string[]) {
  return fc
    .tuple(fc.record(members, { requiredKeys: required }), unknown)
    .map(([known, more]) => ({ ...known, ...more })) as fc.Arbitrary<JsonObject>;
}
const type = (word: string) => fc.constant(word);

const textPart = record({ type: type("text"), text }, "type", "text");
const thinkingPart = record({ type: type("thinking"), thinking: text }, "type", "thinking");
const url = fc.oneof(
  fc.constantFrom(
    "https://a.test/b.png",
    "data:image/png;base64,AAAA",
    "data:image/svg+xml;charset=utf-8,%3Csvg/%3E",
    "data:;base64,QQ==",
    "DATA:IMAGE/PNG;BASE64,AAAA",
    "data:image/png;base64",
    "data:x,%ZZ",
  ),
  text,
);
const imagePart = record(
  {
    type: type("image_url"),
    image_url: record({ url, detail: fc.constantFrom("auto", "low") }, "url"),
  },
  "type",
  "image_url",
);
const documentPart = record(
  { type: type("document"), document: record({ id: text, data: object }, "data") },
  "type",
  "document",
);
const oddPart = record({ type: fc.oneof(fc.constantFrom("text", "image_url", "audio"), json) });
const parts = (...some: fc.Arbitrary<JsonObject>[]) =>
  fc.oneof(text, fc.array(fc.oneof(...some, oddPart), { maxLength: 4 }), fc.constant(null));

const source = fc.oneof(
  record({ type: type("tool"), id: text, tool_output: object }, "type"),
  record({ type: type("document"), id: text, document: object }, "type"),
  json,
);
const citation = record({
  start: fc.nat(30),
  end: fc.nat(30),
  text,
  sources: fc.array(source, { maxLength: 3 }),
  type: fc.constantFrom("TEXT_CONTENT", "PLAN"),
  content_index: fc.nat(4),
});
export const call = record(
  {
    id: text,
    type: type("function"),
    function: record({ name: text, arguments: fc.oneof(text, json) }, "name"),
  },
  "type",
  "function",
);

const assistant = record(
  {
    role: type("assistant"),
    content: parts(textPart, thinkingPart),
    tool_plan: fc.oneof(text, fc.constant(null)),
    tool_calls: fc.oneof(fc.array(call, { maxLength: 3 }), json),
    citations: fc.array(citation, { maxLength: 3 }),
  },
  "role",
);
const message = fc.oneof(
  record({ role: fc.constantFrom("system", "user"), content: parts(textPart, imagePart) }, "role"),
  assistant,
  record(
    { role: type("tool"), tool_call_id: text, content: parts(textPart, documentPart) },
    "role",
  ),
);
const tool = fc.oneof(
  record(
    {
      type: type("function"),
      function: record({ name: text, description: text, parameters: object }, "name"),
    },
    "type",
    "function",
  ),
  record({ type: text }),
);
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.nat(),
  fc.constant(null),
);

/** Requests the server takes, and many that it would not. */
export const request = record(
  {
    model: type("command"),
    messages: fc.array(message, { maxLength: 5 }),
    tools: fc.array(tool, { maxLength: 3 }),
    strict_tools: fc.oneof(fc.boolean(), fc.constant(null)),
    tool_choice: fc.constantFrom("REQUIRED", "NONE", "AUTO", null),
    documents: fc.array(fc.oneof(text, record({ id: text, data: object }, "data")), {
      maxLength: 2,
    }),
    citation_options: object,
    safety_mode: fc.constantFrom("STRICT", "OFF"),
    response_format: record({
      type: fc.constantFrom("text", "json_object", "x"),
      json_schema: object,
    }),
    max_tokens: number,
    stop_sequences: fc.oneof(fc.array(text), json),
    temperature: number,
    seed: number,
    frequency_penalty: number,
    presence_penalty: number,
    k: number,
    p: number,
    logprobs: fc.oneof(fc.boolean(), fc.constant(null)),
    thinking: record({ type: fc.constantFrom("enabled", "disabled", "x"), token_budget: number }),
    priority: fc.nat(),
    stream: fc.boolean(),
  },
  "model",
  "messages",
);

/** Answers the server gives, and many that it never would. */
export const answer = record(
  {
    id: text,
    message: fc.oneof(assistant, fc.constant(null)),
    finish_reason: fc.oneof(
      fc.constantFrom("COMPLETE", "TOOL_CALL", "ERROR_TOXIC", "constructor", null),
      text,
    ),
    usage: record({ tokens: object, billed_units: object, cached_tokens: number }),
    logprobs: fc.array(
      record({ text, token_ids: fc.array(fc.nat()), logprobs: fc.array(fc.double()) }),
      { maxLength: 3 },
    ),
  },
  "message",
);
