import type { DialectId } from "../../../src/core/ids.ts";
import { anthropic } from "./anthropic.ts";
import type { Answer, Ask, Call, Speech, Turn } from "./ask.ts";
import { bedrock } from "./bedrock.ts";
import { cohere } from "./cohere.ts";
import { gemini } from "./gemini.ts";
import { openai } from "./openai.ts";
import { responses } from "./responses.ts";

export const SPEECHES: Readonly<Record<DialectId, Speech>> = {
  openai,
  responses,
  anthropic,
  gemini,
  bedrock,
  cohere,
};

/** One thing a user may do, and what the model answers to it. */
export interface Scenario {
  readonly name: string;
  readonly ask: Ask;
  readonly answer: Answer;
  /** The answer calls the first tool by whatever name it has where the answer comes from. */
  readonly callsByName?: true;
}

/** One pixel. */
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PDF = Buffer.from("%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n").toString("base64");
const QUESTION = "What is the weather in Paris?";
const SUNNY: Answer = { text: "It is sunny.", stop: "end" };
const TOOLS = ["get_weather"];

const call = (id: string, city: string): Call => ({ id, name: "get_weather", args: { city } });
const PARIS = call("call_paris01", "Paris");
const ROME = call("call_rome001", "Rome");
const says = (text: string): Turn => ({ role: "user", parts: [{ text }] });
const asks = (text: string, more: Partial<Ask> = {}): Ask => ({ turns: [says(text)], ...more });

/** A question, a call, and its result as given. */
function loop(result: {
  readonly text: string;
  readonly image?: string;
  readonly isError?: true;
}): Ask {
  const { id, name } = PARIS;
  return {
    tools: TOOLS,
    turns: [
      says(QUESTION),
      { role: "assistant", calls: [PARIS] },
      { role: "results", results: [{ id, name, ...result }] },
    ],
  };
}

const SIGNED = { text: "They want the weather.", signature: "c2lnbmVkIGJ5IHRoZSB2ZW5kb3I=" };

export const SCENARIOS: readonly Scenario[] = [
  { name: "text", ask: asks(QUESTION), answer: { ...SUNNY, cached: 8 } },
  { name: "system", ask: asks(QUESTION, { system: "Be brief." }), answer: SUNNY },
  {
    name: "multi-turn",
    ask: { turns: [says("Hi."), { role: "assistant", text: "Hello." }, says(QUESTION)] },
    answer: SUNNY,
  },
  {
    name: "image",
    ask: { turns: [{ role: "user", parts: [{ text: "What is it?" }, { image: PNG }] }] },
    answer: SUNNY,
  },
  {
    name: "PDF",
    ask: { turns: [{ role: "user", parts: [{ text: "Sum it up." }, { pdf: PDF }] }] },
    answer: SUNNY,
  },
  {
    name: "one tool",
    ask: asks(QUESTION, { tools: TOOLS, choice: "required" }),
    answer: { calls: [PARIS], stop: "tool_call" },
  },
  {
    name: "parallel tools",
    ask: asks("And in Rome?", { tools: TOOLS }),
    answer: { text: "Both, then.", calls: [PARIS, ROME], stop: "tool_call" },
  },
  {
    name: "renamed tool",
    ask: asks(QUESTION, { tools: ["get-weather"] }),
    answer: { calls: [{ ...PARIS, name: "get-weather" }], stop: "tool_call" },
    callsByName: true,
  },
  { name: "tool result", ask: loop({ text: "sunny" }), answer: SUNNY },
  { name: "tool error", ask: loop({ text: "no such city", isError: true }), answer: SUNNY },
  { name: "image in tool result", ask: loop({ text: "a map", image: PNG }), answer: SUNNY },
  {
    name: "thinking",
    ask: asks(QUESTION, { thinks: true, max: 8192 }),
    answer: { ...SUNNY, thought: SIGNED },
  },
  {
    name: "thinking and a tool",
    ask: asks(QUESTION, { thinks: true, max: 8192, tools: TOOLS }),
    answer: { thought: SIGNED, calls: [PARIS], stop: "tool_call" },
  },
  {
    name: "JSON schema",
    ask: asks(QUESTION, {
      schema: {
        type: "object",
        properties: { sunny: { type: "boolean" } },
        required: ["sunny"],
        additionalProperties: false,
      },
    }),
    answer: { text: '{"sunny":true}', stop: "end" },
  },
  {
    name: "stop sequence",
    ask: asks(QUESTION, { stop: ["END"] }),
    answer: { text: "It is sunny. ", stop: "stop_sequence" },
  },
  {
    name: "max tokens",
    ask: asks(QUESTION, { max: 20 }),
    answer: { text: "It is", stop: "length" },
  },
  {
    name: "cache marks",
    ask: {
      turns: [{ role: "user", parts: [{ text: "Long. ", isCached: true }, { text: QUESTION }] }],
    },
    answer: { ...SUNNY, cached: 30 },
  },
  {
    name: "citations",
    ask: asks(QUESTION),
    answer: { ...SUNNY, source: { url: "https://example.com/w", title: "Weather" } },
  },
  { name: "refusal", ask: asks("Be bad."), answer: { refusal: "I cannot.", stop: "refusal" } },
  { name: "blocked prompt", ask: asks("Be bad."), answer: { stop: "blocked" } },
  { name: "empty answer", ask: asks("Say nothing."), answer: { stop: "end" } },
  {
    name: "two candidates",
    ask: asks(QUESTION, { n: 2 }),
    answer: { ...SUNNY, other: "It is not." },
  },
  {
    name: "log probabilities",
    ask: asks(QUESTION, { logprobs: true }),
    answer: { text: "Yes", logprobs: [["Yes", -0.25]], stop: "end" },
  },
  {
    name: "unicode",
    ask: asks("Wie ist es in Köln? 🌦️ \u2028 𝒳", { system: "日本語で。" }),
    answer: { text: "Schön ☀️ 𝒳 e\u0301\u2028\n\ndata: ok", stop: "end" },
  },
];
