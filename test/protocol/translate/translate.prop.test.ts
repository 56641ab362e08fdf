import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { DIALECT_IDS, type DialectId } from "../../../src/core/ids.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import type { Chunk } from "../../../src/core/units.ts";
import { dialects } from "../../../src/protocol/dialects.ts";
import type { Dialect } from "../../../src/protocol/dialect.ts";
import type { IrAnswer } from "../../../src/protocol/ir/answer.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import { LOSSES } from "../../../src/protocol/ir/loss.ts";
import { translate, type Translation } from "../../../src/protocol/translate/translate.ts";
import { parseJson } from "../../../src/wire/exact-json.ts";
import {
  fixture,
  haveRecordings,
  NO_RECORDINGS,
  type Recording,
  recordingsOf,
} from "../../faultd/recordings.ts";
import { answerFrom } from "./accumulate.ts";
import { proofs } from "./arbitraries.ts";
import { type ClientView, viewOf, viewOfStream } from "./client-view.ts";

const utf8 = new TextEncoder();
const FOLDERS: Readonly<Record<DialectId, string>> = {
  openai: "openai-chat",
  responses: "openai-responses",
  anthropic: "anthropic",
  gemini: "gemini",
  bedrock: "bedrock-converse",
  cohere: "cohere",
};
const QUESTION = "What is the weather in Paris?";
const MESSAGES = [{ role: "user", content: QUESTION }];
/** A shortest request of each protocol. */
const ASKS: Readonly<Record<DialectId, object>> = {
  openai: { model: "m", messages: MESSAGES, stream: true, stream_options: { include_usage: true } },
  responses: { model: "m", input: QUESTION, stream: true },
  anthropic: { model: "m", max_tokens: 64, messages: MESSAGES, stream: true },
  gemini: { contents: [{ role: "user", parts: [{ text: QUESTION }] }] },
  bedrock: { messages: [{ role: "user", content: [{ text: QUESTION }] }] },
  cohere: { model: "m", messages: MESSAGES, stream: true },
};

function translated(from: Dialect, to: Dialect, ask: object = ASKS[from.id]): Translation {
  const translation = translate(utf8.encode(JSON.stringify(ask)), {
    ...{ from, to, capabilities: to.codec.capabilities, proofs },
    head: { model: "m", stream: true },
    ...{ model: "m", requestId: "req-1", createdAt: 1, framing: "events", refuse: undefined },
  });
  if (translation instanceof Rejection) throw new Error(JSON.stringify(translation.reason));
  return translation;
}

interface Answered extends Recording {
  readonly body: Chunk;
}
const recordings = new Map<DialectId, readonly Answered[]>();
function answeredBy(id: DialectId): readonly Answered[] {
  const known = recordings.get(id);
  if (known !== undefined) return known;
  const all = recordingsOf(FOLDERS[id])
    .filter(({ status }) => status === 200)
    .map((recording) => ({ ...recording, body: bodyOf(id, recording) }));
  recordings.set(id, all);
  return all;
}
function bodyOf(id: DialectId, { name, response }: Recording): Chunk {
  const binary = fixture(`${FOLDERS[id]}/${name}.stream.bin`);
  return new Uint8Array(id === "bedrock" && existsSync(binary) ? readFileSync(binary) : response);
}

function read(dialect: Dialect, body: Chunk): readonly IrEvent[] {
  const reader = dialect.codec.streamReader();
  return [...reader.feed(body), ...reader.end()];
}
function streamed(translation: Translation, chunks: readonly Chunk[]): Chunk {
  const edit = translation.stream();
  const out = chunks.map((chunk) => edit.feed(chunk).slice());
  return new Uint8Array(Buffer.concat([...out, edit.end()]));
}
/** The same cuts each time: the seed is the body's own length. */
function cut(body: Chunk): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let seed = body.length;
  for (let at = 0; at < body.length;) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    const end = at + 1 + (seed % 97);
    chunks.push(body.slice(at, end));
    at = end;
  }
  return chunks;
}

/** A stop that Cohere can only spell as an error ends its stream in one. */
function isFailed({ candidates }: ClientView): boolean {
  return candidates.some(({ stop }) => (stop as { kind?: string } | undefined)?.kind === "error");
}

/** Chat tells reasoning twice in a stream: as it comes, and whole in `reasoning_details`. */
function wordsOnce(told: ClientView, whole: ClientView): ClientView {
  const candidates = told.candidates.map((each, at) => {
    const words = whole.candidates[at]?.words ?? "";
    return each.words === words + words ? { ...each, words } : each;
  });
  return { ...told, candidates };
}

const PAIRS = DIALECT_IDS.flatMap((to) =>
  DIALECT_IDS.filter((from) => from !== to).map((from) => [to, from] as const),
);

