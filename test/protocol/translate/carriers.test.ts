import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DIALECT_IDS, type DialectId } from "../../../src/core/ids.ts";
import type { Block, ProofFamily, Signed } from "../../../src/protocol/ir/block.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { carryProofs } from "../../../src/protocol/translate/carried-answer.ts";
import { unwrapProofs } from "../../../src/protocol/translate/carriers.ts";
import { proofSlots } from "../../../src/protocol/translate/proof-slots.ts";
import { createProofs, layered } from "../../../src/protocol/translate/proofs.ts";
import { answerOf, HOME, proofs } from "./arbitraries.ts";

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

const slotsOf = (client: DialectId, upstream: DialectId, upstreamFamily?: ProofFamily) =>
  proofSlots({
    client,
    clientFamily: HOME[client],
    upstream,
    upstreamFamily: upstreamFamily ?? HOME[upstream],
    proofs,
  });

function requestOf(origin: DialectId, blocks: readonly Block[]): IrRequest {
  return {
    origin,
    model: "m",
    system: [],
    messages: [{ role: "assistant", blocks }],
    tools: undefined,
    sampling: {},
    stream: false,
  };
}

/** Each wire has one place for words: OpenAI's Responses a list of summaries, others a text. */
function wordsOf(client: DialectId, text?: string, summary?: readonly string[]) {
  if (client === "openai") return { text, summary };
  if (client === "responses") return { summary: summary ?? (text === undefined ? [] : [text]) };
  return { text: text ?? summary?.join("\n\n") };
}

/** The answer as its client's wire gives it back: it has no room for more than this. */
function echoed(client: DialectId, blocks: readonly Block[]): readonly Block[] {
  const read = (signed: Signed | undefined, isSeal = false): Signed | undefined =>
    signed && {
      value: signed.value,
      encoding: isSeal && client === "bedrock" ? "base64-of-plain" : "plain",
      family: HOME[client],
    };
  const kept = blocks.map((block): Block => {
    if (block.type === "reasoning") {
      const { text, summary, signature, sealed } = block;
      if (client === "responses") expect(signature).toBeUndefined();
      if (client === "gemini") {
        expect(sealed).toBeUndefined();
        expect(signature?.value ?? "").toMatch(BASE64);
      }
      if (client === "anthropic" && sealed !== undefined) expect(text).toBeUndefined();
      return {
        type: "reasoning",
        ...wordsOf(client, text, summary),
        signature: read(signature),
        sealed: read(sealed, true),
      };
    }
    if (!("proof" in block) || block.proof === undefined) return block;
    expect(client).toBe("gemini");
    return { ...block, proof: read(block.proof) };
  });
  if (client !== "openai") return kept;
  const texts = kept.flatMap((block) => (block.type === "text" ? [block.text] : []));
  return [
    ...kept.filter(({ type }) => type === "reasoning"),
    ...(texts.length === 0 ? [] : [{ type: "text" as const, text: texts.join("") }]),
    ...kept.filter(({ type }) => type === "tool_call"),
  ];
}

/** Absent and empty words are the same to a vendor. */
function plain(blocks: readonly Block[]): unknown {
  const json = JSON.stringify(blocks, (name, value: unknown) => {
    const isEmpty = value === "" || (Array.isArray(value) && value.length === 0);
    return isEmpty && (name === "text" || name === "summary") ? undefined : value;
  });
  return JSON.parse(json);
}
const reasoningOf = (blocks: readonly Block[]) => blocks.filter(({ type }) => type === "reasoning");
const callsOf = (blocks: readonly Block[]) => blocks.filter(({ type }) => type === "tool_call");
const textProofs = (blocks: readonly Block[]) =>
  blocks.flatMap((block) => (block.type === "text" && block.proof ? [block.proof.value] : []));

