import type { IrEvent } from "../ir/event.ts";

/** One step between a stream's reader and its writer. What it holds back it hands on later. */
export interface Pass {
  feed(event: IrEvent): readonly IrEvent[];
  /** What was held back. Call once, when the source has ended. */
  end(): readonly IrEvent[];
}

/** What comes of `event` behind all passes. */
export function through(passes: readonly Pass[], event: IrEvent): readonly IrEvent[] {
  let events: readonly IrEvent[] = [event];
  for (const pass of passes) events = events.flatMap((each) => pass.feed(each));
  return events;
}

/** What the passes still hold; what one lets go runs through those behind it. */
export function endOf(passes: readonly Pass[]): readonly IrEvent[] {
  let events: readonly IrEvent[] = [];
  for (const pass of passes) {
    events = [...events.flatMap((each) => pass.feed(each)), ...pass.end()];
  }
  return events;
}

/** Where a block of an answer stands, for reports; alike in whole answers and in streams. */
export function blockPath(candidate: number, block: number): string {
  return `candidates[${candidate}].blocks[${block}]`;
}
