import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { wantedMembers } from "../../src/wire/json-keys.ts";
import { type JsonKind, scanJson } from "../../src/wire/json-scan.ts";
import { accepts, depthOf, jsonishBytes, jsonText, moved } from "./json-arbitraries.ts";
import { mutate, mutation } from "./json-arbitraries.ts";

const SUITE = `${import.meta.dir}/../../../shared/fixtures/json/test_parsing`;
const DEPTH_MAX = 64;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const scan = (body: Uint8Array) => scanJson(body, { depthMax: DEPTH_MAX });
const reasonOf = (body: string | Uint8Array, depthMax = DEPTH_MAX): string => {
  const read = scanJson(typeof body === "string" ? bytesOf(body) : body, { depthMax });
  return read.ok ? "ok" : read.fault.reason;
};

describe("the verdict is that of a fatal decoder, JSON.parse and a depth count", () => {
  const agree = (body: Uint8Array): void => {
    expect(scan(body).ok).toBe(accepts(body, DEPTH_MAX));
  };
  const skew = fc.nat({ max: 7 });

  test("on valid text in every spelling", () => {
    fc.assert(
      fc.property(jsonText, skew, (text, by) => {
        expect(accepts(bytesOf(text), DEPTH_MAX)).toBe(true); // Or the generator is wrong.
        agree(moved(bytesOf(text), by));
      }),
      { numRuns: 1000 },
    );
  });
  test("on valid text with some bytes changed", () => {
    const changes = fc.array(mutation, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(jsonText, changes, skew, (text, all, by) => {
        agree(moved(all.reduce(mutate, bytesOf(text)), by));
      }),
      { numRuns: 4000 },
    );
  });
  test("on bytes that are mostly punctuation", () => {
    fc.assert(
      fc.property(jsonishBytes, skew, (bytes, by) => agree(moved(bytes, by))),
      { numRuns: 4000 },
    );
  });
  test("on a string with each byte at each place, before and after the long stride begins", () => {
    for (let by = 0; by < 4; by++) {
      for (let byte = 0; byte < 0x80; byte++) {
        for (let place = 1; place < 45; place++) {
          const text = bytesOf(`"${"x".repeat(44)}"`);
          text[place] = byte;
          if (scan(moved(text, by)).ok === accepts(text, DEPTH_MAX)) continue;
          throw new Error(`byte ${byte} at ${place}, body moved by ${by}`);
        }
      }
    }
  });
  test("on a document with any one byte changed, added or left out", () => {
    const body = bytesOf('{"a\\n":[-1.5e+30,true,{"\\u00e9":null}],"é":{"b":false}}');
    const alike = (bytes: Uint8Array): void => {
      if (scan(bytes).ok === accepts(bytes, DEPTH_MAX)) return;
      throw new Error(`${accepts(bytes, DEPTH_MAX)} by the others: ${textOf(bytes)}`);
    };
    for (let at = 0; at <= body.length; at++) {
      alike(mutate(body, { at, remove: 1, insert: [] }));
      for (let byte = 0; byte < 0x100; byte++) {
        alike(mutate(body, { at, remove: 1, insert: [byte] }));
        alike(mutate(body, { at, remove: 0, insert: [byte] }));
      }
    }
  });
  test("on every cut of a document", () => {
    const text = ` {"a":[1.5e+3,-0,true,{"é😀":null}],"b\\u0041\\n":"\\ud800","c":{}} `;
    for (let end = 0; end <= bytesOf(text).length; end++) agree(bytesOf(text).slice(0, end));
    for (let by = 0; by < 4; by++) agree(moved(bytesOf(text), by));
  });
});

