import type { DialectId } from "../../core/ids.ts";
import type { Block, ReasoningBlock, Signed } from "../ir/block.ts";
import type { Report } from "../ir/loss.ts";
import type { IrRequest, Message } from "../ir/request.ts";
import { hasWords, KIND_OF, lose } from "./carried-answer.ts";
import { attachProofs, type LooseProof } from "./loose-proofs.ts";
import { sealFor } from "./proof-slots.ts";
import type { Proof, Proofs } from "./proofs.ts";

/** What a request's proofs are opened with, and for whom. */
export interface UnwrapOptions {
  readonly proofs: Proofs;
  /** The protocol the request goes on in. */
  readonly target: DialectId;
  readonly report: Report;
}

/**
 * Takes the proofs of a caller's history out of the slots that carried them and puts them where
 * their vendor looks for them: protocols.md 3.9. A forged one goes nowhere.
 */
export function unwrapProofs(request: IrRequest, options: UnwrapOptions): IrRequest {
  let isChanged = false;
  const messages = request.messages.map((message) => {
    const unwrapped = unwrapMessage(message, options);
    isChanged ||= unwrapped !== message;
    return unwrapped;
  });
  return isChanged ? { ...request, messages } : request;
}

function unwrapMessage(message: Message, options: UnwrapOptions): Message {
  if (!message.blocks.some(isCarrying)) return message;
  const blocks: Block[] = [];
  const loose: LooseProof[] = [];
  for (const block of message.blocks) {
    const index = blocks.length;
    const opened = openBlock(block, options);
    if (opened.block !== undefined) blocks.push(opened.block);
    for (const proof of opened.loose) loose.push({ ...proof, index });
  }
  const attached = attachProofs(blocks, loose);
  for (const { at } of attached.lost) lose({ path: at, report: options.report });
  return { ...message, blocks: attached.blocks };
}

/** Whether a block may have to change: a proof it holds, or words in another wire's place. */
function isCarrying(block: Block): boolean {
  if (block.type === "reasoning") {
    const { text, summary, signature, sealed, carries } = block;
    const isSummed = text === undefined && summary !== undefined;
    return isSummed || (signature ?? sealed ?? carries) !== undefined;
  }
  return "proof" in block && block.proof !== undefined;
}

interface Opened {
  /** Undefined: it was nothing but a carrier. */
  readonly block: Block | undefined;
  readonly loose: readonly Omit<LooseProof, "index">[];
}

function openBlock(block: Block, options: UnwrapOptions): Opened {
  if (block.type === "reasoning") return openReasoning(block, options);
  if (!("proof" in block) || block.proof === undefined) return { block, loose: [] };
  const at = block.at ?? block.type;
  const opened = open(block.proof, { ...options, at });
  const proof = opened === undefined ? undefined : opened.signed;
  return { block: { ...block, proof }, loose: [] };
}

/** Where a proof was, and what the envelope said it is; undefined kind: it was in none. */
interface OpenedProof {
  readonly signed: Signed;
  readonly proof: Proof | undefined;
}

/** Undefined for a forged envelope, which is reported. */
function open(
  signed: Signed,
  { proofs, report, at }: UnwrapOptions & { readonly at: string },
): OpenedProof | undefined {
  const proof = proofs.unwrap(signed.value);
  if (proof === undefined) return { signed, proof: undefined };
  if (proof === "forged") {
    lose({ path: at, report });
    return undefined;
  }
  const { value, encoding, family } = proof;
  return { signed: { value, encoding: encoding ?? "plain", family }, proof };
}

function openReasoning(block: ReasoningBlock, options: UnwrapOptions): Opened {
  const at = block.at ?? "reasoning";
  const own: { signature?: Signed; sealed?: Signed } = {};
  const loose: Omit<LooseProof, "index">[] = [];
  let wrapped: Proof | undefined;
  for (const slot of ["signature", "sealed"] as const) {
    const given = block[slot];
    const opened = given && open(given, { ...options, at });
    if (opened === undefined) continue;
    const { signed, proof } = opened;
    const kind = proof?.kind ?? block.carries?.proofOf ?? KIND_OF[slot];
    if (kind === "call" || kind === "text") {
      const callId = proof?.callId ?? block.carries?.callId;
      loose.push({ kind, signed, callId, place: proof?.place, at });
    } else {
      wrapped ??= proof;
      own[SLOT_OF[kind]] = kind === "sealed" ? sealFor(options.target, signed) : signed;
    }
  }
  const stripped = { ...block, carries: undefined, signature: undefined, sealed: undefined };
  const kept: ReasoningBlock = { ...stripped, ...own };
  if (isEmpty(kept) && (loose.length > 0 || !isEmpty(block))) return { block: undefined, loose };
  return { block: worded(kept, { wrapped, target: options.target }), loose };
}

const SLOT_OF = { reasoning: "signature", sealed: "sealed" } as const;

/** Whether there is nothing in it that any vendor could want back. */
function isEmpty(block: ReasoningBlock): boolean {
  return !hasWords(block) && block.signature === undefined && block.sealed === undefined;
}

/** The client's wire had its own place for the words; the vendor's has another. */
function worded(
  block: ReasoningBlock,
  { wrapped, target }: { readonly wrapped: Proof | undefined; readonly target: DialectId },
): ReasoningBlock {
  const { text, summary, signature, sealed } = block;
  // OpenAI's seals stand beside a summary; a signature vouches for a text.
  if (wrapped?.family === "openai" && wrapped.kind === "sealed") {
    const parts = summary ?? (text === undefined || text === "" ? [] : [text]);
    return { ...block, text: undefined, summary: parts };
  }
  const isUnproven = signature === undefined && sealed === undefined;
  const wantsText = wrapped !== undefined || (isUnproven && target !== "responses");
  if (!wantsText || summary === undefined) return block;
  return { ...block, text: text ?? summary.join("\n\n"), summary: undefined };
}
