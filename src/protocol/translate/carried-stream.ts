import type { Block, ReasoningBlock, Signed } from "../ir/block.ts";
import type { IrEvent } from "../ir/event.ts";
import {
  type CarrierOptions,
  carrierFor,
  carryReasoning,
  type CarryOptions,
  emptyCarrier,
  hasWords,
  KIND_OF,
  lose,
  textPlace,
  withoutProof,
} from "./carried-answer.ts";
import {
  bareBlock,
  begun,
  begunWith,
  ended,
  type Going,
  type Grow,
  type Open,
  proofDelta,
  proofIn,
  saysNothing,
  type Start,
  type Stopped,
  wholeBlock,
} from "./open-blocks.ts";
import { blockPath, type Pass } from "./pass.ts";

/** `carryProofs` for a stream. Numbers all blocks anew, for carriers stand among them. */
export function carryPass(options: CarryOptions): Pass {
  return new Carrying(options);
}

class Carrying implements Pass {
  readonly #options: CarryOptions;
  readonly #candidates = new Map<number, Going>();

  constructor(options: CarryOptions) {
    this.#options = options;
  }

  feed(event: IrEvent): readonly IrEvent[] {
    switch (event.t) {
      case "block_start":
        return this.#start(event, this.#of(event.c));
      case "delta":
        return this.#grow(event, this.#of(event.c));
      case "block_stop":
        return this.#stop(event, this.#of(event.c));
      case "stop":
        return [...this.#flush(this.#of(event.c)), event];
      case "end":
      case "error":
        return [...this.end(), event];
      case "start":
      case "usage":
      case "meta":
      case "ping":
      case "raw":
        return [event];
    }
  }

  end(): readonly IrEvent[] {
    return [...this.#candidates.values()].flatMap((going) => this.#flush(going));
  }

  #of(c: number): Going {
    let going = this.#candidates.get(c);
    if (going === undefined) {
      going = { c, open: new Map(), waiting: [], next: 0 };
      this.#candidates.set(c, going);
    }
    return going;
  }

  /** What the source left open is over when its candidate is. */
  #flush(going: Going): readonly IrEvent[] {
    const { c, open, waiting } = going;
    const events = [...open.keys()].flatMap((b) => this.#stop({ t: "block_stop", c, b }, going));
    for (const { proofOf, signed, path } of waiting.splice(0)) {
      if (proofOf === "call") lose({ path, report: this.#options.report });
      else events.push(...wholeBlock(going, { type: "text", text: "", proof: signed }));
    }
    return events;
  }

  #start(event: Start, going: Going): readonly IrEvent[] {
    const { c, b, block } = event;
    const open: Open = {
      start: event,
      path: blockPath(c, b),
      how: this.#howOf(block),
      out: undefined,
      proof: isCarrying(block) ? proofIn(block) : undefined,
      isLost: false,
      held: [],
    };
    going.open.set(b, open);
    switch (open.how) {
      case "as-is":
        if (block.type === "media" && open.proof !== undefined && !this.#options.slots.onParts) {
          this.#loseOf(open);
        }
        return begun(going, open, this.#withWaiting(withoutProof(block, this.#options), going));
      case "text":
        return block.type === "text" && (block.text !== "" || !this.#options.slots.fromParts)
          ? begun(going, open, withoutProof(block, this.#options))
          : [];
      case "reasoning":
        return block.type === "reasoning" ? this.#startReasoning(block, going, open) : [];
      case "carrier":
      case "held":
        return [];
    }
  }

  #howOf(block: Block): Open["how"] {
    const { onParts, fromParts } = this.#options.slots;
    if (block.type === "reasoning") return block.carries === undefined ? "reasoning" : "carrier";
    if (onParts) return "as-is";
    if (block.type === "text") return "text";
    const isProven = block.type === "tool_call" && (fromParts || block.proof !== undefined);
    return isProven ? "held" : "as-is";
  }

  /** A skeleton with words or a seal of its own begins at once; else its first delta decides. */
  #startReasoning(block: ReasoningBlock, going: Going, open: Open): readonly IrEvent[] {
    const { signature, sealed } = block;
    if (!hasWords(block) && signature === undefined && sealed === undefined) return [];
    const events: IrEvent[] = [];
    const bare = { ...block, signature: undefined, sealed: undefined };
    if (hasWords(block)) events.push(...begun(going, open, bare));
    for (const slot of ["sealed", "signature"] as const) {
      const given = block[slot];
      if (given !== undefined) events.push(...this.#prove(given, { slot, going, open }));
    }
    return events;
  }

  /** A proof that stands only in what the wire repeats of the whole block. */
  #proveLate(final: Block | undefined, going: Going, open: Open): readonly IrEvent[] {
    if (final?.type !== "reasoning" || open.proof !== undefined) return [];
    return (["sealed", "signature"] as const).flatMap((slot) => {
      const given = final[slot];
      return given === undefined ? [] : this.#prove(given, { slot, going, open });
    });
  }

  #prove(
    given: Signed,
    at: { readonly slot: "signature" | "sealed"; readonly going: Going; readonly open: Open },
  ): readonly IrEvent[] {
    const { slot, going, open } = at;
    open.proof = given;
    const placed = this.#options.slots.place(given, { kind: KIND_OF[slot] });
    if (placed === undefined) {
      this.#loseOf(open);
      return [];
    }
    const bare = bareBlock(open.start.block);
    // A seal that comes first is all there is: Anthropic's wire says so in the block's start.
    if (open.out === undefined && placed.slot === "sealed" && !placed.isWrapped) {
      return begun(going, open, { ...bare, sealed: placed.signed } as Block);
    }
    return [...begun(going, open, bare), proofDelta(going.c, open.out!, placed)];
  }

  #grow(event: Grow, going: Going): readonly IrEvent[] {
    const open = going.open.get(event.b);
    if (open === undefined) return [];
    const { d } = event;
    if (open.how === "held" || open.how === "carrier" || open.how === "text") {
      if (d.k === "proof" || d.k === "sealed" || d.k === "signature") {
        open.proof = d.signed;
        return [];
      }
    }
    switch (open.how) {
      case "held":
        open.held.push(event);
        return [];
      case "carrier":
        return [];
      case "text":
        return open.out === undefined && saysNothing(event) ? [] : begunWith(going, open, event);
      case "reasoning":
        if (d.k === "signature" || d.k === "sealed") {
          return this.#prove(d.signed, { slot: d.k, going, open });
        }
        return open.out === undefined && saysNothing(event) ? [] : begunWith(going, open, event);
      case "as-is": {
        if (d.k !== "proof") return begunWith(going, open, event);
        const kind = open.start.block.type === "tool_call" ? "call" : "text";
        const { slots } = this.#options;
        const placed = slots.onParts ? slots.place(d.signed, { kind }) : undefined;
        if (placed === undefined) {
          this.#loseOf(open);
          return [];
        }
        return begunWith(going, open, { ...event, d: { k: "proof", signed: placed.signed } });
      }
    }
  }

  #stop(event: Stopped, going: Going): readonly IrEvent[] {
    const open = going.open.get(event.b);
    if (open === undefined) return [];
    going.open.delete(event.b);
    const bare = bareBlock(open.start.block);
    const { final } = event;
    if (final !== undefined && open.how !== "reasoning") open.proof ??= proofIn(final);
    switch (open.how) {
      case "as-is":
        return ended(open, { ...event, final: this.#final(final) });
      case "reasoning": {
        const proven = this.#proveLate(final, going, open);
        if (open.out === undefined && open.isLost) return [];
        const first = [...proven, ...begun(going, open, bare)];
        return [...first, ...ended(open, { ...event, final: this.#final(final) })];
      }
      case "carrier":
        return this.#stopCarrier(going, open);
      case "held": {
        const { callId } = open.start.block as { callId?: string | undefined };
        const carrier = this.#carrier(open, going, { proofOf: "call", callId });
        const first = begun(going, open, bare);
        const rest = open.held.flatMap((each) => begunWith(going, open, each));
        const last = ended(open, { ...event, final: this.#final(final) });
        return [...carrier, ...first, ...rest, ...last];
      }
      case "text": {
        const place = textPlace(open.out === undefined);
        const carrier = this.#carrier(open, going, { proofOf: "text", place });
        if (open.out === undefined && carrier.length > 0) return carrier;
        const first = begun(going, open, bare);
        const last = ended(open, { ...event, final: this.#final(final) });
        return [...first, ...last, ...carrier];
      }
    }
  }

  #stopCarrier(going: Going, open: Open): readonly IrEvent[] {
    const { block } = open.start;
    const carries = block.type === "reasoning" ? block.carries : undefined;
    const signed = open.proof;
    if (carries === undefined || signed === undefined) return [];
    if (!this.#options.slots.onParts) return this.#carrier(open, going, carries);
    const { proofOf, callId } = carries;
    going.waiting.push({ proofOf, callId, signed, path: open.path });
    return [];
  }

  /** The events of a carrier for the proof of `open`; none where it has none. */
  #carrier(
    open: Open,
    going: Going,
    carries: Pick<CarrierOptions, "proofOf" | "callId" | "place">,
  ): readonly IrEvent[] {
    if (open.proof === undefined) return [];
    const options = { ...this.#options, ...carries, path: open.path };
    const carrier = carrierFor(open.proof, options);
    const slot = carrier?.sealed === undefined ? "signature" : "sealed";
    const signed = carrier?.[slot];
    if (carrier?.carries === undefined || signed === undefined) return [];
    const { c } = going;
    const b = going.next++;
    return [
      { t: "block_start", c, b, block: emptyCarrier(carrier.carries) },
      proofDelta(c, b, { slot, signed }),
      { t: "block_stop", c, b },
    ];
  }

  #withWaiting(block: Block, { waiting }: Going): Block {
    if (waiting.length === 0 || (block.type !== "tool_call" && block.type !== "text")) return block;
    const found = waiting.findIndex(({ proofOf, callId }) =>
      block.type === "text"
        ? proofOf === "text"
        : proofOf === "call" && (callId === undefined || callId === block.callId),
    );
    const [proof] = found < 0 ? [] : waiting.splice(found, 1);
    return proof === undefined ? block : { ...block, proof: proof.signed };
  }

  /** Losses of what a wire repeats are not told twice. */
  #final(final: Block | undefined): Block | undefined {
    if (final === undefined) return undefined;
    if (final.type !== "reasoning") return withoutProof(final, this.#options);
    const options = { ...this.#options, report: () => undefined, path: "" };
    return carryReasoning(final, options);
  }

  #loseOf(open: Open): void {
    if (!open.isLost) lose({ path: open.path, report: this.#options.report });
    open.isLost = true;
  }
}

/** Whether a block's proof is handed on at its end, and not where it stands. */
function isCarrying(block: Block): boolean {
  return block.type !== "reasoning" || block.carries !== undefined;
}
