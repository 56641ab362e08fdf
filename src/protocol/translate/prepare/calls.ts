import type { Block, Signed, ToolCallBlock } from "../../ir/block.ts";
import type { Fit } from "./fit.ts";
import { asFunctionCall } from "./freeform.ts";
import { dropExt } from "./own-words.ts";
import type { Pairs } from "./pairing.ts";
import { fitProof, pathOf } from "./text.ts";
import type { ToolNames } from "./tool-names.ts";

/** What Gemini takes for the proof of a call it did not make, in base64: protocols.md §3.9. */
const DUMMY: Signed = {
  value: "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
  encoding: "plain",
  family: "google",
};

export interface CallContext {
  readonly pairs: Pairs;
  readonly names: ToolNames;
  readonly fit: Fit;
}

/** A call of the history with the target's id, name and form. */
export function fitCall(block: ToolCallBlock, { pairs, names, fit }: CallContext): ToolCallBlock {
  const path = pathOf(block, fit);
  const callId = pairs.calls.get(block)?.id;
  const name = names.fit(block.name, path);
  const { namespace, proof } = block;
  if (namespace !== undefined && fit.target !== "responses") fit.lose("L-TOOLOPTS", path);
  const own = dropExt(block, { kind: "call", path, fit });
  if (own === block && callId === block.callId && name === block.name && isPlain(block)) {
    return block;
  }
  const fitted: ToolCallBlock = {
    ...own,
    id: undefined,
    group: undefined,
    phase: undefined,
    status: undefined,
    callId,
    name,
    namespace: fit.target === "responses" ? namespace : undefined,
    proof: proof === undefined ? undefined : fitProof(proof, block, fit),
  };
  return block.freeform === true && !fit.capabilities.freeformTools
    ? asFunctionCall(fitted)
    : fitted;
}

/** Nothing in it that some target might not take. */
function isPlain({ id, group, phase, status, namespace, proof, freeform }: ToolCallBlock): boolean {
  return (id ?? group ?? phase ?? status ?? namespace ?? proof ?? freeform) === undefined;
}

/** Gemini 3 wants a proof on the first call of each step, whoever made it: protocols.md §3.9. */
export function withDummyProof(blocks: readonly Block[], fit: Fit): readonly Block[] {
  const { family, proofSlot, reasoning } = fit.capabilities;
  if (family !== "google" || proofSlot !== "part" || reasoning === "none") return blocks;
  const index = blocks.findIndex(({ type }) => type === "tool_call");
  const call = blocks[index];
  if (call?.type !== "tool_call" || call.proof !== undefined) return blocks;
  fit.lose("L-SIG-DUMMY", pathOf(call, fit), { action: "defaulted" });
  return blocks.with(index, { ...call, proof: DUMMY });
}