describe.skipIf(!existsSync(SUITE))("JSONTestSuite (shared/fixtures/json)", () => {
  const names = existsSync(SUITE) ? readdirSync(SUITE).sort() : [];
  const read = (name: string): Uint8Array => readFileSync(`${SUITE}/${name}`);
  const embedded = (name: string): Uint8Array =>
    Buffer.concat([bytesOf('{"model":"m","x":'), read(name), bytesOf("}")]);
  const startingWith = (prefix: string): string[] =>
    names.filter((name) => name.startsWith(prefix));

  test("has all of its cases", () => {
    expect(["y_", "n_", "i_"].map((prefix) => startingWith(prefix).length)).toEqual([95, 188, 35]);
  });
  test.each(startingWith("y_"))("%s is accepted, alone and as a member", (name) => {
    expect(reasonOf(read(name))).toBe("ok");
    expect(reasonOf(embedded(name))).toBe("ok");
  });
  test.each(startingWith("n_"))("%s is refused with its place, alone and as a member", (name) => {
    for (const body of [read(name), embedded(name)]) {
      expect(reasonOf(body)).toMatch(/ at byte \d+/);
    }
  });
  test("what a parser may take or leave is taken when it is UTF-8 within the depth", () => {
    const taken = startingWith("i_").filter((name) => scan(read(name)).ok);
    expect(taken.length).toBe(20);
    for (const name of startingWith("i_")) {
      expect(scan(read(name)).ok).toBe(accepts(read(name), DEPTH_MAX));
      expect(scan(embedded(name)).ok).toBe(accepts(embedded(name), DEPTH_MAX));
    }
    expect(reasonOf(read("i_structure_500_nested_arrays.json"), 500)).toBe("ok");
    expect(reasonOf(read("i_structure_500_nested_arrays.json"), 499)).toBe(
      "nesting deeper than 499 at byte 499",
    );
  });
});

describe("a refusal says what and where", () => {
  test.each([
    ["", "unexpected end at byte 0, expected a value"],
    ['{"a":1,}', "unexpected '}' at byte 7, expected a name in double quotes"],
    ["[1,]", "unexpected ']' at byte 3, expected a value"],
    ['{"a" 1}', "unexpected '1' at byte 5, expected ':'"],
    ['{"a":}', "unexpected '}' at byte 5, expected a value"],
    ['{"a":1 "b"}', "unexpected '\"' at byte 7, expected ',' or the end of the object or array"],
    ["[1", "unexpected end at byte 2, expected ',' or the end of the object or array"],
    ["{} x", "unexpected 'x' at byte 3, expected the end"],
    ["nul", "unexpected end at byte 3, expected 'null'"],
    ["-x", "unexpected 'x' at byte 1, expected a digit"],
    ["1.", "unexpected end at byte 2, expected a digit"],
    ["1e+", "unexpected end at byte 3, expected a digit"],
    ["\v1", "unexpected 0x0b at byte 0, expected a value"],
    ['"a\nb"', "control character 0x0a in a string at byte 2, escape it"],
    ['"abc', "string without an end at byte 4"],
    ['"\\x"', "invalid escape at byte 1"],
    ['"\\u12g4"', "invalid escape at byte 1"],
    ["\ufeff{}", "byte order mark at byte 0, send the JSON without it"],
    [`${"[".repeat(65)}${"]".repeat(65)}`, "nesting deeper than 64 at byte 64"],
  ])("%j", (text, reason) => {
    expect(reasonOf(text)).toBe(reason);
  });
  const badOffset = (body: Uint8Array): number | undefined => {
    const lossy = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
    const at = lossy.indexOf("\ufffd");
    return at === -1 ? undefined : bytesOf(lossy.slice(0, at)).length;
  };
  test("bad UTF-8 is found where a lossy decoder first replaces something, for every lead", () => {
    for (let lead = 0x80; lead < 0x100; lead++) {
      for (let second = 0; second < 0x100; second++) {
        const body = Uint8Array.of(0x20, lead, second, 0x80, 0x80, 0x80);
        const offset = badOffset(body);
        if (offset === undefined) throw new Error("the last 0x80 is always one too many");
        if (reasonOf(body) === `invalid UTF-8 at byte ${offset}`) continue;
        throw new Error(`${lead} ${second}: ${reasonOf(body)}, not at ${offset}`);
      }
    }
  });
  test("bad UTF-8 is found there in any bytes", () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.string({ unit: "binary" }).map(bytesOf),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const body = Buffer.concat(parts);
        const offset = badOffset(body);
        fc.pre(offset !== undefined && body.indexOf("\ufffd") === -1);
        expect(reasonOf(body)).toBe(`invalid UTF-8 at byte ${offset}`);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("depth", () => {
  test("the cap is exact, whatever the containers are", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 80 }), (shape) => {
        const open = shape.map((object) => (object ? '{"a":' : "[")).join("");
        const close = shape.map((object) => (object ? "}" : "]"));
        const body = bytesOf(`${open}1${close.reverse().join("")}`);
        expect(scanJson(body, { depthMax: shape.length }).ok).toBe(true);
        expect(scanJson(body, { depthMax: shape.length - 1 }).ok).toBe(false);
      }),
    );
  });
  test("it counts through wanted objects too", () => {
    const wanted = wantedMembers(["a", "a.b"]);
    const depthOk = (depthMax: number): boolean =>
      scanJson(bytesOf('{"a":{"b":[[]]}}'), { depthMax, wanted }).ok;
    expect([depthOk(4), depthOk(3), depthOk(1), depthOk(0)]).toEqual([true, false, false, false]);
  });
  test("a wanted object counts itself, and no longer than it is open", () => {
    const wanted = wantedMembers(["a", "a.b"]);
    const read = (text: string) => scanJson(bytesOf(text), { depthMax: 2, wanted });
    expect(read('{"a":{"b":1},"c":[1],"d":{}}').ok).toBe(true);
    expect(scanJson(bytesOf('{"a":{"b":1}}'), { depthMax: 1, wanted }).ok).toBe(false);
  });
});

