import { describe, expect, test } from "bun:test";
import { DIALECT_IDS, type DialectId } from "../../../src/core/ids.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import type { Chunk } from "../../../src/core/units.ts";
import type { Dialect } from "../../../src/protocol/dialect.ts";
import { dialects } from "../../../src/protocol/dialects.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import { translate, type Translation } from "../../../src/protocol/translate/translate.ts";
import { parseJson } from "../../../src/wire/exact-json.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { proofs } from "./arbitraries.ts";

const utf8 = new TextEncoder();
const FOLDERS: Readonly<Record<DialectId, string>> = {
  openai: "openai-chat",
  responses: "openai-responses",
  anthropic: "anthropic",
  gemini: "gemini",
  bedrock: "bedrock-converse",
  cohere: "cohere",
};

const bytes = (value: unknown): Chunk => utf8.encode(JSON.stringify(value));

/** As much of each wire's answer as an SDK needs to go on. */
interface Answers {
  readonly openai: { readonly choices: readonly [{ readonly message: ChatMessage }] };
  readonly responses: { readonly output: readonly { type: string; call_id?: string }[] };
  readonly anthropic: { readonly content: readonly { type: string; id?: string }[] };
  readonly gemini: { readonly candidates: readonly [{ readonly content: { parts: Part[] } }] };
  readonly bedrock: { readonly output: { readonly message: BedrockMessage } };
  readonly cohere: object;
}
interface ChatMessage {
  readonly role: string;
  readonly content?: string;
  readonly tool_calls?: readonly { readonly id: string }[];
}
interface Part {
  readonly functionCall?: { readonly name: string; readonly id?: string };
}
interface BedrockMessage {
  readonly role: string;
  readonly content: readonly BedrockBlock[];
}
interface BedrockBlock {
  readonly toolUse?: { readonly toolUseId: string };
}
type Next = { readonly [D in DialectId]: (answer: Answers[D]) => object };

/** The next request of a loop, as each SDK builds it: the answer's message, then the results. */
const NEXT: Next = {
  openai: ({ choices: [{ message }] }) => ({
    model: "m",
    messages: [
      { role: "user", content: "Go." },
      message,
      ...(message.tool_calls ?? []).map(({ id }) => ({
        role: "tool",
        tool_call_id: id,
        content: "ok",
      })),
    ],
  }),
  responses: ({ output }) => ({
    model: "m",
    input: [
      { role: "user", content: "Go." },
      ...output,
      ...output
        .filter(({ type }) => type === "function_call")
        .map(({ call_id }) => ({ type: "function_call_output", call_id, output: "ok" })),
    ],
  }),
  anthropic: ({ content }) => ({
    model: "m",
    max_tokens: 9000,
    messages: [
      { role: "user", content: "Go." },
      { role: "assistant", content },
      ...content
        .filter(({ type }) => type === "tool_use")
        .map(({ id }) => ({
          role: "user",
          content: [{ type: "tool_result", tool_use_id: id, content: "ok" }],
        })),
    ],
  }),
  gemini: ({ candidates: [{ content }] }) => ({
    contents: [
      { role: "user", parts: [{ text: "Go." }] },
      content,
      ...content.parts.flatMap(({ functionCall: call }) =>
        call === undefined
          ? []
          : [{ role: "user", parts: [{ functionResponse: { ...call, response: {} } }] }],
      ),
    ],
  }),
  bedrock: ({ output: { message } }) => ({
    messages: [
      { role: "user", content: [{ text: "Go." }] },
      message,
      ...message.content.flatMap(({ toolUse }) =>
        toolUse === undefined
          ? []
          : [{ role: "user", content: [{ toolResult: resultOf(toolUse.toolUseId) }] }],
      ),
    ],
  }),
  cohere: () => ({}),
};
function resultOf(toolUseId: string): object {
  return { toolUseId, content: [{ text: "ok" }] };
}

/** Answers without a proof, to make a first request of. */
const FIRST: Answers = {
  openai: { choices: [{ message: { role: "assistant", content: "Hm." } }] },
  responses: { output: [] },
  anthropic: { content: [] },
  gemini: { candidates: [{ content: { parts: [] } }] },
  bedrock: { output: { message: { role: "assistant", content: [] } } },
  cohere: {},
};
function nextOf<D extends DialectId>(id: D, answer: Answers[D]): object {
  return NEXT[id](answer);
}

function sent(from: Dialect, to: Dialect, body: object): Translation {
  const translation = translate(bytes(body), {
    ...{ from, to, proofs, capabilities: { ...to.codec.capabilities, reasoning: "either" } },
    head: { model: "m", stream: false },
    ...{ model: "m", requestId: "req-1", createdAt: 1, framing: "events", refuse: undefined },
  });
  if (translation instanceof Rejection) throw new Error(JSON.stringify(translation.reason));
  return translation;
}

/** What must come back: each proof, with the words or the call it stands at. */
function proven(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block) => {
    if (block.type === "reasoning") {
      const { signature, sealed, text, summary } = block;
      if (signature === undefined && sealed === undefined) return [];
      const words = text ?? (summary ?? []).join("\n\n");
      return [JSON.stringify([words, signature?.value ?? null, sealed?.value ?? null])];
    }
    if (block.type === "tool_call" && block.proof !== undefined) {
      return [JSON.stringify([block.name, block.proof.value])];
    }
    if (block.type === "text" && block.proof !== undefined) {
      return [JSON.stringify(["text", block.proof.value])];
    }
    return [];
  });
}

const LOOPS = (["anthropic", "bedrock", "gemini", "responses"] as const).flatMap((to) =>
  DIALECT_IDS.filter((id) => id !== to && id !== "cohere").map((from) => [to, from] as const),
);

describe.skipIf(!haveRecordings).each(LOOPS)(
  `proofs recorded of %s, in the next request of a client of %s ${haveRecordings ? "" : NO_RECORDINGS}`,
  (toId, fromId) => {
    const [to, from] = [dialects[toId], dialects[fromId]];

    test("reach the model that made them byte for byte", () => {
      let count = 0;
      for (const { name, status, streamed, response } of recordingsOf(FOLDERS[toId])) {
        if (status !== 200 || streamed) continue;
        const recorded = parseJson(response) as JsonObject | undefined;
        const made = recorded && to.codec.readAnswer(recorded).candidates[0]?.blocks;
        const expected = proven(made ?? []);
        if (expected.length === 0) continue;
        const answer = sent(from, to, nextOf(fromId, FIRST[fromId])).answer(
          new Uint8Array(response),
        );
        const got = JSON.parse(new TextDecoder().decode(answer)) as Answers[typeof fromId];
        const next = sent(from, to, nextOf(fromId, got));
        const body = parseJson(next.body) as JsonObject;
        const read = to.codec.readRequest(body, { model: "m", stream: false });
        if (read instanceof Rejection) throw new Error(JSON.stringify(read.reason));
        const back = read.messages.flatMap(({ role, blocks }) =>
          role === "assistant" ? proven(blocks) : [],
        );
        expect({ name, back: back.sort() }).toEqual({ name, back: expected.sort() });
        count++;
      }
      expect(count).toBeGreaterThan(0);
    });
  },
);
