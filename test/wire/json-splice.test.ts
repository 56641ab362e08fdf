import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { wantedMembers } from "../../src/wire/json-keys.ts";
import { scanJson } from "../../src/wire/json-scan.ts";
import { insertMember, jsonString, splice, spliceAll } from "../../src/wire/json-splice.ts";
import { jsonText } from "./json-arbitraries.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const parse = (bytes: Uint8Array): unknown => JSON.parse(textOf(bytes));
const anyText = fc.string({ unit: "binary" });
const WANTED = wantedMembers(["model"]);

/** An object with `model` somewhere among members that are not it. */
const withModel = fc
  .record({
    before: fc.array(jsonText, { maxLength: 4 }),
    model: jsonText,
    after: fc.array(jsonText, { maxLength: 4 }),
  })
  .map(({ before, model, after }) => {
    const others = (values: string[], prefix: string) =>
      values.map((value, index) => `"${prefix}${index}":${value}`);
    return `{${[...others(before, "a"), `"model" :${model}`, ...others(after, "b")].join(", ")}}`;
  });

describe("splice", () => {
  test("changes one member's value and not a byte besides", () => {
    fc.assert(
      fc.property(withModel, anyText, (text, model) => {
        const body = bytesOf(text);
        const read = scanJson(body, { depthMax: 64, wanted: WANTED });
        if (!read.ok) throw new Error(read.fault.reason);
        const { start, end } = read.members[0]!;
        const spliced = splice(body, { start, end }, jsonString(model));

        const changed = { ...(parse(body) as object), model: model.toWellFormed() };
        expect(parse(spliced)).toEqual(changed);
        expect(spliced.slice(0, start)).toEqual(body.slice(0, start));
        const tail = body.length - end;
        expect(spliced.slice(spliced.length - tail)).toEqual(body.slice(end));
      }),
    );
  });
  test("leaves numbers, escapes and spaces as they are spelt", () => {
    const kept =
      '"seed": 12345678901234567890, "temperature":1.0, "x":1E400, "y":-0, "s":"\\u00e9\\/\\ud800"';
    const body = bytesOf(`{${kept} ,"model":"a"}\n`);
    const start = body.length - 5;
    expect(textOf(splice(body, { start, end: start + 3 }, jsonString("longer")))).toBe(
      `{${kept} ,"model":"longer"}\n`,
    );
  });
  test("leaves the body it was given alone", () => {
    const body = bytesOf('{"model":"a"}');
    splice(body, { start: 9, end: 12 }, jsonString("b"));
    expect(textOf(body)).toBe('{"model":"a"}');
  });
});

describe("several edits at once", () => {
  const edits = fc
    .uniqueArray(fc.nat({ max: 40 }), { maxLength: 6 })
    .map((cuts) => cuts.toSorted((a, b) => a - b))
    .chain((cuts) =>
      fc.tuple(
        ...pairs(cuts).map((span) =>
          fc.record({ span: fc.constant(span), bytes: fc.uint8Array({ maxLength: 9 }) }),
        ),
      ),
    );
  function pairs(cuts: readonly number[]): { start: number; end: number }[] {
    const spans = [];
    for (let at = 0; at + 1 < cuts.length; at += 2)
      spans.push({ start: cuts[at]!, end: cuts[at + 1]! });
    return spans;
  }

  test("come to what they come to one by one from the back, given in any order", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 40, maxLength: 60 }), edits, (bytes, all) => {
        const body = Uint8Array.from(bytes);
        const oneByOne = all.reduceRight(
          (done, { span, bytes: put }) => splice(done, span, put),
          body,
        );
        expect(spliceAll(body, all)).toEqual(oneByOne);
        expect(spliceAll(body, all.toReversed())).toEqual(oneByOne);
      }),
    );
  });
  test("that overlap or lie outside are a bug", () => {
    const body = bytesOf("0123456789");
    const edit = (start: number, end: number) => ({ span: { start, end }, bytes: bytesOf("x") });
    expect(() => spliceAll(body, [edit(0, 3), edit(2, 4)])).toThrow("no edit fits bytes 2 to 4");
    expect(() => spliceAll(body, [edit(9, 11)])).toThrow("no edit fits");
    expect(() => spliceAll(body, [edit(5, 4)])).toThrow("no edit fits");
    expect(textOf(spliceAll(body, [edit(2, 4), edit(4, 4), edit(0, 2)]))).toBe("xxx456789");
  });
});

describe("jsonString", () => {
  test("is read back as the same text by any parser", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(parse(jsonString(text))).toBe(text);
        expect(scanJson(jsonString(text), { depthMax: 1 }).ok).toBe(true);
      }),
    );
    expect(textOf(jsonString("\ud800"))).toBe('"\\ud800"');
  });
});

describe("insertMember", () => {
  const space = fc.string({ unit: fc.constantFrom(" ", "\n", "\t", "\r"), maxLength: 3 });
  const objectText = fc
    .tuple(space, fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue(), { maxKeys: 4 }))
    .map(([gap, value]) => JSON.stringify(value, null, gap).replace(/^\{/, `{${gap}`));

  test("adds the member, keeps the others, and moves what follows without changing it", () => {
    fc.assert(
      fc.property(space, objectText, jsonText, (lead, text, value) => {
        const body = bytesOf(lead + text);
        const member = { name: 'new "name"', value: bytesOf(value) };
        const edit = insertMember(body, { start: lead.length, member });
        const result = spliceAll(body, [edit]);

        expect(parse(result)).toEqual({ ...JSON.parse(text), [member.name]: JSON.parse(value) });
        const rest = body.slice(lead.length + 1);
        expect(result.slice(result.length - rest.length)).toEqual(rest);
      }),
    );
  });
});