describe("members", () => {
  const PATHS = ["model", "n", "deep", "deep.in", "deep.in.most", "deep.n"] as const;
  const wanted = wantedMembers(PATHS);
  const find = (text: string) => scanJson(bytesOf(text), { depthMax: DEPTH_MAX, wanted });
  const kindNamed = (value: unknown): JsonKind => {
    if (value === null) return "null";
    if (Array.isArray(value)) return "array";
    if (typeof value === "boolean") return value ? "true" : "false";
    return typeof value as JsonKind;
  };
  const at = (root: unknown, path: string): unknown =>
    path.split(".").reduce<unknown>((value, name) => {
      const inside = typeof value === "object" && value !== null && !Array.isArray(value);
      return inside && Object.hasOwn(value, name) ? value[name as never] : undefined;
    }, root);

  /** A name with those of its letters escaped whose bits are set. */
  const spelt = (name: string, bits: number): string =>
    [...name]
      .map((char, index) => {
        const code = char.charCodeAt(0).toString(16).padStart(4, "0");
        return (bits >> index) & 1 ? `\\u${code}` : char;
      })
      .join("");
  const name = fc.constantFrom("model", "n", "deep", "in", "most", "x", "messages", "models");
  const bits = fc.oneof(fc.constant(0), fc.nat({ max: 255 }));
  const objectText = fc.letrec<{ object: string; value: string }>((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, jsonText, tie("object")),
    object: fc
      .uniqueArray(fc.tuple(name, bits, tie("value")), {
        selector: ([each]) => each,
        maxLength: 6,
      })
      .map((members) => members.map(([each, mask, value]) => ` "${spelt(each, mask)}" : ${value}`))
      .map((members) => `{${members.join(" ,")}}`),
  })).object;

  test("each span holds what JSON.parse of the whole has there, and the kind is right", () => {
    fc.assert(
      fc.property(objectText, (text) => {
        const read = find(text);
        fc.pre(depthOf(text) <= DEPTH_MAX && (read.ok || read.fault.kind === "syntax"));
        if (!read.ok) throw new Error(read.fault.reason);
        const whole: unknown = JSON.parse(text);
        for (const [place, path] of PATHS.entries()) {
          const value = at(whole, path);
          const member = read.members[place];
          expect(member === undefined).toBe(value === undefined);
          if (member === undefined) continue;
          expect(JSON.parse(textOf(bytesOf(text).subarray(member.start, member.end)))).toEqual(
            value,
          );
          expect(member.kind).toBe(kindNamed(value));
        }
      }),
      { numRuns: 500 },
    );
  });
  test("looking for members never changes the verdict on the grammar", () => {
    fc.assert(
      fc.property(objectText, mutation, (text, change) => {
        const body = mutate(bytesOf(text), change);
        const read = scanJson(body, { depthMax: DEPTH_MAX, wanted });
        const agreed = read.ok || ["syntax", "utf8", "depth"].includes(read.fault.kind);
        if (agreed) expect(read.ok).toBe(accepts(body, DEPTH_MAX));
      }),
      { numRuns: 1000 },
    );
  });
  test("a wanted member twice is refused by its path, others may repeat", () => {
    const fault = (text: string) => {
      const read = find(text);
      return read.ok ? undefined : [read.fault.kind, read.fault.path, read.fault.offset];
    };
    expect(fault('{"model":1,"model":1}')).toEqual(["repeated", "model", 11]);
    expect(fault('{"model":1,"mod\\u0065l":2}')).toEqual(["repeated", "model", 11]);
    expect(fault('{"deep":{"n":1,"n":2}}')).toEqual(["repeated", "deep.n", 15]);
    expect(fault('{"deep":{},"deep":1}')).toEqual(["repeated", "deep", 11]);
    expect(fault('{"x":1,"x":2,"most":1,"most":2,"x":{"model":1,"model":2}}')).toBeUndefined();
    expect(fault('{"deep":{"model":1,"model":2}}')).toBeUndefined();
    expect(fault('[{"model":1,"model":2}]')).toBeUndefined();
  });
  test.each(["Model", "MODEL", "mode\\u004c", " model", "  mod\\u0065L ", "N", "\\u004e"])(
    "%j may be taken for a wanted name by another parser and is refused",
    (spelling) => {
      const read = find(`{"x":1,"${spelling}":2}`);
      expect(read.ok ? "ok" : read.fault.kind).toBe("lookalike");
      expect(read.ok ? 0 : read.fault.offset).toBe(7);
      expect(find(`{"x":{"${spelling}":2},"y":[{"${spelling}":2}]}`).ok).toBe(true);
    },
  );
  test.each([
    "max_to\u212aens",
    "\u017ftream",
    "max_to\\u212aens",
    "\\u017Ftre\\u0041m",
    " \u017ftream",
    "AZ",
  ])("%j folds to a wanted name as Go folds it and is refused", (spelling) => {
    const folding = wantedMembers(["stream", "max_tokens", "az"]);
    const read = scanJson(bytesOf(`{"${spelling}":1}`), { depthMax: 9, wanted: folding });
    expect(read.ok ? "ok" : read.fault.kind).toBe("lookalike");
  });
  test.each([
    "models",
    "mode",
    "_model",
    "mo del",
    "model.",
    "M",
    "",
    "deep.in",
    "É",
    "\\n",
    "mod\\u0165l",
    "\\n006dodel",
    "ſ",
  ])("%j is another name", (spelling) => {
    expect(find(`{"${spelling}":2,"${spelling}":2}`).ok).toBe(true);
  });
  test("the names of Object's own parts are names like any other", () => {
    const protos = wantedMembers(["__proto__", "constructor", "__proto__.constructor"]);
    const read = scanJson(bytesOf('{"__proto__":{"constructor":1},"constructor":2}'), {
      depthMax: DEPTH_MAX,
      wanted: protos,
    });
    expect(read.ok && read.members.map((member) => member?.start)).toEqual([13, 45, 28]);
  });
});

