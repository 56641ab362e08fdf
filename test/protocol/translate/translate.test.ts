import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Rejection } from "../../../src/core/rejection.ts";
import type { Chunk } from "../../../src/core/units.ts";
import type { BrokenStream } from "../../../src/protocol/dialect.ts";
import type { IrAnswer } from "../../../src/protocol/ir/answer.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { Severity } from "../../../src/protocol/ir/loss.ts";
import {
  translate,
  type Translation,
  type TranslateOptions,
} from "../../../src/protocol/translate/translate.ts";
import { accumulate, eventsOf, whole } from "./accumulate.ts";
import { answerOf, cuts, proofs } from "./arbitraries.ts";
import { BROKEN, EVENT_END, eventsIn, frame, toyDialect } from "./toy-codec.ts";

const utf8 = new TextEncoder();
const text = (bytes: Chunk): string => new TextDecoder().decode(bytes);
const json = (value: unknown): Chunk => utf8.encode(JSON.stringify(value));
const HELLO = { messages: [{ role: "user", blocks: [{ type: "text", text: "Hello" }] }] };
const BROKE: BrokenStream = {
  ...{ mode: "surface", why: "truncated", requestId: "r", atBoundary: true },
  ...{ id: undefined, model: undefined },
};

type Toy = "openai" | "anthropic" | "responses";

function optionsOf(from: Toy, to: Toy, refuse?: Severity): TranslateOptions {
  const target = toyDialect(to);
  return {
    ...{ from: toyDialect(from), to: target, capabilities: target.codec.capabilities },
    head: { model: "asked", stream: true },
    ...{ model: "their-name", proofs, requestId: "req-1", createdAt: 1, framing: "events", refuse },
  };
}
function translated(from: Toy, to: Toy, body: object = HELLO): Translation {
  const translation = translate(json(body), optionsOf(from, to));
  if (translation instanceof Rejection) throw new Error(JSON.stringify(translation.reason));
  return translation;
}
function streamed(translation: Translation, events: readonly IrEvent[]): string {
  const edit = translation.stream();
  return [...events.map((event) => text(edit.feed(frame(event)))), text(edit.end())].join("");
}

describe("a request", () => {
  test("goes up under the name its target knows the model by", () => {
    const { body } = translated("openai", "anthropic");
    expect(JSON.parse(text(body))).toMatchObject({ model: "their-name" });
  });

  test.each([["[]"], ['"x"'], ["{"], [""], [`{"a":${"[".repeat(600)}${"]".repeat(600)}}`]])(
    "that is no object of the caller's protocol is malformed: %.20s",
    (body) => {
      const refused = translate(utf8.encode(body), optionsOf("openai", "anthropic"));
      expect(refused).toBeInstanceOf(Rejection);
      expect((refused as Rejection).reason).toMatchObject({ kind: "malformed" });
    },
  );

  test("its reader refuses is refused in the reader's words", () => {
    const refused = translate(json({}), optionsOf("openai", "anthropic"));
    expect((refused as Rejection).reason).toMatchObject({ param: "messages" });
  });

  test("that loses as much as its caller bears goes up, and one more does not", () => {
    const seeded = json({ ...HELLO, seed: 7 });
    const least = (severity: Severity | undefined) =>
      translate(seeded, optionsOf("openai", "anthropic", severity));
    expect(least("semantic")).not.toBeInstanceOf(Rejection);
    expect(least(undefined)).not.toBeInstanceOf(Rejection);
    const refused = least("degraded");
    expect(refused).toBeInstanceOf(Rejection);
    expect((refused as Rejection).reason).toEqual({
      kind: "loss_refused",
      path: "seed",
      detail: "L-SEED: a seed cannot be given there; leave it out",
    });
  });
});

