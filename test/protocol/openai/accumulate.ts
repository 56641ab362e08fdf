import type { Candidate, IrAnswer, IrUsage, Stop } from "../../../src/protocol/ir/answer.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { Delta, IrEvent } from "../../../src/protocol/ir/event.ts";

interface Growing {
  readonly blocks: Map<number, Block>;
  readonly open: Set<number>;
  stop: Stop | undefined;
}

/** A stream as a whole answer; throws where the events break their grammar. */
export function accumulate(events: readonly IrEvent[]): IrAnswer {
  const candidates = new Map<number, Growing>();
  let start: Extract<IrEvent, { t: "start" }> | undefined;
  let usage: IrUsage | undefined;
  let ended = false;
  const of = (c: number): Growing => {
    const known = candidates.get(c) ?? { blocks: new Map(), open: new Set(), stop: undefined };
    candidates.set(c, known);
    return known;
  };
  for (const event of events) {
    if (ended) throw new Error(`${event.t} behind the end`);
    if (start === undefined && event.t !== "start" && event.t !== "error" && event.t !== "ping") {
      throw new Error(`${event.t} before the start`);
    }
    switch (event.t) {
      case "start":
        if (start !== undefined) throw new Error("two starts");
        start = event;
        break;
      case "block_start": {
        const { blocks, open, stop } = of(event.c);
        if (stop !== undefined) throw new Error("a block behind the stop");
        if (event.b <= Math.max(-1, ...blocks.keys())) throw new Error(`block ${event.b} again`);
        blocks.set(event.b, event.block);
        open.add(event.b);
        break;
      }
      case "delta": {
        const { blocks, open } = of(event.c);
        if (!open.has(event.b)) throw new Error(`a delta of block ${event.b}, which is not open`);
        blocks.set(event.b, grown(blocks.get(event.b)!, event.d));
        break;
      }
      case "block_stop":
        if (!of(event.c).open.delete(event.b)) throw new Error(`block ${event.b} is not open`);
        break;
      case "stop": {
        const candidate = of(event.c);
        if (candidate.stop !== undefined) throw new Error("two stops");
        if (candidate.open.size > 0) throw new Error("a stop with blocks open");
        candidate.stop = event.stop;
        break;
      }
      case "usage":
        usage = event.usage;
        break;
      case "end":
      case "error":
        ended = true;
        break;
      case "meta":
      case "ping":
      case "raw":
    }
  }
  return {
    origin: "openai",
    id: start?.id,
    model: start?.model,
    createdAt: start?.createdAt,
    usage,
    candidates: [...candidates].map(([index, { blocks, stop }]): Candidate => {
      return { index, blocks: [...blocks.values()], stop };
    }),
  };
}

function grown(block: Block, d: Delta): Block {
  switch (d.k) {
    case "text":
    case "refusal":
      return { ...block, text: (block as { text: string }).text + d.text } as Block;
    case "reasoning":
      return { ...block, text: ((block as { text?: string }).text ?? "") + d.text } as Block;
    case "summary": {
      const [first = ""] = (block as { summary?: string[] }).summary ?? [];
      return { ...block, summary: [first + d.text] } as Block;
    }
    case "signature":
      return { ...block, signature: d.signed } as Block;
    case "sealed":
      return { ...block, sealed: d.signed } as Block;
    case "args":
      return { ...block, args: ((block as { args?: string }).args ?? "") + d.text } as Block;
    case "citation": {
      const { citations = [] } = block as { citations?: object[] };
      return { ...block, citations: [...citations, d.citation] } as Block;
    }
    case "logprobs": {
      const { logprobs = [] } = block as { logprobs?: object[] };
      return { ...block, logprobs: [...logprobs, ...d.tokens] } as Block;
    }
    case "audio":
    case "proof":
    case "result":
    case "raw":
      return block;
  }
}

/** What two readings must agree in: everything but where one block ends and the next begins. */
export function saidBy({ candidates }: IrAnswer) {
  const joined = (blocks: readonly Block[], type: "text" | "refusal") =>
    blocks.flatMap((block) => (block.type === type ? [block.text] : [])).join("");
  return candidates.map(({ index, blocks, stop }) => ({
    index,
    stop: stop?.kind,
    text: joined(blocks, "text"),
    refusal: joined(blocks, "refusal"),
    calls: blocks.flatMap((block) =>
      block.type === "tool_call" ? [[block.callId, block.name, block.args || "{}"]] : [],
    ),
    citations: blocks.flatMap((block) => (block.type === "text" ? (block.citations ?? []) : [])),
    logprobs: blocks.flatMap((block) => (block.type === "text" ? (block.logprobs ?? []) : [])),
  }));
}