describe("a megabyte of malice is answered like any other body", () => {
  const MEGABYTE = 1 << 20;
  const wanted = wantedMembers(["model", "n"]);
  test.each([
    ["[".repeat(MEGABYTE), "nesting deeper than 64 at byte 64"],
    ['{"a":'.repeat(MEGABYTE / 4), "nesting deeper than 64 at byte 320"],
    ["\\".repeat(MEGABYTE), "unexpected '\\' at byte 0, expected a value"],
    [`"${"\\".repeat(MEGABYTE)}`, `string without an end at byte ${MEGABYTE + 1}`],
    ['"'.repeat(MEGABYTE), "unexpected '\"' at byte 2, expected the end"],
    [
      `[${'"",'.repeat(MEGABYTE / 4)}`,
      `unexpected end at byte ${(MEGABYTE / 4) * 3 + 1}, expected a value`,
    ],
    [`${" ".repeat(MEGABYTE)}`, `unexpected end at byte ${MEGABYTE}, expected a value`],
    [`-${"1".repeat(MEGABYTE)}e`, `unexpected end at byte ${MEGABYTE + 2}, expected a digit`],
    [`{${'"A":1,'.repeat(MEGABYTE / 8)}"n":1}`, "ok"],
    [`{"${"M".repeat(MEGABYTE)}":1}`, "ok"],
    [`[${"[],".repeat(MEGABYTE / 4)}[]]`, "ok"],
  ])("%#", (text, reason) => {
    const read = scanJson(bytesOf(text), { depthMax: DEPTH_MAX, wanted });
    expect(read.ok ? "ok" : read.fault.reason).toBe(reason);
  });
});
