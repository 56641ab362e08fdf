import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { IrAnswer } from "../../../src/protocol/ir/answer.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import { cutAnswer, stopCut } from "../../../src/protocol/translate/stop-cut.ts";
import { accumulate, eventsOf, whole } from "./accumulate.ts";
import { cuts } from "./arbitraries.ts";

/** A small alphabet, so that words meet, overlap and nearly meet. */
const text = fc.string({ unit: fc.constantFrom("a", "b", "😀", "😁"), maxLength: 14 });
const words = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "😀", "😁"), maxLength: 4 }), {
  minLength: 1,
  maxLength: 4,
});
const answerOf = (...texts: readonly string[]): IrAnswer => ({
  origin: "responses",
  candidates: [
    {
      index: 0,
      blocks: texts.map((each) => ({ type: "text", text: each })),
      stop: { kind: "end" },
    },
  ],
  usage: { inputTotal: 3, outputTotal: 4, raw: {} },
});

/** The slow way: the shortest beginning that ends in a word, without that word. */
function slowCut(given: string, all: readonly string[]) {
  for (let end = 1; end <= given.length; end++) {
    const met = all.filter((word) => word !== "" && given.slice(0, end).endsWith(word));
    const longest = met.sort((a, b) => b.length - a.length)[0];
    if (longest !== undefined) return { text: given.slice(0, end - longest.length), word: longest };
  }
  return undefined;
}

const run = (events: readonly IrEvent[], all: readonly string[]): readonly IrEvent[] => {
  const cut = stopCut(all);
  return [...events.flatMap((event) => cut.feed(event)), ...cut.end()];
};

test("a whole answer ends where the slow way says", () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), words, (texts, all) => {
      const [candidate] = cutAnswer(answerOf(...texts), all).candidates;
      const at = texts.findIndex((each) => slowCut(each, all) !== undefined);
      const cut = at < 0 ? undefined : slowCut(texts[at]!, all);
      const kept = at < 0 ? texts : [...texts.slice(0, at), cut!.text];
      expect(candidate!.blocks.map((block) => (block.type === "text" ? block.text : ""))).toEqual(
        kept,
      );
      expect(candidate!.stop).toEqual(
        cut === undefined ? { kind: "end" } : { kind: "stop_sequence", sequence: cut.word },
      );
    }),
  );
});

test("a stream ends as the whole answer does, however it is cut into deltas", () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), words, cuts, (texts, all, at) => {
      const answer = answerOf(...texts);
      const events = eventsOf(answer, { cuts: at, proofs: "delta" });
      expect(accumulate(run(events, all))).toEqual(whole(cutAnswer(answer, all)));
    }),
  );
});

test("no byte of a stop string goes out before it is known to be none", () => {
  fc.assert(
    fc.property(text, words, cuts, (given, all, at) => {
      const cut = stopCut(all);
      let sent = "";
      for (const event of eventsOf(answerOf(given), { cuts: at, proofs: "delta" })) {
        for (const each of cut.feed(event)) {
          if (each.t === "delta" && each.d.k === "text") sent += each.d.text;
          expect((slowCut(given, all)?.text ?? given).startsWith(sent)).toBe(true);
        }
      }
    }),
  );
});

test("only what may begin a stop string is held back", () => {
  const cut = stopCut(["STOP"]);
  cut.feed({ t: "block_start", c: 0, b: 0, block: { type: "text", text: "" } });
  const send = (more: string) => cut.feed({ t: "delta", c: 0, b: 0, d: { k: "text", text: more } });
  expect(send("Say STO")).toEqual([{ t: "delta", c: 0, b: 0, d: { k: "text", text: "Say " } }]);
  expect(send("RE")).toEqual([{ t: "delta", c: 0, b: 0, d: { k: "text", text: "STORE" } }]);
});

describe("behind the cut", () => {
  const before: readonly IrEvent[] = [
    { t: "start", id: "x" },
    { t: "block_start", c: 0, b: 0, block: { type: "text", text: "" } },
    { t: "block_start", c: 0, b: 1, block: { type: "tool_call", name: "t", args: "" } },
    { t: "delta", c: 0, b: 0, d: { k: "text", text: "one STOP two" } },
  ];

  test("everything open is closed, everything else ignored, and usage still read", () => {
    const after: readonly IrEvent[] = [
      { t: "delta", c: 0, b: 1, d: { k: "args", text: "{}" } },
      { t: "block_stop", c: 0, b: 1 },
      { t: "block_stop", c: 0, b: 0 },
      { t: "block_start", c: 0, b: 2, block: { type: "text", text: "more" } },
      { t: "block_stop", c: 0, b: 2 },
      { t: "raw", from: "responses", data: {} },
      { t: "stop", c: 0, stop: { kind: "length" } },
      { t: "usage", usage: { outputTotal: 9, raw: {} } },
      { t: "end" },
    ];
    expect(run([...before, ...after], ["STOP"]).slice(3)).toEqual([
      { t: "delta", c: 0, b: 0, d: { k: "text", text: "one " } },
      { t: "block_stop", c: 0, b: 0 },
      { t: "block_stop", c: 0, b: 1 },
      { t: "stop", c: 0, stop: { kind: "stop_sequence", sequence: "STOP" } },
      { t: "usage", usage: { outputTotal: 9, raw: {} } },
      { t: "end" },
    ]);
  });

  test("an error of the source is none of the caller's", () => {
    const cut = stopCut(["STOP"]);
    for (const event of before) cut.feed(event);
    expect(cut.isWhole).toBe(true);
    const error = { class: "server", status: 500, message: "x" } as const;
    expect(cut.feed({ t: "error", error })).toEqual([{ t: "end" }]);
  });
});

test("citations and tokens behind the cut go with their text", () => {
  const cut = cutAnswer(
    {
      origin: "responses",
      candidates: [
        {
          index: 0,
          blocks: [
            {
              type: "text",
              text: "😀 ok STOP no",
              citations: [
                { span: { start: 0, end: 4, of: "block" } },
                { span: { start: 2, end: 9, of: "block" } },
              ],
              logprobs: ["😀", " ok", " STOP", " no"].map((token) => ({ token, logprob: -1 })),
            },
          ],
        },
      ],
    },
    ["STOP"],
  );
  expect(cut.candidates[0]!.blocks).toEqual([
    {
      type: "text",
      text: "😀 ok ",
      citations: [{ span: { start: 0, end: 4, of: "block" } }],
      logprobs: [
        { token: "😀", logprob: -1 },
        { token: " ok", logprob: -1 },
      ],
    },
  ]);
});

test("a long text and many words take linear time", () => {
  const many = Array.from({ length: 2000 }, (_, at) => `${"a".repeat(200)}${at}`);
  const started = Bun.nanoseconds();
  cutAnswer(answerOf("a".repeat(400_000)), many);
  expect((Bun.nanoseconds() - started) / 1e9).toBeLessThan(5);
});