describe.skipIf(!haveRecordings).each(PAIRS)(
  `recordings of %s for a client of %s ${haveRecordings ? "" : NO_RECORDINGS}`,
  (toId, fromId) => {
    const to = dialects[toId];
    const from = dialects[fromId];
    const streams = () => answeredBy(toId).filter((each) => each.streamed);

    test("give the same bytes however they are cut", () => {
      for (const { name, body } of streams()) {
        const whole = streamed(translated(from, to), [body]);
        const pieces = streamed(translated(from, to), cut(body));
        expect(`${name} ${Buffer.from(pieces).toString()}`).toBe(
          `${name} ${Buffer.from(whole).toString()}`,
        );
      }
    });

    test("say in a stream what the whole answer says", () => {
      for (const { name, body } of streams()) {
        const events = read(to, body);
        if (events.some(({ t }) => t === "error") || !events.some(({ t }) => t === "end")) continue;
        const readAnswer = (): IrAnswer => answerFrom(events, toId);
        const whole = { ...to, codec: { ...to.codec, readAnswer } };
        const answer = translated(from, whole).answer(utf8.encode("{}"))!;
        const expected = viewOf(from.codec.readAnswer(parseJson(answer) as JsonObject));
        const told = read(from, streamed(translated(from, to), [body]));
        if (isFailed(expected)) {
          expect({ name, fails: told.some(({ t }) => t === "error") }).toEqual({
            name,
            fails: true,
          });
        } else {
          const view = wordsOnce(viewOfStream(told), expected);
          expect({ name, ...view }).toEqual({ name, ...expected });
        }
      }
    });

    test("are translated whole, with no loss outside the register", () => {
      for (const { name, body } of answeredBy(toId).filter((each) => !each.streamed)) {
        const translation = translated(from, to);
        const answer = translation.answer(body);
        if (answer === undefined) continue;
        const view = viewOf(from.codec.readAnswer(parseJson(answer) as JsonObject));
        expect({ name, isAny: view.candidates.length > 0 }).toEqual({ name, isAny: true });
        for (const { code } of translation.losses) expect(LOSSES).toHaveProperty(code);
      }
    });

    test("that break off never end as if they were whole", () => {
      for (const { name, body } of streams().slice(0, 12)) {
        for (const part of [0.2, 0.5, 0.8]) {
          const edit = translated(from, to).stream();
          const before = edit.feed(body.slice(0, Math.floor(part * body.length)));
          const broken = edit.fail!({
            ...{ mode: "surface", why: "truncated", requestId: "r", atBoundary: true },
            ...{ id: undefined, model: undefined },
          });
          const events = read(from, new Uint8Array(Buffer.concat([before, broken])));
          const ends = events.map(({ t }) => t).filter((t) => t === "end" || t === "error");
          expect({ name, part, ends: ends[0] }).toEqual({ name, part, ends: "error" });
        }
      }
    });
  },
);

/** A stream that went bad: bytes changed, left out and put twice, by a seed of its own. */
function spoilt(body: Chunk, seed: number): Chunk {
  const bytes = [...body];
  let state = seed;
  const next = (below: number): number => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state % below;
  };
  for (let index = 0; index < 12 && bytes.length > 0; index++) {
    const at = next(bytes.length);
    if (index % 3 === 0) bytes[at] = next(256);
    else if (index % 3 === 1) bytes.splice(at, next(40));
    else bytes.splice(at, 0, ...bytes.slice(at, at + next(200)));
  }
  return new Uint8Array(bytes);
}

describe.skipIf(!haveRecordings).each(DIALECT_IDS)(
  `a stream of %s gone bad ${haveRecordings ? "" : NO_RECORDINGS}`,
  (toId) => {
    test.each(DIALECT_IDS.filter((id) => id !== toId))("throws nothing at a client of %s", (id) => {
      const some = answeredBy(toId).filter(({ streamed: is, body }) => is && body.length < 20_000);
      for (const [index, { name, body }] of some.slice(0, 15).entries()) {
        const bad = spoilt(body, index + body.length);
        const whole = () => streamed(translated(dialects[id], dialects[toId]), [bad]);
        expect(whole, name).not.toThrow();
      }
    });
  },
);

describe.skipIf(!haveRecordings)(
  `stop strings that Responses does not know ${haveRecordings ? "" : NO_RECORDINGS}`,
  () => {
    test("end a stream where they end the whole answer, and no client sees one", () => {
      const { responses: to, anthropic: from } = dialects;
      let count = 0;
      for (const { name, body } of answeredBy("responses").filter((each) => each.streamed)) {
        const events = read(to, body);
        if (events.some(({ t }) => t === "error") || !events.some(({ t }) => t === "end")) continue;
        const { text } = viewOf(answerFrom(events, "responses")).candidates[0]!;
        if (text.length < 8) continue;
        const stop = text.slice(text.length / 2, text.length / 2 + 3);
        const ask = { ...ASKS.anthropic, stop_sequences: [stop, "no such words"] };
        const view = viewOfStream(read(from, streamed(translated(from, to, ask), cut(body))));
        const [candidate] = view.candidates;
        expect({ name, text: candidate!.text, stop: candidate!.stop }).toEqual({
          name,
          text: text.slice(0, text.indexOf(stop)),
          stop: { kind: "stop_sequence", sequence: stop },
        });
        count++;
      }
      expect(count).toBeGreaterThan(10);
    });
  },
);

describe("a freeform tool of a client of Responses, behind Anthropic", () => {
  const ask = {
    ...{ model: "m", input: QUESTION },
    tools: [{ type: "custom", name: "apply.patch", description: "Free text." }],
  };
  const patch = '*** Begin "Patch"\n+ é';

  test("is asked for as a function and answered as free text under its own name", () => {
    const translation = translated(dialects.responses, dialects.anthropic, ask);
    const sent = JSON.parse(new TextDecoder().decode(translation.body));
    const [{ name, input_schema: schema }] = sent.tools;
    expect(name).toMatch(/^[a-zA-Z0-9_-]+$/);
    expect(schema).toMatchObject({ properties: { input: { type: "string" } } });
    const answer = translation.answer(
      utf8.encode(
        JSON.stringify({
          ...{ id: "msg_1", type: "message", role: "assistant", model: "claude" },
          content: [{ type: "tool_use", id: "toolu_1", name, input: { input: patch } }],
          ...{ stop_reason: "tool_use", usage: { input_tokens: 1, output_tokens: 2 } },
        }),
      ),
    );
    expect(JSON.parse(new TextDecoder().decode(answer)).output).toMatchObject([
      { type: "custom_tool_call", name: "apply.patch", call_id: "toolu_1", input: patch },
    ]);
  });
});