describe("a whole answer", () => {
  test.each(["", "null", "[1]", "{}", '{"candidates":[],"usage":{"raw":{}}}', "<html>"])(
    "that says nothing is none: %s",
    (body) => {
      expect(translated("openai", "anthropic").answer(utf8.encode(body))).toBeUndefined();
    },
  );

  test("nested without end is none", () => {
    const deep = `{"candidates":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
    expect(translated("openai", "anthropic").answer(utf8.encode(deep))).toBeUndefined();
  });

  test.each(["error", "timeout"])("that is an error in its form is none: %s", (kind) => {
    const blocks = [{ type: "text", text: "par" }];
    const answer = json({ candidates: [{ index: 0, blocks, stop: { kind } }] });
    expect(translated("openai", "responses").answer(answer)).toBeUndefined();
  });

  test("that only counts is an empty one", () => {
    const answer = translated("openai", "anthropic").answer(
      json({ usage: { outputTotal: 0, raw: {} } }),
    );
    expect(answer).toBeDefined();
  });

  test("adds what it loses to the losses", () => {
    const translation = translated("openai", "anthropic");
    const before = translation.losses.length;
    const answer = { candidates: [{ index: 0, blocks: [], stop: { kind: "pause" } }] };
    expect(translation.answer(json(answer))).toBeDefined();
    expect(translation.losses.slice(before).map(({ code }) => code)).toEqual(["L-STOP"]);
  });
});

const PAIRS = [
  ["openai", "anthropic"],
  ["anthropic", "openai"],
  ["responses", "anthropic"],
  ["anthropic", "responses"],
] as const;

describe.each(PAIRS)("for a client of %s, a stream of %s", (from, to) => {
  test("adds up to the translation of the whole answer", () => {
    fc.assert(
      fc.property(answerOf(to), cuts, (answer, at) => {
        fc.pre(answer.candidates[0]!.blocks.length > 0);
        const events = eventsOf(answer, { cuts: at, proofs: "delta" });
        const stream = eventsIn(streamed(translated(from, to), events));
        const body = translated(from, to).answer(json(answer))!;
        const expected = whole(JSON.parse(text(body)) as IrAnswer);
        expect(accumulate([...stream, { t: "end" }])).toEqual(expected);
      }),
    );
  });

  test("gives the same bytes however its bytes are cut", () => {
    fc.assert(
      fc.property(answerOf(to), cuts, cuts, (answer, at, chunks) => {
        const events = eventsOf(answer, { cuts: at, proofs: "start" });
        const all = utf8.encode(events.map((event) => text(frame(event))).join(""));
        const edit = translated(from, to).stream();
        const ends = [...chunks.map((cut) => Math.floor(cut * all.length)), all.length];
        let from_ = 0;
        const out = ends.map((end) => text(edit.feed(all.slice(from_, (from_ = end)))));
        expect(out.join("") + text(edit.end())).toBe(streamed(translated(from, to), events));
      }),
    );
  });
});

describe("a stream", () => {
  const stop: IrEvent = { t: "stop", c: 0, stop: { kind: "pause" } };
  const start: IrEvent = { t: "start", id: "x" };
  const error = { class: "server", status: 500, message: "x" } as const;

  test("names late losses in one comment before its end", () => {
    const out = streamed(translated("openai", "anthropic"), [start, stop, { t: "end" }]);
    expect(out.endsWith(`\n\n: x-interlock-loss L-STOP(stop)\n\n${EVENT_END}`)).toBe(true);
    expect(out.split("x-interlock-loss")).toHaveLength(2);
  });

  test("that lost nothing has no comment", () => {
    const out = streamed(translated("openai", "anthropic"), [start, { t: "end" }]);
    expect(out).toBe(text(frame(start)) + EVENT_END);
  });

  test("has no comment where none may stand", () => {
    const options = { ...optionsOf("openai", "anthropic"), framing: "json-array" as const };
    const translation = translate(json(HELLO), options) as Translation;
    expect(streamed(translation, [start, stop, { t: "end" }])).not.toContain("x-interlock-loss");
  });

  test("that breaks ends in the caller's error, and says nothing more", () => {
    const edit = translated("openai", "anthropic").stream();
    edit.feed(frame(start));
    expect(text(edit.fail!(BROKE))).toBe(BROKEN);
    expect(edit.feed(frame(start)).length).toBe(0);
    expect(edit.end().length).toBe(0);
    expect(edit.fail!(BROKE).length).toBe(0);
  });

  test("says nothing after the upstream's error", () => {
    const edit = translated("openai", "anthropic").stream();
    const out = text(edit.feed(frame({ t: "error", error })));
    expect(eventsIn(out)).toEqual([{ t: "error", error }]);
    expect(edit.feed(frame(start)).length).toBe(0);
    expect(edit.end().length).toBe(0);
  });

  test("makes no chunk where there is nothing to say", () => {
    const edit = translated("openai", "anthropic").stream();
    const ping = edit.feed(frame({ t: "ping" }));
    expect(ping.length).toBe(0);
    expect(edit.feed(new Uint8Array(0))).toBe(ping);
  });
});

describe("stop strings of a target that has none", () => {
  const asked = { ...HELLO, stop: ["STOP"] };
  const start: IrEvent = { t: "block_start", c: 0, b: 0, block: { type: "text", text: "" } };
  const said = (more: string): IrEvent => ({
    t: "delta",
    c: 0,
    b: 0,
    d: { k: "text", text: more },
  });

  test("end the whole answer", () => {
    const blocks = [{ type: "text", text: "one STOP two" }];
    const body = translated("openai", "responses", asked).answer(
      json({ candidates: [{ index: 0, blocks, stop: { kind: "end" } }] }),
    );
    expect(JSON.parse(text(body!)).candidates).toMatchObject([
      { blocks: [{ text: "one " }], stop: { kind: "stop_sequence", sequence: "STOP" } },
    ]);
  });

  test("end the stream, which is whole even where its source breaks behind them", () => {
    const translation = translated("openai", "responses", asked);
    const edit = translation.stream();
    const out = [start, said("one ST"), said("OP two")].map((event) =>
      text(edit.feed(frame(event))),
    );
    expect(eventsIn(out.join(""))).toEqual([
      start,
      said("one "),
      { t: "block_stop", c: 0, b: 0 },
      { t: "stop", c: 0, stop: { kind: "stop_sequence", sequence: "STOP" } },
    ]);
    expect(text(edit.fail!(BROKE))).toBe(EVENT_END);
  });

  test("let go what they held back before the caller's error", () => {
    const edit = translated("openai", "responses", asked).stream();
    edit.feed(frame(start));
    expect(edit.feed(frame(said("STO"))).length).toBe(0);
    const out = text(edit.fail!(BROKE));
    expect(eventsIn(out)[0]).toEqual(said("STO"));
    expect(out.endsWith(BROKEN)).toBe(true);
  });
});
