import { describe, expect, test } from "bun:test";
import type { DialectId } from "../../../src/core/ids.ts";
import { dialects } from "../../../src/protocol/dialects.ts";
import { LOSSES } from "../../../src/protocol/ir/loss.ts";
import { ANSWER_RULES, heldRules, mayGo } from "./answer-rules.ts";
import { type Leaf, leavesOf, textsOf, without } from "./leaves.ts";
import { answersOf, haveFixtures, PAIRS, SKIPPED, translatorOf } from "./pairs.ts";
import { FULL } from "./sampling.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();
/** How many leaves of one place are taken out one by one. */
const TAKEN_OUT_MAX = FULL ? 1000 : 10;

/** No answers of their protocol: errors in the place of one, and a message of nothing. */
const NO_ANSWERS: ReadonlySet<string> = new Set([
  "vercel-ai--azure-deepseek-reasoning.1",
  "openllmetry--test_prompt_content_filtering",
  "pydantic-ai--test_openai.test_invalid_response",
]);

describe(`a translated answer${SKIPPED}`, () => {
  for (const [client, backend] of PAIRS) {
    test(`${backend} for ${client}: every recording is read, and its texts and calls are there`, () => {
      const wrong: string[] = [];
      for (const { name, body } of answersOf(backend, false)) {
        const written = translatorOf(client, backend).answer(body);
        if ((written === undefined) !== NO_ANSWERS.has(name)) wrong.push(`${name}: not read`);
        if (written === undefined) continue;
        const source = dialects[backend].codec.readAnswer(JSON.parse(decoder.decode(body)));
        const document: unknown = JSON.parse(decoder.decode(written));
        const texts = textsOf(document);
        for (const block of source.candidates[0]?.blocks ?? []) {
          const isThere =
            block.type !== "text" || texts.has(block.text) || isPieced(block.text, document);
          if (!isThere) wrong.push(`${name}: text`);
          if (block.type === "tool_call" && !texts.has(block.name)) wrong.push(`${name}: call`);
        }
      }
      expect(wrong).toEqual([]);
    });

    test(`${backend} for ${client}: what is left out says nothing, or is reported`, () => {
      const seen = new Map<string, number>();
      const idle = answersOf(backend, false).flatMap(({ name, body }) =>
        silent({ client, backend, body }, seen).map((leaf) => `${name}: ${leaf}`),
      );
      expect(idle).toEqual([]);
    });

    test(`${backend} for ${client}: any chunking of a stream gives the same bytes`, () => {
      const wrong: string[] = [];
      for (const { name, body } of answersOf(backend, true)) {
        const [whole, halves, small] = [body.length, 1 + body.length / 2, 7].map((size) => {
          const stream = translatorOf(client, backend, true).stream();
          const parts: Uint8Array[] = [];
          for (let at = 0; at < body.length; at += Math.floor(size)) {
            parts.push(stream.feed(body.slice(at, at + Math.floor(size))));
          }
          parts.push(stream.end());
          return Buffer.concat(parts).toString("latin1");
        });
        if (whole !== halves || whole !== small) wrong.push(name);
        if (whole === "") wrong.push(`${name}: nothing came`);
      }
      expect(wrong).toEqual([]);
    });
  }
});

test.skipIf(!haveFixtures)(
  "every rule about what an answer may leave out holds for something",
  () => {
    const idle = ANSWER_RULES.filter((rule) => !heldRules.has(rule));
    expect(idle.map(({ shape, why }) => `${shape}: ${why}`)).toEqual([]);
  },
);

/** Whether a text stands in one of a document's, or is several of them, where it had to be cut. */
function isPieced(text: string, document: unknown): boolean {
  let rest = text;
  for (const { value } of leavesOf(document)) {
    if (String(value).includes(text)) return true;
    if (value !== "" && rest.startsWith(String(value))) rest = rest.slice(String(value).length);
  }
  return rest === "";
}

interface Answered {
  readonly client: DialectId;
  readonly backend: DialectId;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Leaves without which the same answer would have been written, and the same losses told. */
function silent(answered: Answered, seen: Map<string, number>): string[] {
  const told = tell(answered);
  if (told === undefined) return [];
  const source: unknown = JSON.parse(decoder.decode(answered.body));
  return leavesOf(source).flatMap((leaf) => {
    if (saysNothing(leaf) || mayGo(leaf, answered.backend, told.codes)) return [];
    const count = seen.get(leaf.shape) ?? 0;
    if (count >= TAKEN_OUT_MAX) return [];
    seen.set(leaf.shape, count + 1);
    const rest = tell({ ...answered, body: encoder.encode(JSON.stringify(without(source, leaf))) });
    return rest?.text === told.text ? [`${leaf.path} = ${String(leaf.value).slice(0, 80)}`] : [];
  });
}

/** As good as absent. */
function saysNothing({ value }: Leaf): boolean {
  return value === "" || value === 0 || value === false;
}

function tell({ client, backend, body }: Answered) {
  const translation = translatorOf(client, backend);
  const written = translation.answer(body);
  if (written === undefined) return undefined;
  const { losses } = translation;
  for (const { code } of losses) expect(LOSSES).toHaveProperty(code);
  const text = decoder.decode(written) + JSON.stringify(losses);
  return { text, codes: new Set(losses.map(({ code }) => code)) };
}
