import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { DialectId } from "../../../../src/core/ids.ts";
import { codec as anthropic } from "../../../../src/protocol/anthropic/codec.ts";
import type { JsonObject } from "../../../../src/protocol/ir/json.ts";
import type { IrRequest } from "../../../../src/protocol/ir/request.ts";
import { codec as bedrock } from "../../../../src/protocol/bedrock/codec.ts";
import { codec as gemini } from "../../../../src/protocol/gemini/codec.ts";
import { codec as openai } from "../../../../src/protocol/openai/codec.ts";
import { codec as responses } from "../../../../src/protocol/responses/codec.ts";
import { OWN, prepared } from "../preparing.ts";

type Wire = Exclude<DialectId, "cohere">;
const codecs = { openai, responses, anthropic, gemini, bedrock };
const WIRES = Object.keys(codecs) as readonly Wire[];

const place = { city: "Bern", country: "CH", region: "BE", timezone: "Europe/Zurich" };
const near = { type: "approximate", ...place };
const allowed_domains = ["example.com"];
const messages = [{ role: "user", content: "hi" }];
/** A search as each wire asks for it, with all it can say of it that another may take. */
const ASKED: Readonly<Record<Wire, JsonObject>> = {
  openai: {
    messages,
    web_search_options: { user_location: { type: "approximate", approximate: place } },
  },
  responses: {
    input: "hi",
    tools: [{ type: "web_search", filters: { allowed_domains }, user_location: near }],
  },
  anthropic: {
    ...{ max_tokens: 9, messages },
    tools: [
      { type: "web_search_20250305", name: "web_search", allowed_domains, user_location: near },
    ],
  },
  gemini: { contents: [{ role: "user", parts: [{ text: "hi" }] }], tools: [{ googleSearch: {} }] },
  bedrock: {
    messages: [{ role: "user", content: [{ text: "hi" }] }],
    toolConfig: { tools: [{ systemTool: { name: "nova_grounding" } }] },
  },
};
const head = { model: "m", stream: false };
const read = (wire: Wire, body: JsonObject) => codecs[wire].readRequest(body, head) as IrRequest;

/** What goes up, and what was lost of the search. */
function sent(from: Wire, to: Wire, { body = ASKED[from], can = true } = {}) {
  const told = prepared(read(from, body), to, { webSearch: can ? [to] : [] });
  const capabilities = OWN[to];
  const report = (): void => {};
  const up = codecs[to].writeRequest(told.request, { model: "m", capabilities, report });
  return { up, lost: told.lost.filter((code) => code.startsWith("L-HOSTED")) };
}

describe("a search of the web", () => {
  for (const from of WIRES) {
    for (const to of WIRES.filter((wire) => wire !== from)) {
      test(`${from} to ${to}: is the target's own`, () => {
        const { up, lost } = sent(from, to);
        const found = JSON.stringify(up["tools"] ?? up["web_search_options"] ?? up["toolConfig"]);
        const isNarrow = from === "gemini" || from === "bedrock";
        const takesDomains = to === "responses" || to === "anthropic";
        const takesPlace = takesDomains || to === "openai";
        expect(found).toMatch(WORDS[to]);
        expect(found.includes("Bern")).toBe(!isNarrow && takesPlace);
        const asksDomains = from === "responses" || from === "anthropic";
        expect(found.includes("example.com")).toBe(asksDomains && takesDomains);
        expect(lost.filter((code) => code.includes("emulated"))).toHaveLength(1);
        expect(lost.some((code) => code.includes("domains"))).toBe(asksDomains && !takesDomains);
        expect(lost.some((code) => code.includes("location"))).toBe(!isNarrow && !takesPlace);
      });

      test(`${from} to ${to}: is refused where the model has none`, () => {
        const { lost } = sent(from, to, { can: false });
        expect(lost).toEqual([expect.stringMatching(/^L-HOSTED \S+ dropped$/)]);
      });
    }
  }

  test("goes between Responses and Messages and back as it came", () => {
    const domains = fc.uniqueArray(fc.domain(), { minLength: 1, maxLength: 3 });
    const somewhere = fc.record(
      { city: fc.string({ minLength: 1 }), country: fc.constantFrom("CH", "US") },
      { requiredKeys: ["city"] },
    );
    fc.assert(
      fc.property(fc.option(domains), fc.option(somewhere), (allowed, at) => {
        const tool = {
          type: "web_search",
          ...(allowed && { filters: { allowed_domains: allowed } }),
          ...(at && { user_location: { type: "approximate", ...at } }),
        };
        const body = { input: "hi", tools: [tool] };
        const over = sent("responses", "anthropic", { body });
        const back = sent("anthropic", "responses", { body: over.up });
        expect(JSON.parse(JSON.stringify(back.up["tools"]))).toEqual([tool]);
      }),
    );
  });

  test.each([
    ["anthropic", { max_uses: 3 }, "tools[0].max_uses"],
    ["anthropic", { blocked_domains: ["a.example"] }, "tools[0].blocked_domains"],
  ] as const)("%s: what no other can be told is told as lost: %p", (from, more, path) => {
    const tool = { type: "web_search_20260209", name: "web_search", ...more };
    const body = { max_tokens: 9, messages, tools: [tool] };
    expect(sent(from, "responses", { body }).lost).toContain(`L-HOSTED-OPTS ${path} dropped`);
  });

  test("leaves a name of the caller's own to the caller", () => {
    const own = { type: "function", name: "web_search", parameters: { type: "object" } };
    const body = { input: "hi", tools: [{ type: "web_search" }, own] };
    const { up, lost } = sent("responses", "anthropic", { body });
    expect(up["tools"]).toHaveLength(1);
    expect(lost).toEqual(["L-HOSTED tools[0] dropped"]);
  });

  test("is all that is mapped: any other tool a vendor runs is refused", () => {
    const tools = [{ type: "code_execution_20250825", name: "code_execution" }];
    const body = { max_tokens: 9, messages, tools };
    expect(sent("anthropic", "responses", { body }).lost).toEqual(["L-HOSTED tools[0] dropped"]);
  });
});

const WORDS: Readonly<Record<Wire, RegExp>> = {
  openai: /^\{/,
  responses: /"type":"web_search"/,
  anthropic: /"type":"web_search_20250305","name":"web_search"/,
  gemini: /\{"googleSearch":\{\}\}/,
  bedrock: /\{"systemTool":\{"name":"nova_grounding"\}\}/,
};