function sent(client: DialectId, upstream: DialectId, blocks: readonly Block[]) {
  const losses: Loss[] = [];
  const report = (loss: Loss) => void losses.push(loss);
  const answer = { origin: upstream, candidates: [{ index: 0, blocks }] };
  const carried = carryProofs(answer, { slots: slotsOf(client, upstream), report });
  const request = requestOf(client, echoed(client, carried.candidates[0]!.blocks));
  const back = unwrapProofs(request, { proofs, target: upstream, report });
  return { carried: carried.candidates[0]!.blocks, back: back.messages[0]!.blocks, losses };
}

const CARRYING = DIALECT_IDS.filter((id) => id !== "cohere");

describe.each(CARRYING)("through a client of %s", (client) => {
  test.each(CARRYING)("every proof of %s comes back in its place, byte for byte", (upstream) => {
    fc.assert(
      fc.property(answerOf(upstream), ({ candidates }) => {
        const { blocks } = candidates[0]!;
        const { back, losses } = sent(client, upstream, blocks);
        expect(losses).toEqual([]);
        expect(plain(reasoningOf(back))).toEqual(plain(reasoningOf(blocks)));
        expect(plain(callsOf(back))).toEqual(plain(callsOf(blocks)));
        expect(textProofs(back).sort()).toEqual(textProofs(blocks).sort());
        if (client !== "openai") expect(plain(back)).toEqual(plain(blocks));
      }),
    );
  });
});

test.each(CARRYING)("a client of cohere gets no proof of %s, and is told", (upstream) => {
  fc.assert(
    fc.property(answerOf(upstream), ({ candidates }) => {
      const { blocks } = candidates[0]!;
      const { carried, losses } = sent("cohere", upstream, blocks);
      expect(JSON.stringify(carried)).not.toContain('"family"');
      const proven = blocks.flatMap((block, at) =>
        JSON.stringify(block).includes('"family"') ? [`candidates[0].blocks[${at}]`] : [],
      );
      expect(losses.map(({ code, path }) => `${code} ${path}`)).toEqual(
        proven.map((path) => `L-REASONING-FOREIGN ${path}`),
      );
    }),
  );
});

describe("a vendor's own value", () => {
  const seal = (value: string, encoding: Signed["encoding"] = "plain"): Block => ({
    type: "reasoning",
    sealed: { value, encoding, family: "anthropic" },
  });
  const signature: Block = {
    type: "reasoning",
    text: "t",
    signature: { value: "c2ln", encoding: "plain", family: "anthropic" },
  };

  test("goes bare between wires of one family, its seal with Bedrock's layer", () => {
    expect(sent("anthropic", "bedrock", [signature]).carried).toEqual([signature]);
    const layer = Buffer.from("c2VhbA==").toString("base64");
    expect(sent("anthropic", "bedrock", [seal(layer, "base64-of-plain")]).carried).toEqual([
      seal("c2VhbA=="),
    ]);
    expect(sent("bedrock", "anthropic", [seal("c2VhbA==")]).carried).toEqual([
      seal(layer, "base64-of-plain"),
    ]);
  });

  test("that cannot be spelled with that layer is wrapped, and comes back", () => {
    const odd = seal("half \ud800 a pair");
    const { carried, back } = sent("bedrock", "anthropic", [odd]);
    expect(JSON.stringify(carried)).toContain("gw1.");
    expect(plain(back)).toEqual(plain([odd]));
  });

  test("of a model that is another vendor's on the same wire is wrapped", () => {
    const answer = { origin: "bedrock" as const, candidates: [{ index: 0, blocks: [signature] }] };
    const slots = slotsOf("anthropic", "bedrock", "other");
    const [candidate] = carryProofs(answer, { slots, report: () => undefined }).candidates;
    const [block] = candidate!.blocks;
    const value = block?.type === "reasoning" ? block.signature!.value : "";
    expect(proofs.unwrap(value)).toMatchObject({ family: "other", value: "c2ln" });
  });

  test("in a history without envelopes is left alone, block for block", () => {
    const request = requestOf("anthropic", [signature, { type: "text", text: "x" }]);
    const report = () => expect.unreachable();
    const back = unwrapProofs(request, { proofs, target: "anthropic", report });
    expect(back.messages[0]!.blocks).toEqual(request.messages[0]!.blocks);
    const text = requestOf("anthropic", [{ type: "text", text: "x" }]);
    expect(unwrapProofs(text, { proofs, target: "openai", report })).toBe(text);
  });
});

