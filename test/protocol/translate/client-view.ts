import type { Candidate, IrUsage } from "../../../src/protocol/ir/answer.ts";
import type { Block, Signed } from "../../../src/protocol/ir/block.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import { isObject } from "../../../src/protocol/ir/fields.ts";
import type { Json } from "../../../src/protocol/ir/json.ts";
import { accumulate } from "./accumulate.ts";

/** What a client makes of an answer, however its wire cuts it into blocks. */
export interface ClientView {
  readonly candidates: readonly {
    readonly text: string;
    readonly words: string;
    readonly refusal: string;
    readonly calls: readonly { readonly name: string; readonly id: unknown; readonly args: Json }[];
    readonly proofs: readonly string[];
    readonly stop: unknown;
  }[];
  readonly usage: unknown;
}

interface Said {
  readonly candidates: readonly Candidate[];
  readonly usage?: IrUsage | undefined;
}

/** The view of a stream a client has read. */
export function viewOfStream(events: readonly IrEvent[]): ClientView {
  return viewOf(accumulate(events) as unknown as Said);
}

/** The view of a whole answer. */
export function viewOf({ candidates, usage }: Said): ClientView {
  return {
    candidates: candidates.map(({ blocks, stop }) => ({
      text: joined(blocks, "text"),
      words: joined(blocks, "reasoning"),
      refusal: joined(blocks, "refusal"),
      calls: blocks.flatMap((block) =>
        block.type === "tool_call"
          ? [{ name: block.name, id: block.callId ?? null, args: argsOf(block) }]
          : [],
      ),
      proofs: blocks.flatMap(proofsOf),
      stop: stop && { kind: stop.kind, sequence: stop.sequence ?? null },
    })),
    usage: usage && {
      input: usage.inputTotal ?? 0,
      output: usage.outputTotal ?? 0,
      cacheRead: usage.cacheRead ?? 0,
      reasoning: usage.reasoning ?? 0,
    },
  };
}

function joined(blocks: readonly Block[], type: "text" | "reasoning" | "refusal"): string {
  return blocks
    .map((block) => {
      if (block.type !== type) return "";
      const words = block.text ?? "";
      return block.type === "reasoning" ? words + (block.summary ?? []).join("") : words;
    })
    .join("");
}

/** No arguments are an empty object; text that is no object is wrapped where it must be one. */
function argsOf(block: Extract<Block, { type: "tool_call" }>): Json {
  const { args = "", argsValue = parsed(args), freeform } = block;
  if (freeform === true) return args;
  return isObject(argsValue) ? (argsValue["_raw"] ?? argsValue) : argsValue;
}

function parsed(args: string): Json {
  if (args === "") return {};
  try {
    return JSON.parse(args) as Json;
  } catch {
    return args; // A model may write what is no JSON: then the text is compared.
  }
}

function proofsOf(block: Block): readonly string[] {
  const all: (Signed | undefined)[] =
    block.type === "reasoning"
      ? [block.signature, block.sealed]
      : ["proof" in block ? block.proof : undefined];
  return all.flatMap((signed) => (signed === undefined ? [] : [signed.value]));
}
