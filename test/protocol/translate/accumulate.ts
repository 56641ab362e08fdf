import type { DialectId } from "../../../src/core/ids.ts";
import type { Candidate, IrAnswer } from "../../../src/protocol/ir/answer.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { Json } from "../../../src/protocol/ir/json.ts";

type Loose = Record<string, unknown>;

/** What a client has in the end of a stream of events; empty words are left out. */
export function accumulate(events: readonly IrEvent[]): Json {
  return plain(gather(events));
}

/** The answer that a stream of events tells. */
export function answerFrom(events: readonly IrEvent[], origin: DialectId): IrAnswer {
  return { ...gather(events), origin } as unknown as IrAnswer;
}

function gather(events: readonly IrEvent[]): object {
  const candidates = new Map<number, { blocks: Map<number, Loose>; stop?: unknown }>();
  let usage: unknown;
  let error: unknown;
  let ended = 0;
  const of = (c: number) => {
    const found = candidates.get(c) ?? { blocks: new Map<number, Loose>() };
    candidates.set(c, found);
    return found;
  };
  const open = new Set<string>();
  for (const event of events) {
    if (ended > 0 && event.t !== "end") throw new Error(`${event.t} after the end`);
    switch (event.t) {
      case "block_start": {
        const { blocks } = of(event.c);
        const last = Math.max(-1, ...blocks.keys());
        if (event.b <= last) throw new Error(`block ${event.b} after ${last}`);
        blocks.set(event.b, { ...event.block } as Loose);
        open.add(`${event.c}/${event.b}`);
        break;
      }
      case "delta": {
        if (!open.has(`${event.c}/${event.b}`)) throw new Error("delta of a block not open");
        grow(of(event.c).blocks.get(event.b)!, event.d as unknown as Loose);
        break;
      }
      case "block_stop":
        if (!open.delete(`${event.c}/${event.b}`)) throw new Error("stop of a block not open");
        break;
      case "stop":
        of(event.c).stop = event.stop;
        break;
      case "usage":
        usage = event.usage;
        break;
      case "error":
        error = event.error;
        break;
      case "end":
        ended++;
        break;
      case "start":
      case "meta":
      case "ping":
      case "raw":
        break;
    }
  }
  if (open.size > 0) throw new Error("a block was never stopped");
  const list = [...candidates].map(([index, { blocks, stop }]) => ({
    index,
    blocks: [...blocks.values()],
    stop,
  }));
  return { candidates: list, usage, error, ended };
}

function grow(block: Loose, d: Loose): void {
  const add = (name: string, more: unknown) => {
    block[name] = `${(block[name] as string | undefined) ?? ""}${String(more)}`;
  };
  const push = (name: string, more: readonly unknown[]) => {
    block[name] = [...((block[name] as unknown[] | undefined) ?? []), ...more];
  };
  switch (d["k"]) {
    case "text":
    case "refusal":
    case "reasoning":
      return add("text", d["text"]);
    case "args":
      return add("args", d["text"]);
    case "summary": {
      const parts = [...((block["summary"] as string[] | undefined) ?? [])];
      const at = d["part"] as number;
      parts[at] = (parts[at] ?? "") + String(d["text"]);
      block["summary"] = parts;
      return;
    }
    case "signature":
    case "sealed":
    case "proof":
      block[d["k"]] = d["signed"];
      return;
    case "citation":
      return push("citations", [d["citation"]]);
    case "logprobs":
      return push("logprobs", d["tokens"] as unknown[]);
    default:
      return push("more", [d]);
  }
}

/** A whole answer in the form `accumulate` gives. */
export function whole(answer: IrAnswer): Json {
  const { candidates, usage } = answer;
  const list = candidates.map(({ index, blocks, stop }) => ({ index, blocks, stop }));
  return plain({ candidates: list, usage, ended: 1 });
}

/** Empty words and absent ones are the same to a reader. */
function plain(value: unknown): Json {
  const json = JSON.stringify(value, (name, each: unknown) =>
    (name === "text" || name === "args") && each === "" ? undefined : each,
  );
  return JSON.parse(json) as Json;
}

export interface EventsOptions {
  /** Rising fractions at which texts are cut into deltas. */
  readonly cuts: readonly number[];
  /** Where proofs stand: whole in the start of their block, as deltas, or in what is repeated. */
  readonly proofs: "start" | "delta" | "final";
}

/** The stream a source could have told `answer` by. */
export function eventsOf(answer: IrAnswer, options: EventsOptions): readonly IrEvent[] {
  const events: IrEvent[] = [{ t: "start", id: answer.id, model: answer.model }];
  for (const candidate of answer.candidates) {
    events.push(...blockEvents(candidate, options));
    if (candidate.stop !== undefined) {
      events.push({ t: "stop", c: candidate.index, stop: candidate.stop });
    }
  }
  if (answer.usage !== undefined) events.push({ t: "usage", usage: answer.usage });
  return [...events, { t: "end" }];
}

function blockEvents({ index: c, blocks }: Candidate, options: EventsOptions): readonly IrEvent[] {
  return blocks.flatMap((block, b): IrEvent[] => {
    const { skeleton, deltas } = taken(block, options);
    return [
      { t: "block_start", c, b, block: skeleton },
      ...deltas.map((d): IrEvent => ({ t: "delta", c, b, d })),
      { t: "block_stop", c, b, final: options.proofs === "final" ? block : undefined },
    ];
  });
}

type Delta = Extract<IrEvent, { t: "delta" }>["d"];

function taken(block: Block, { cuts, proofs: where }: EventsOptions) {
  const deltas: Delta[] = [];
  const pieces = (text: string): string[] => {
    const points = [0, ...cuts.map((cut) => Math.floor(cut * text.length)), text.length];
    return points.slice(1).map((end, at) => text.slice(points[at]!, end));
  };
  const proofs = (names: readonly ("signature" | "sealed" | "proof")[], of: Block) => {
    const rest = { ...of } as Loose;
    for (const k of names) {
      const signed = rest[k];
      if (signed === undefined || where === "start") continue;
      delete rest[k];
      if (where === "delta") deltas.push({ k, signed } as Delta);
    }
    return rest as unknown as Block;
  };
  switch (block.type) {
    case "text":
      for (const text of pieces(block.text)) deltas.push({ k: "text", text });
      return { skeleton: proofs(["proof"], { ...block, text: "" }), deltas };
    case "reasoning":
      for (const text of pieces(block.text ?? "")) {
        if (block.text !== undefined) deltas.push({ k: "reasoning", text });
      }
      for (const [part, text] of (block.summary ?? []).entries()) {
        deltas.push({ k: "summary", part, text });
      }
      return {
        skeleton: proofs(["sealed", "signature"], {
          ...block,
          text: undefined,
          summary: undefined,
        }),
        deltas,
      };
    case "tool_call":
      if (block.args === undefined) return { skeleton: proofs(["proof"], block), deltas };
      for (const text of pieces(block.args)) deltas.push({ k: "args", text });
      return { skeleton: proofs(["proof"], { ...block, args: "" }), deltas };
    default:
      return { skeleton: block, deltas };
  }
}
