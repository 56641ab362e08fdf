import { expect, test } from "bun:test";
import fc from "fast-check";
import { readDocument } from "../../src/config/document.ts";

const read = (text: string, env = {}) => readDocument(text, env);
const paths = (text: string) => read(text).errors.map((error) => error.path);

test("a document without variables is read as the values that were written", () => {
  const scalar = fc.oneof(
    fc.string({
      unit: fc.constantFrom("a", "é", " ", ":", "#", "-", "'", '"', "{", "$", "1", "\n"),
    }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie("value"), { maxKeys: 4 }),
    value: fc.oneof(
      { depthSize: "small" },
      scalar,
      fc.array(tie("value"), { maxLength: 3 }),
      tie("tree"),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      fc.pre(!JSON.stringify(value).includes("${"));
      // JSON is YAML, YAML 1.2.2 section 1.2.
      const { tree: got, errors } = read(JSON.stringify(value));
      expect([got, errors]).toEqual([value, []]);
    }),
  );
});

test("whatever the text, reading it returns", () => {
  const piece = fc.constantFrom(
    ...["a: ", "b:\n  ", "- ", "[", "]", "{", "}", "&x ", "*x", "!t ", "${", "}", "'", '"', "|\n"],
    ...[
      "\n",
      "  ",
      "\t",
      "---\n",
      "? ",
      ": ",
      "#",
      "%YAML 1.1\n",
      "<<: ",
      "x",
      "1",
      "\u0000",
      "\ufeff",
    ],
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 40 }).map((each) => each.join("")),
  );
  fc.assert(
    fc.property(text, (each) => {
      const { tree, errors } = read(each);
      expect(tree !== undefined || errors.length > 0).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["deep lists", "a: " + "[".repeat(20_000)],
  ["deep mappings", "{a: ".repeat(5000)],
  ["nested dashes", "- ".repeat(5000) + "x"],
  ["a mapping forty deep", Array.from({ length: 40 }, (_, at) => " ".repeat(at) + "a:").join("\n")],
])("%s are refused", (_, text) => {
  expect(read(text).errors.length).toBeGreaterThan(0);
});

test("aliases that multiply are stopped long before they fill the memory", () => {
  const levels = Array.from({ length: 30 }, (_, at) => {
    const before = at === 0 ? "x" : `*l${at - 1}`;
    return `l${at}: &l${at} [${Array(10).fill(before).join(", ")}]`;
  });
  const { errors } = read(levels.join("\n"));
  expect(errors.map((error) => error.reason).join()).toContain("aliases that multiply");
});

test("an alias stands for what it names; one that names nothing, or itself, is an error", () => {
  expect(read("a: &x { b: 1 }\nc: *x")).toMatchObject({
    tree: { a: { b: 1 }, c: { b: 1 } },
    errors: [],
  });
  expect(paths("a: *x\nb: &x 1")).toEqual(["a"]);
  expect(read("a: &x [*x]").errors.length).toBeGreaterThan(0);
  expect(paths("a: &x 1\nb: &x 2")).toEqual(["b"]);
});

test("a name given twice is an error with its path and both lines", () => {
  const { errors } = read("a:\n  b: 1\n  c: 2\n  b: 3\n");
  expect(errors).toMatchObject([{ path: "a.b", reason: "is given twice, on lines 2 and 4" }]);
  expect(paths('{ "1": a, 1: b }')).toEqual(["1"]);
});

test.each([
  ["a: !secret x", "tag"],
  ["a: !!binary aGk=", "tag"],
  ["a: 1\n---\nb: 2", "second document"],
  ["%YAML 1.1\n---\na: yes", "old version"],
  ["\ta: 1", "tab"],
  ["a: {b: ${C}}", "does not belong"],
  ["a: 'x", "missing"],
  ["a: @x", "character that YAML keeps"],
  ["? [a]\n: 1", "list or a mapping"],
  ["- 1", "not a mapping"],
  ["just words", "not a mapping"],
  ["__proto__: { a: 1 }", "cannot have an entry"],
])("%p is refused: %s", (text, why) => {
  expect(
    read(text)
      .errors.map((error) => error.reason)
      .join(),
  ).toContain(why);
});

test("an empty file is an empty mapping, and words of old YAML are words", () => {
  expect(read("# nothing\n")).toMatchObject({ tree: {}, errors: [] });
  expect(read("a: yes\nb: off\nc: 0o17\nd: on").tree).toEqual({
    a: "yes",
    b: "off",
    c: 15,
    d: "on",
  });
});

test("variables are put in after parsing: what is in them cannot become YAML", () => {
  const value = "x\nproviders: { evil: 1 } # ${B}";
  const { tree, written } = read('a: "${A}" # ${IGNORED}\nb: [1, "${A}"]', { A: value });
  expect(tree).toEqual({ a: value, b: [1, value] });
  expect([...written]).toEqual([
    ["a", "${A}"],
    ["b[1]", "${A}"],
  ]);
});

test("an unset variable is an error at its path, but not in a block that is switched off", () => {
  expect(read("a: { b: [1, '${NO}'] }").errors).toMatchObject([
    { path: "a.b[1]", reason: "NO is not set", fix: expect.stringContaining("set NO") },
  ]);
  expect(read("a: { enabled: false, b: '${NO}', c: { d: '${NO}' } }").errors).toEqual([]);
  expect(read("a: { enabled: '${OFF}', b: '${NO}' }", { OFF: "false" }).errors).toEqual([]);
  expect(read("a: { enabled: true, b: '${NO}' }").errors).toHaveLength(1);
});

test("no error repeats what stands in the file", () => {
  const secret = "sk-live-0123456789abcdef";
  const texts = [
    `a: "${secret}`,
    `a: ${secret}: b`,
    `a: @${secret}`,
    `a: "\${${secret}}"`,
    `\ta: ${secret}`,
  ];
  for (const text of texts) {
    const { errors } = read(text);
    expect(errors.length).toBeGreaterThan(0);
    expect(JSON.stringify(errors)).not.toContain(secret);
  }
});
