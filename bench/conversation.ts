import { familyOf } from "../src/config/model-families.ts";
import { DIALECT_IDS, type DialectId } from "../src/core/ids.ts";
import { Rejection } from "../src/core/rejection.ts";
import type { Chunk } from "../src/core/units.ts";
import { dialects } from "../src/protocol/dialects.ts";
import { createProofs } from "../src/protocol/translate/proofs.ts";
import { translate, type Translation } from "../src/protocol/translate/translate.ts";

const encoder = new TextEncoder();
const proofs = createProofs(encoder.encode("a key for benches"));

/** A name of each vendor, so that its family's record applies. */
const MODELS: Readonly<Record<DialectId, string>> = {
  openai: "gpt-4o",
  responses: "gpt-5",
  anthropic: "claude-sonnet-4-5",
  gemini: "gemini-3-pro",
  bedrock: "anthropic.claude-sonnet-4-5-v1:0",
  cohere: "command-a-03-2025",
};

/** Every ordered pair of two different protocols. */
export const PAIRS = DIALECT_IDS.flatMap((from) =>
  DIALECT_IDS.filter((to) => to !== from).map((to) => ({ from, to })),
);

/** @throws when the request is refused: then the input is no input. */
export function translated(body: Chunk, from: DialectId, to: DialectId): Translation {
  const done = translate(body, {
    ...{ from: dialects[from], to: dialects[to], model: MODELS[to], proofs },
    head: { model: "bench", stream: true },
    capabilities: { ...dialects[to].codec.capabilities, ...familyOf(MODELS[to])?.capabilities },
    ...{ requestId: "req_bench0123456", createdAt: 1, framing: "events", refuse: undefined },
  });
  if (done instanceof Rejection) throw new Error(`${from} > ${to}: ${JSON.stringify(done.reason)}`);
  return done;
}

/** A conversation of 32 KiB with a tool and its calls, in each protocol's own words. */
export function conversationIn(dialect: DialectId): Chunk {
  const openai = encoder.encode(JSON.stringify(conversation()));
  return dialect === "openai" ? openai : translated(openai, "openai", dialect).body;
}

const SAID = 'She said: "Die Weiche 12 läuft in die Grundstellung."\n\t- noted\\signed — 確認 ';
const TURNS = 10;

function conversation(): object {
  const turns = Array.from({ length: TURNS }, (_, turn) => {
    const id = `call_${turn}`;
    const args = JSON.stringify({ city: "Basel", days: turn });
    return [
      { role: "user", content: `${turn}: ${SAID.repeat(14)}` },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id, type: "function", function: { name: "weather", arguments: args } }],
      },
      { role: "tool", tool_call_id: id, content: `${turn}: ${SAID.repeat(7)}` },
      { role: "assistant", content: `${turn}: ${SAID.repeat(14)}` },
    ];
  });
  const parameters = {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer" } },
    required: ["city"],
  };
  return {
    model: "bench",
    stream: true,
    max_tokens: 1024,
    messages: [
      { role: "system", content: SAID },
      ...turns.flat(),
      { role: "user", content: "And now?" },
    ],
    tools: [{ type: "function", function: { name: "weather", description: SAID, parameters } }],
  };
}
