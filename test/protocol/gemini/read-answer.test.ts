import { describe, expect, test } from "bun:test";
import { codec } from "../../../src/protocol/gemini/codec.ts";
import type { Block, TextBlock } from "../../../src/protocol/ir/block.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { json, parsed } from "./harness.ts";

const answerOf = (parts: readonly object[], rest: object = {}) =>
  codec.readAnswer(json({ candidates: [{ content: { parts, role: "model" }, ...rest }] }));
const textsOf = (blocks: readonly Block[]): TextBlock[] =>
  blocks.filter((block) => block.type === "text");
const CHUNKS = [{ web: { uri: "https://a", title: "A" } }, { maps: { uri: "https://b" } }];

function citationsOf(parts: readonly object[], supports: readonly object[]) {
  const groundingMetadata = { groundingChunks: CHUNKS, groundingSupports: supports };
  const { blocks } = answerOf(parts, { groundingMetadata }).candidates[0]!;
  return json(textsOf(blocks).map(({ citations = [] }) => citations.map(({ span }) => span ?? {})));
}
const support = (segment: object) => ({ segment, groundingChunkIndices: [0, 7] });

describe("what an answer cites", () => {
  const parts = [{ text: "hm", thought: true }, { text: "Größe: " }, { text: "zwölf m" }];
  const inSecond = { start: 0, end: 5, of: "block" };

  test("stands with the block it lies in, in characters", () => {
    const segment = { startIndex: 9, endIndex: 15, text: "zwölf" };
    expect(citationsOf(parts, [support(segment)])).toEqual(json([[], [inSecond]]));
  });
  test("may be counted from its own part", () => {
    const segment = { partIndex: 2, endIndex: 6, text: "zwölf" };
    expect(citationsOf(parts, [support(segment)])).toEqual(json([[], [inSecond]]));
  });
  test("is looked for where its offsets tell another text", () => {
    const segment = { startIndex: 0, endIndex: 6, text: "zwölf" };
    expect(citationsOf(parts, [support(segment)])).toEqual(json([[], [inSecond]]));
  });
  test("may span blocks", () => {
    const segment = { startIndex: 0, endIndex: 15, text: "Größe: zwölf" };
    const span = { start: 0, end: 12, of: "message" };
    expect(citationsOf(parts, [support(segment)])).toEqual(json([[span], []]));
  });
  test("has no place when it is nowhere, and no source when it names none", () => {
    const nowhere = support({ startIndex: 0, endIndex: 99, text: "never said" });
    const nameless = { segment: { endIndex: 1 }, groundingChunkIndices: [9] };
    expect(citationsOf(parts, [nowhere, nameless])).toEqual(json([[], [{}]]));
  });
  test("may be a recitation, by either name", () => {
    for (const name of ["citations", "citationSources"]) {
      const cited = { startIndex: 0, endIndex: 7, uri: "https://c", title: "C" };
      const { candidates } = answerOf([{ text: "Größe" }], {
        citationMetadata: { [name]: [cited] },
      });
      expect(json(textsOf(candidates[0]!.blocks)[0]!.citations)).toEqual(
        json([
          {
            sources: [{ url: "https://c", title: "C" }],
            place: { kind: "web" },
            span: { start: 0, end: 5, of: "block" },
          },
        ]),
      );
    }
  });
  test("names its sources by the kind they are of", () => {
    const groundingMetadata = {
      groundingChunks: [
        { retrievedContext: { uri: "gs://b/d", title: "D", documentName: "d" } },
        ...CHUNKS,
        7,
      ],
      groundingSupports: [
        { segment: { endIndex: 1, text: "a" }, groundingChunkIndices: [0, 2, 3] },
      ],
    };
    const { blocks } = answerOf([{ text: "a" }], { groundingMetadata }).candidates[0]!;
    expect(json(textsOf(blocks)[0]!.citations)).toMatchObject([
      {
        place: { kind: "file" },
        sources: [{ url: "gs://b/d", title: "D", documentId: "d" }, { url: "https://b" }, {}],
      },
    ]);
  });
});

test("a log probability that is left out is that of a sure thing", () => {
  const logprobsResult = {
    chosenCandidates: [
      { token: "a", tokenId: 5 },
      { token: "b", logProbability: -2 },
    ],
    topCandidates: [{ candidates: [{ token: "a", tokenId: 5 }] }],
  };
  const { blocks } = answerOf([{ text: "ab" }], { logprobsResult }).candidates[0]!;
  expect(json(textsOf(blocks)[0]!.logprobs)).toEqual(
    json([
      { token: "a", logprob: 0, tokenId: 5, top: [{ token: "a", logprob: 0, tokenId: 5 }] },
      { token: "b", logprob: -2 },
    ]),
  );
});

test.each([
  ["STOP", [{ text: "a" }], "end"],
  ["STOP", [{ functionCall: { name: "f" } }], "tool_call"],
  ["MAX_TOKENS", [{ functionCall: { name: "f" } }], "length"],
  ["SAFETY", [], "content_filter"],
  ["IMAGE_SAFETY", [], "content_filter"],
  ["RECITATION", [], "recitation"],
  ["UNEXPECTED_TOOL_CALL", [], "malformed_tool_call"],
  ["OTHER", [], "malformed_output"],
  ["A_NEW_WORD", [], "other"],
] as const)("%s with %j is %s", (raw, parts, kind) => {
  const { stop } = answerOf(parts, { finishReason: raw, finishMessage: "m" }).candidates[0]!;
  expect(stop).toEqual({ kind, raw, detail: "m" });
});

test("a blocked prompt has its reason and no candidates", () => {
  const promptFeedback = { blockReason: "SAFETY", blockReasonMessage: "no", safetyRatings: [] };
  const { blocked, candidates } = codec.readAnswer(json({ promptFeedback }));
  expect(blocked).toEqual({ reason: "SAFETY", message: "no" });
  expect(candidates).toEqual([]);
});

test("when it was made is told in seconds", () => {
  const { createdAt } = codec.readAnswer(json({ createTime: "2026-02-15T07:50:37.854117Z" }));
  expect(createdAt).toBe(1771141837);
  expect(codec.readAnswer(json({ createTime: "soon" })).createdAt).toBeUndefined();
});

const answers = recordingsOf("gemini").filter(
  ({ streamed, status }) => !streamed && status === 200,
);
(haveRecordings ? test : test.skip)(
  haveRecordings
    ? "no part of a recorded answer is unknown, and each that ends says why"
    : `recorded answers ${NO_RECORDINGS}`,
  () => {
    const cited: number[] = [];
    for (const { name, response } of answers) {
      for (const { blocks, stop } of codec.readAnswer(parsed(response)).candidates) {
        expect([name, blocks.filter(({ type }) => type === "opaque")]).toEqual([name, []]);
        expect([name, stop?.kind ?? "none"]).not.toEqual([name, "other"]);
        for (const { text, citations = [] } of textsOf(blocks)) {
          for (const { span } of citations) {
            if (span?.of === "block") cited.push([...text].slice(span.start, span.end).length);
          }
        }
      }
    }
    expect(cited.length).toBeGreaterThan(8);
  },
);
