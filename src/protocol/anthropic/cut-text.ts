import type { Citation } from "../ir/block.ts";

/** Beyond this many a block stays whole: each could stand on each piece. */
const CITATIONS_MAX = 256;

export interface CitedText {
  readonly text: string;
  readonly citations: readonly Citation[];
}
interface Placed {
  readonly citation: Citation;
  readonly start: number;
  readonly end: number;
}

/**
 * A text cut where its citations begin and end, for a citation here supports the whole block it
 * stands on: protocols.md 4.4. `offset` is how many code points of the answer stand before it.
 */
export function cutText(cited: CitedText, offset: number): readonly CitedText[] {
  const { text, citations } = cited;
  if (citations.length === 0 || citations.length > CITATIONS_MAX) return [cited];
  const points = Array.from(text);
  const placed = citations.map((citation) => place(citation, { offset, length: points.length }));
  const edges = new Set([0, points.length]);
  for (const { start, end } of placed) edges.add(start).add(end);
  const cuts = [...edges].sort((a, b) => a - b);
  if (cuts.length <= 2) return [cited];
  return cuts.slice(1).map((end, index) => {
    const start = cuts[index]!;
    const covering = placed.filter((each) => each.start <= start && each.end >= end);
    return {
      text: points.slice(start, end).join(""),
      citations: covering.map(({ citation }) => citation),
    };
  });
}

/** Where a citation's span lies in its own text; all of it where the span says nothing sensible. */
function place(
  citation: Citation,
  { offset, length }: { readonly offset: number; readonly length: number },
): Placed {
  const { span } = citation;
  const from = span?.of === "message" ? offset : 0;
  const start = Math.trunc(span?.start ?? Number.NaN) - from;
  const end = Math.trunc(span?.end ?? Number.NaN) - from;
  const isInside = start >= 0 && start < end && end <= length;
  return isInside ? { citation, start, end } : { citation, start: 0, end: length };
}
