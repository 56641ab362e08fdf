import type { Block, BlockBase, Citation, Signed, TextBlock } from "../../ir/block.ts";
import type { Fit } from "./fit.ts";
import { dropExt } from "./own-words.ts";

/** The wires whose citations name the same places in the same sources: protocols.md §4.4. */
const CITING: ReadonlySet<string> = new Set(["anthropic", "bedrock"]);

/** A block without what only its own vendor's store knows. */
export function bare<T extends BlockBase>(block: T, fit: Fit): T {
  const own = dropExt(block, { kind: "block", path: pathOf(block, fit), fit });
  const isPlain = own.id === undefined && own.group === undefined && own.phase === undefined;
  if (isPlain || fit.origin === fit.target) return own;
  return { ...own, id: undefined, group: undefined, phase: undefined };
}

export function pathOf(block: Pick<Block, "at">, { paths }: Fit): string {
  return block.at ?? paths.messages;
}

export function isBlank(text: string): boolean {
  return !/\S/.test(text);
}

/** Whose words a text is, or that it is inside of another block: not all of them can cite. */
export type Standing = "assistant" | "other" | "inner";

/** Text of the history; undefined where it is empty and the target refuses that. */
export function fitText(
  block: TextBlock,
  fit: Fit,
  standing: Standing = "other",
): TextBlock | undefined {
  const { text, citations, logprobs, proof } = block;
  const kept = proof === undefined ? undefined : fitProof(proof, block, fit);
  if (fit.capabilities.refusesEmptyText && kept === undefined && isBlank(text)) {
    fit.lose("L-EMPTY", pathOf(block, fit));
    return undefined;
  }
  const own = bare(block, fit);
  if (citations === undefined && logprobs === undefined && kept === proof) return own;
  if (logprobs !== undefined && logprobs.length > 0) fit.lose("L-LOGPROBS", pathOf(block, fit));
  return {
    ...own,
    citations: citations && fitCitations(citations, { path: pathOf(block, fit), standing }, fit),
    logprobs: undefined,
    proof: kept,
  };
}

/** A proof on a text, a call or a medium goes back to its own family only: protocols.md §3.9. */
export function fitProof(proof: Signed, block: Pick<Block, "at">, fit: Fit): Signed | undefined {
  const { family, proofSlot } = fit.capabilities;
  if (proof.family === family && (proofSlot === "part" || proofSlot === "details")) return proof;
  fit.lose("L-REASONING-FOREIGN", pathOf(block, fit));
  return undefined;
}

/** Citations of the history; most wires have no place for them in a request. */
function fitCitations(
  citations: readonly Citation[],
  { path, standing }: { readonly path: string; readonly standing: Standing },
  fit: Fit,
): readonly Citation[] | undefined {
  const kept = citations.filter((citation) => hasPlace(citation, standing, fit));
  if (kept.length < citations.length) fit.lose("L-CITE", path);
  if (kept.length === 0) return undefined;
  return kept.map((citation) => dropExt(citation, { kind: "citation", path, fit }));
}

function hasPlace(
  { place, span, sources }: Citation,
  standing: Standing,
  { origin, target }: Fit,
): boolean {
  if (target === "bedrock" && standing === "inner") return false;
  // Anthropic wants its web citations back sealed, which no other vendor's are.
  if (CITING.has(target)) return CITING.has(origin) && place?.kind !== "web";
  const isHeld = target === "responses" && standing === "assistant";
  return isHeld && span !== undefined && sources?.[0]?.url !== undefined;
}
