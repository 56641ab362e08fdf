import type { Candidate, IrAnswer } from "../ir/answer.ts";
import type { Block, Carried, ReasoningBlock, Signed } from "../ir/block.ts";
import type { Report } from "../ir/loss.ts";
import { attachProofs, type LooseProof } from "./loose-proofs.ts";
import { blockPath } from "./pass.ts";
import type { ProofSlots } from "./proof-slots.ts";
import type { Proof } from "./proofs.ts";

/** Where proofs may stand for the client, and who hears of those that may not. */
export interface CarryOptions {
  readonly slots: ProofSlots;
  readonly report: Report;
}

/** Puts the proofs of a whole answer where the client's protocol has room for them. */
export function carryProofs(answer: IrAnswer, options: CarryOptions): IrAnswer {
  const candidates = answer.candidates.map((each) => carryCandidate(each, options));
  return { ...answer, candidates };
}

function carryCandidate(candidate: Candidate, options: CarryOptions): Candidate {
  const blocks = candidate.blocks.flatMap((block, index) =>
    carryBlock(block, { ...options, path: blockPath(candidate.index, index) }),
  );
  if (!options.slots.onParts) return { ...candidate, blocks };
  return { ...candidate, blocks: withoutCarriers(blocks, candidate.index, options.report) };
}

/** The same for one block. */
export interface BlockCarry extends CarryOptions {
  readonly path: string;
}

function carryBlock(block: Block, carry: BlockCarry): readonly Block[] {
  if (block.type === "reasoning") {
    const carried = carryReasoning(block, carry);
    return carried === undefined ? [] : [carried];
  }
  if (block.type === "tool_call" && block.proof !== undefined) {
    const kept = withoutProof(block, carry);
    const carrier = carrierFor(block.proof, { ...carry, proofOf: "call", callId: block.callId });
    return carrier === undefined ? [kept] : [carrier, kept];
  }
  if (block.type === "text" && block.proof !== undefined) {
    const kept = withoutProof(block, carry);
    const place = textPlace(block.text === "");
    const carrier = carrierFor(block.proof, { ...carry, proofOf: "text", place });
    if (carrier === undefined) return [kept];
    return place === "alone" ? [carrier] : [kept, carrier];
  }
  if (block.type === "media" && block.proof !== undefined && !carry.slots.onParts) lose(carry);
  return [withoutProof(block, carry)];
}

/** A block as it stands for the client: its proof is gone where there is no place on it. */
export function withoutProof<B extends Block>(block: B, { slots }: Pick<CarryOptions, "slots">): B {
  if (!("proof" in block) || block.proof === undefined) return block;
  const kind = block.type === "tool_call" ? "call" : "text";
  const proof = slots.onParts ? slots.place(block.proof, { kind })?.signed : undefined;
  return { ...block, proof };
}

/** A stream has sent the text by the time its proof comes, so its carrier stands behind it. */
export function textPlace(isEmpty: boolean): "after" | "alone" {
  return isEmpty ? "alone" : "after";
}

/** Undefined where nothing is left of the block, which is reported where it matters. */
export function carryReasoning(
  block: ReasoningBlock,
  carry: BlockCarry,
): ReasoningBlock | undefined {
  const { carries, signature, sealed } = block;
  if (carries !== undefined) {
    const proof = sealed ?? signature;
    if (proof === undefined) return undefined;
    return carry.slots.onParts ? block : carrierFor(proof, { ...carry, ...carries });
  }
  const placed: { signature?: Signed; sealed?: Signed } = {};
  let isLost = false;
  for (const slot of ["sealed", "signature"] as const) {
    const given = block[slot];
    const place = given && carry.slots.place(given, { kind: KIND_OF[slot] });
    if (place !== undefined) placed[place.slot] = place.signed;
    else isLost ||= given !== undefined;
  }
  if (isLost) lose(carry);
  if (isLost && !hasWords(block)) return undefined;
  return { ...block, signature: undefined, sealed: undefined, ...placed };
}

/** Whether a block of reasoning has something to read. */
export function hasWords({ text, summary }: ReasoningBlock): boolean {
  return (text ?? "") !== "" || (summary ?? []).some((part) => part !== "");
}

/** What a proof in either slot of a reasoning block vouches for. */
export const KIND_OF = { signature: "reasoning", sealed: "sealed" } as const;

/** What a carrier carries, and where it belongs. */
export interface CarrierOptions extends BlockCarry, Carried {
  readonly place?: Proof["place"];
}

/** A block of reasoning that is nothing but a proof's carrier; undefined on a wire with parts. */
export function carrierFor(proof: Signed, options: CarrierOptions): ReasoningBlock | undefined {
  const { slots, proofOf, callId, place } = options;
  if (slots.onParts) return undefined;
  const placed = slots.place(proof, { kind: proofOf, callId, place });
  if (placed === undefined) {
    lose(options);
    return undefined;
  }
  return { ...emptyCarrier({ proofOf, callId }), [placed.slot]: placed.signed };
}

/** The empty text is said: a wire with a signature has a place for text beside it. */
export function emptyCarrier(carries: Carried): ReasoningBlock {
  return { type: "reasoning", text: "", carries };
}

/** Toward a wire with places on its parts: a carrier's proof goes on the part itself. */
function withoutCarriers(
  blocks: readonly Block[],
  candidate: number,
  report: Report,
): readonly Block[] {
  const kept: Block[] = [];
  const loose: LooseProof[] = [];
  for (const [index, block] of blocks.entries()) {
    const proof = looseOf(block, kept.length, blockPath(candidate, index));
    if (proof === undefined) kept.push(block);
    else loose.push(proof);
  }
  const attached = attachProofs(kept, loose);
  for (const { at } of attached.lost) lose({ path: at, report });
  return attached.blocks;
}

function looseOf(block: Block, index: number, at: string): LooseProof | undefined {
  if (block.type !== "reasoning" || block.carries === undefined) return undefined;
  const signed = block.sealed ?? block.signature;
  const { proofOf, callId } = block.carries;
  return signed && { kind: proofOf, signed, callId, index, at };
}

/** Reports a proof that has no place for this client. */
export function lose({ path, report }: Pick<BlockCarry, "path" | "report">): void {
  report({ code: "L-REASONING-FOREIGN", path, action: "dropped" });
}
