import type { Report } from "../ir/loss.ts";

/** What decides how a node is spelled. */
export interface Writing {
  /** It was read from this wire: nothing is added to it. */
  readonly isOwn: boolean;
  /** It goes to a client; else to Anthropic, who checks seals and signatures. */
  readonly isAnswer: boolean;
  readonly report: Report;
}

/** What the type of the wire requires of a node that came from elsewhere. */
export function required<T>({ isOwn }: Writing, value: T): T | undefined {
  return isOwn ? undefined : value;
}
