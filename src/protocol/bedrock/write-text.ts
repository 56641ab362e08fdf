import type { Citation, TextBlock } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { writeCitation } from "./cite.ts";
import { inside } from "./rest.ts";
import type { BlockContext } from "./write-blocks.ts";

/** Overlapping spans are repeated, which grows with the square: more than that are of the whole. */
const CITATIONS_MAX = 256;

/**
 * A text. A cited one is a block of its own on this wire, so a text of which spans are cited is
 * cut at their edges: protocols.md §4.4.
 */
export function writeText(block: TextBlock, context: BlockContext): readonly JsonObject[] {
  const { own, report, path } = context;
  if ((block.logprobs?.length ?? 0) > 0 && !own) {
    report({ code: "L-LOGPROBS", path: block.at ?? path, action: "dropped" });
  }
  const { citations } = block;
  if (own) return [citations === undefined ? plain(block) : writeOwnCited(block, context)];
  if (citations === undefined || citations.length === 0) return [{ text: block.text }];
  const pieces = cutAt(block.text, citations, context.textBefore);
  if (pieces.length > 1) {
    report({ code: "L-CITE-SPLIT", path: block.at ?? path, action: "approximated" });
  }
  return pieces.map((piece) => writePiece(piece, context, block.at));
}

function plain(block: TextBlock): JsonObject {
  return compact({ text: block.text }, block.ext?.bedrock);
}

function writeOwnCited(block: TextBlock, context: BlockContext): JsonObject {
  const left = block.ext?.bedrock;
  const inner = inside(left, "citationsContent");
  const { text, citations = [] } = block;
  const isWritten = text !== "" && inner?.["content"] === undefined;
  const members = {
    content: isWritten ? [{ text }] : undefined,
    citations:
      citations.length > 0 ? citations.map((said) => writeCitation(said, context)) : undefined,
  };
  return compact({ citationsContent: compact(members, inner) }, left);
}

interface Piece {
  readonly text: string;
  readonly citations: readonly Citation[];
}

function writePiece(
  { text, citations }: Piece,
  context: BlockContext,
  at: string | undefined,
): JsonObject {
  if (citations.length === 0) return { text };
  const { own, report, path } = context;
  const cited = citations.map((said) => writeCitation(said, { own, report, path: at ?? path }));
  return { citationsContent: { content: [{ text }], citations: cited } };
}

/** The text between the edges of the cited spans; a citation without a span is of the whole. */
function cutAt(text: string, citations: readonly Citation[], before: number): readonly Piece[] {
  if (citations.length > CITATIONS_MAX) return [{ text, citations }];
  const characters = [...text];
  const spans = citations.map((said) => spanOf(said, { length: characters.length, before }));
  const edges = [...new Set(spans.flatMap(({ start, end }) => [start, end]))];
  const sorted = [...new Set([0, ...edges, characters.length])].sort((a, b) => a - b);
  const pieces: Piece[] = [];
  for (let index = 0; index + 1 < sorted.length; index++) {
    const [from, to] = [sorted[index]!, sorted[index + 1]!];
    const isCited = (place: number) => spans[place]!.start <= from && to <= spans[place]!.end;
    pieces.push({
      text: characters.slice(from, to).join(""),
      citations: citations.filter((_, place) => isCited(place)),
    });
  }
  return pieces.length > 0 ? pieces : [{ text, citations }];
}

interface Place {
  readonly length: number;
  readonly before: number;
}

/** In code points of the block; a span that lies outside of it is of the whole. */
function spanOf(
  { span }: Citation,
  { length, before }: Place,
): { readonly start: number; readonly end: number } {
  if (span === undefined) return { start: 0, end: length };
  const shift = span.of === "message" ? before : 0;
  const start = Math.min(Math.max(0, span.start - shift), length);
  const end = Math.min(Math.max(0, span.end - shift), length);
  return start < end ? { start, end } : { start: 0, end: length };
}
