import { describe, expect, test } from "bun:test";
import { DIALECT_IDS, type DialectId } from "../../../src/core/ids.ts";
import type { IrAnswer } from "../../../src/protocol/ir/answer.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { readSounds, soundPass } from "../../../src/protocol/translate/sounds.ts";

const SILENT: readonly DialectId[] = ["responses", "bedrock", "cohere"];
const SPOKEN: IrAnswer = {
  origin: "openai",
  candidates: [
    {
      index: 0,
      blocks: [
        { type: "text", text: "a" },
        {
          type: "media",
          kind: "audio",
          source: { kind: "base64", data: "AAAA" },
          transcript: "said",
        },
      ],
    },
  ],
};
const STREAM: readonly IrEvent[] = [
  {
    t: "block_start",
    c: 0,
    b: 0,
    block: { type: "media", kind: "audio", source: { kind: "base64", data: "" } },
  },
  { t: "delta", c: 0, b: 0, d: { k: "audio", data: "AA", transcript: "sa" } },
  { t: "delta", c: 0, b: 0, d: { k: "audio", data: "AA" } },
  { t: "delta", c: 0, b: 0, d: { k: "audio", transcript: "id" } },
  { t: "block_stop", c: 0, b: 0 },
];

describe.each(DIALECT_IDS.map((client) => [client]))("what was spoken, for %s", (client) => {
  const losses: Loss[] = [];
  const report = (loss: Loss): void => void losses.push(loss);

  test("whole", () => {
    losses.length = 0;
    const answer = readSounds(SPOKEN, { client, report });
    if (!SILENT.includes(client)) return expect(answer).toBe(SPOKEN);
    expect(answer.candidates[0]?.blocks).toEqual([
      { type: "text", text: "a" },
      { type: "text", text: "said" },
    ]);
    expect(losses.map(({ code, action }) => `${code} ${action}`)).toEqual([
      "L-MODALITY approximated",
    ]);
  });
  test("streamed", () => {
    losses.length = 0;
    const pass = soundPass({ client, report });
    if (!SILENT.includes(client)) return expect(pass).toBeUndefined();
    const told = STREAM.flatMap((event) => pass!.feed(event));
    expect(told).toEqual([
      { t: "block_start", c: 0, b: 0, block: { type: "text", text: "" } },
      { t: "delta", c: 0, b: 0, d: { k: "text", text: "sa" } },
      { t: "delta", c: 0, b: 0, d: { k: "text", text: "id" } },
      { t: "block_stop", c: 0, b: 0, final: undefined },
    ]);
    expect(losses.map(({ code }) => code)).toEqual(["L-MODALITY"]);
  });
});

test("a sound that nobody wrote down stays one, for the writer to report", () => {
  const blocks = [
    { type: "media", kind: "audio", source: { kind: "base64", data: "AAAA" } },
  ] as const;
  const answer: IrAnswer = { origin: "openai", candidates: [{ index: 0, blocks }] };
  const losses: Loss[] = [];
  const read = readSounds(answer, { client: "cohere", report: (loss) => void losses.push(loss) });
  expect(read.candidates).toEqual(answer.candidates);
  expect(losses).toEqual([]);
});