describe("a forged envelope", () => {
  const foreign = createProofs(new TextEncoder().encode("another gateway"));
  const value = foreign.wrap({ family: "anthropic", kind: "reasoning", value: "c2ln" });
  const signed = (of: string): Signed => ({ value: of, encoding: "plain", family: "anthropic" });

  test.each(DIALECT_IDS)("never goes to %s, and its loss is told by its place", (target) => {
    const losses: Loss[] = [];
    const blocks: Block[] = [
      { type: "reasoning", text: "words", signature: signed(value), at: "messages[1].content[0]" },
      { type: "reasoning", sealed: signed("gw1.nonsense"), at: "messages[1].content[1]" },
      {
        type: "reasoning",
        text: "",
        signature: signed(layered(value)),
        at: "messages[1].content[2]",
      },
      { type: "text", text: "x", proof: signed(value), at: "messages[1].content[3]" },
      {
        type: "tool_call",
        name: "t",
        args: "{}",
        proof: signed(value),
        at: "messages[1].content[4]",
      },
    ];
    const request = unwrapProofs(requestOf("gemini", blocks), {
      proofs,
      target,
      report: (loss) => void losses.push(loss),
    });
    expect(JSON.stringify(request)).not.toContain("gw1");
    expect(JSON.stringify(request)).not.toContain("Z3cxL");
    expect(losses).toEqual(
      blocks.map(({ at }) => ({ code: "L-REASONING-FOREIGN", path: at!, action: "dropped" })),
    );
    expect(request.messages[0]!.blocks.map(({ type }) => type)).toEqual([
      "reasoning",
      "text",
      "tool_call",
    ]);
  });
});

describe("a proof whose carrier says where it belongs", () => {
  const google = (value: string): Signed => ({ value, encoding: "plain", family: "google" });
  const call = (callId: string): Block => ({ type: "tool_call", callId, name: "t", args: "{}" });
  const carrier = (value: string, callId?: string): Block => ({
    type: "reasoning",
    sealed: google(value),
    carries: { proofOf: "call", callId },
    at: `messages[0].reasoning_details[${value}]`,
  });
  const back = (blocks: readonly Block[], losses: Loss[] = []) =>
    unwrapProofs(requestOf("openai", blocks), {
      proofs,
      target: "gemini",
      report: (loss) => void losses.push(loss),
    }).messages[0]!.blocks;

  test("goes on the call of its id, else on the next one", () => {
    expect(back([carrier("0", "b"), carrier("1"), call("a"), call("b")])).toEqual([
      { ...call("a"), proof: google("1") },
      { ...call("b"), proof: google("0") },
    ] as Block[]);
  });

  test("whose call was taken out of the history is lost, and that is told", () => {
    const losses: Loss[] = [];
    expect(back([carrier("0", "gone"), call("a")], losses)).toEqual([call("a")]);
    expect(losses).toEqual([
      { code: "L-REASONING-FOREIGN", path: "messages[0].reasoning_details[0]", action: "dropped" },
    ]);
  });
});

test("a message of very many carriers takes linear time", () => {
  const blocks: Block[] = [];
  for (let index = 0; index < 40_000; index++) {
    const sealed: Signed = { value: "x", encoding: "plain", family: "google" };
    blocks.push({ type: "reasoning", sealed, carries: { proofOf: index % 2 ? "call" : "text" } });
    blocks.push({ type: "text", text: "" }, { type: "tool_call", name: "t", args: "{}" });
  }
  const started = Bun.nanoseconds();
  unwrapProofs(requestOf("openai", [...blocks].reverse()), {
    proofs,
    target: "gemini",
    report: () => undefined,
  });
  expect((Bun.nanoseconds() - started) / 1e9).toBeLessThan(5);
});
