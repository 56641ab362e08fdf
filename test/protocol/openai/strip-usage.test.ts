import { expect, test } from "bun:test";
import fc from "fast-check";
import { stripUsage } from "../../../src/protocol/openai/strip-usage.ts";

const chunk = (choices: string, usage: string): string =>
  `data: {"id":"c","choices":${choices},"usage":${usage}}`;
const USAGE = '{"prompt_tokens":3,"completion_tokens":1}';
const TEXT = '[{"index":0,"delta":{"content":"\\"usage\\""}}]';
/** Events that stay: whatever they say of usage, they carry something else or carry none. */
const KEPT = [
  chunk(TEXT, "null"),
  chunk(TEXT, USAGE),
  chunk("[]", "null"),
  'data: {"choices":[],"prompt_filter_results":[]}',
  ": a comment",
  'data: {"usage": half',
  "data: [DONE]",
];
const ONLY_USAGE = [chunk("[]", USAGE), `event: message\n${chunk("[ ]", USAGE)}`];
const lineEnd = fc.constantFrom("\n", "\r\n", "\r");

function strip(text: string, sizes: readonly number[]): string {
  const edit = stripUsage();
  const bytes = new TextEncoder().encode(text);
  const parts: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = at + sizes[turn % sizes.length]!;
    parts.push(edit.feed(bytes.slice(at, end)));
    at = end;
  }
  return Buffer.concat([...parts, edit.end()]).toString();
}

test("the chunk with nothing but usage is taken out, every other byte stays, however it is cut", () => {
  const event = fc.constantFrom(...KEPT, ...ONLY_USAGE);
  const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(event), lineEnd, sizes, (events, end, cut) => {
      const wire = (list: readonly string[]): string =>
        list.map((text) => `${text}\n\n`.replaceAll("\n", end)).join("");
      const kept = events.filter((text) => !ONLY_USAGE.includes(text));
      expect(strip(wire(events), cut)).toBe(wire(kept));
    }),
    { numRuns: 500 },
  );
});

test("what stands behind the last blank line comes out at the end", () => {
  expect(strip('data: {"choices":[]', [7])).toBe('data: {"choices":[]');
});
