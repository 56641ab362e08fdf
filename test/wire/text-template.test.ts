import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { templateNames, TextTemplate } from "../../src/wire/text-template.ts";

const dataOf = (text: string) => {
  const bytes = new TextEncoder().encode(`: before\n${text}: behind`);
  const end = bytes.length - ": behind".length;
  return { bytes, start: ": before\n".length, end };
};
const TELLING = templateNames({ texts: ["delta"], telling: ["usage"], counters: ["n"] });
const ALL = templateNames({ texts: ["text"], telling: "all", counters: ["n"] });

function learntFrom(text: string, names = TELLING): (like: string) => number {
  const template = new TextTemplate(names);
  template.learn(dataOf(text));
  return (like) => template.textBytes(dataOf(like));
}

describe("an event like one that was parsed", () => {
  test("has the length of its text in UTF-8, in any spelling", () => {
    const like = learntFrom('{"delta":"a"}');
    const unit = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
      fc.constantFrom("<", "\u007f", "\u0080", "é", "\u07ff", "\u0800", "\ud7ff", "\ue000", "🙂"),
    );
    const escaped = (text: string) => {
      const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
      return units.map((code) => `\\u${code.toString(16).padStart(4, "0")}`).join("");
    };
    const property = fc.property(fc.array(fc.tuple(unit, fc.nat(2))), (units) => {
      const spell = ([text, how]: readonly [string, number]) =>
        how === 0 ? JSON.stringify(text).slice(1, -1) : escaped(text);
      const text = units.map(([said]) => said).join("");
      const spelt = units.map(([said, how]) =>
        how === 2 ? spell([said, 2]).toUpperCase().replaceAll("\\U", "\\u") : spell([said, how]),
      );
      expect(like(`{"delta":"${spelt.join("")}"}`)).toBe(Buffer.byteLength(text));
    });
    fc.assert(property, { numRuns: 500 });
  });
  test("may have other members behind its text, but none that tells", () => {
    const like = learntFrom('{"delta":"a","usage":null}');
    expect(like('{"delta":"bc","pad":"xyz"}')).toBe(2);
    expect(like('{"delta":"bc","usage":null}')).toBe(2);
    expect(like('{"delta":"bc","usage":{}}')).toBe(-1);
    expect(like('{"delta":"bc","us\\u0061ge":{}}')).toBe(-1);
    expect(like('{"other":"bc"}')).toBe(-1);
  });
  test("may count before its text", () => {
    const like = learntFrom('{"n":9,"delta":"a"}');
    expect([like('{"n":10,"delta":"bc"}'), like('{"n":0,"delta":"bc"}')]).toEqual([2, 2]);
    for (const odd of ["", "01", "1.5", "-1", "1e3", '"1"', "1234567890"]) {
      expect(like(`{"n":${odd},"delta":"bc"}`)).toBe(-1);
    }
    expect(learntFrom('{"m":9,"delta":"a"}')('{"m":10,"delta":"bc"}')).toBe(-1);
  });
});

describe("where every member tells", () => {
  test("nothing may differ but the text and the counters", () => {
    const like = learntFrom('{"text":"a","x":1,"n":1}', ALL);
    expect(like('{"text":"bcd","x":1,"n":234}')).toBe(3);
    for (const other of [
      '{"text":"b","x":2,"n":1}',
      '{"text":"b","x":1,"n":1,"y":0}',
      '{"text":"b"}',
    ]) {
      expect(like(other)).toBe(-1);
    }
    expect(like('{"text":"b","x":1,"n":1} ')).toBe(-1);
  });
  test("the last event can be had without its text", () => {
    const template = new TextTemplate(ALL);
    template.learn(dataOf('{"n":1,"text":"a","m":3}'), 1);
    expect(template.textBytes(dataOf('{"n":20,"text":"bc","m":3}'))).toBe(2);
    expect(template.textBytes(dataOf('{"n":33,"text":"bc","m":4}'))).toBe(-1);
    expect(Buffer.from(template.lastEvent()).toString()).toBe('{"n":20,"text":"","m":3}');
  });
  test("an event with more texts than one is nothing to go by", () => {
    const template = new TextTemplate(ALL);
    template.learn(dataOf('{"text":"a","more":[{"text":"b"}]}'), 2);
    expect(template.textBytes(dataOf('{"text":"c","more":[{"text":"b"}]}'))).toBe(-1);
  });
});

test("what was forgotten is not known", () => {
  const template = new TextTemplate(TELLING);
  template.learn(dataOf('{"delta":"a"}'));
  template.forget();
  expect(template.textBytes(dataOf('{"delta":"a"}'))).toBe(-1);
});
