import type { Citation } from "./block.ts";

/** What an answer's wire has a place for in a citation, besides the address of its source. */
export interface CitationSlots {
  /** What is quoted of the source. */
  readonly quoted: boolean;
  /** Where in the source it stands. */
  readonly place: boolean;
  /** A source that has a name and no address. */
  readonly names: boolean;
  /** What the source said. */
  readonly data: boolean;
}

/** Whether another protocol's citation says more than a wire can: protocols.md 4.4. */
export function saysMore(citation: Citation, slots: CitationSlots): boolean {
  const { quoted, place, sources = [], ext } = citation;
  if (ext !== undefined || (quoted !== undefined && !slots.quoted)) return true;
  if (!slots.place && (place?.start !== undefined || place?.documentIndex !== undefined))
    return true;
  return sources.some(
    ({ data, url }) => (data !== undefined && !slots.data) || (url === undefined && !slots.names),
  );
}
