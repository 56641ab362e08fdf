import type { DialectId, RequestId } from "../../core/ids.ts";

/** How each vendor's own ids begin; Gemini's calls need none. */
const PREFIXES: Readonly<Record<DialectId, string | undefined>> = {
  openai: "call_",
  responses: "call_",
  anthropic: "toolu_",
  bedrock: "tooluse_",
  cohere: "call_",
  gemini: undefined,
};
/** 128 bits, as long as the vendors' own, and letters every id pattern allows. */
const ID_HEX_LENGTH = 32;

/** Ids for the calls of one answer whose upstream gave none, or gave one twice. */
export interface CallIds {
  /** The id a candidate's next call goes by. Ask once for each call, in order. */
  next(candidate: number, given: string | undefined): string | undefined;
}

/** The same answer gets the same ids, buffered or streamed: they are made of the request's id. */
export function callIds(client: DialectId, requestId: RequestId): CallIds {
  const prefix = PREFIXES[client];
  const taken = new Map<number, Set<string>>();
  const counts = new Map<number, number>();
  return {
    next(candidate, given) {
      const count = counts.get(candidate) ?? 0;
      counts.set(candidate, count + 1);
      if (prefix === undefined) return given;
      const ids = taken.get(candidate) ?? new Set<string>();
      taken.set(candidate, ids);
      const id =
        given === undefined || given === "" || ids.has(given)
          ? prefix + digestOf(`${requestId}/${candidate}/${count}`)
          : given;
      ids.add(id);
      return id;
    },
  };
}

function digestOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, ID_HEX_LENGTH);
}
