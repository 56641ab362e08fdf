import type { TokenLogprob } from "../ir/block.ts";
import { compact, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";

/** What was read of an entry `{text, token_ids, logprobs}`, and whether that is all of it. */
export interface ReadLogprobs {
  readonly tokens: readonly TokenLogprob[];
  readonly isWhole: boolean;
}

/** Entries of an answer or an event; one of several tokens becomes one token: protocols.md 4.5. */
export function readLogprobs(list: readonly Json[]): ReadLogprobs {
  const tokens: TokenLogprob[] = [];
  let isWhole = true;
  for (const raw of list) {
    const token = isObject(raw) ? readToken(raw) : undefined;
    if (token !== undefined) tokens.push(token);
    if (token === undefined || !Bun.deepEquals(writeLogprob(token), raw)) isWhole = false;
  }
  return { tokens, isWhole };
}

/** One entry. Of a token that is known by its text only, the id is left out. */
export function writeLogprob({ token, tokenId, logprob }: TokenLogprob): JsonObject {
  return compact({
    text: token,
    token_ids: tokenId === undefined ? [] : [tokenId],
    logprobs: [logprob],
  });
}

function readToken(raw: JsonObject): TokenLogprob | undefined {
  const token = raw["text"];
  const logprobs = numbersIn(raw["logprobs"]);
  if (typeof token !== "string" || logprobs.length === 0) return undefined;
  const [tokenId, ...more] = numbersIn(raw["token_ids"]);
  // What is said of a text of several tokens is the chance of all of them.
  const logprob = logprobs.reduce((sum, each) => sum + each, 0);
  return { token, logprob, tokenId: more.length === 0 ? tokenId : undefined };
}

function numbersIn(value: Json | undefined): readonly number[] {
  return isList(value) ? value.filter((each) => typeof each === "number") : [];
}
