import type { RequestId } from "../../core/ids.ts";

/** As long as this is, two requests do not share one. */
const STEM_LENGTH = 40;

/** What an id of this wire is an id of. */
export type IdKind = "resp" | "msg" | "rs" | "fc" | "ctc" | "call";

/** Makes the ids that this wire demands and the upstream did not give, the same every time. */
export interface Mint {
  id(kind: IdKind, number: number): string;
}

/** Ids like OpenAI's own: a word and hexadecimal digits, made of the request's id. */
export function mint(requestId: RequestId): Mint {
  const stem = new Bun.CryptoHasher("sha256").update(requestId).digest("hex").slice(0, STEM_LENGTH);
  return {
    id: (kind, number) => `${kind}_${stem}${number.toString(16).padStart(8, "0")}`,
  };
}

/** The id of the response itself. */
export function mintResponseId(requestId: RequestId): string {
  return mint(requestId).id("resp", 0);
}
