import type { TokenLogprob } from "../ir/block.ts";
import { compact, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";

const NAMES: ReadonlySet<string> = new Set(["token", "logprob", "bytes", "top_logprobs"]);

/** A list of this wire's log probabilities; undefined where one holds more than is modelled. */
export function readLogprobs(value: Json | undefined): readonly TokenLogprob[] | undefined {
  if (!isList(value)) return undefined;
  const tokens: TokenLogprob[] = [];
  for (const entry of value) {
    const token = readToken(entry);
    if (token === undefined) return undefined;
    tokens.push(token);
  }
  return tokens;
}

function readToken(value: Json): TokenLogprob | undefined {
  if (!isObject(value)) return undefined;
  const { token, logprob, bytes, top_logprobs: top } = value;
  if (typeof token !== "string" || typeof logprob !== "number") return undefined;
  if (!isBytes(bytes) || Object.keys(value).some((name) => !NAMES.has(name))) return undefined;
  if (top === undefined) return { token, logprob, bytes };
  const alternatives = readLogprobs(top);
  if (alternatives === undefined || alternatives.some((one) => one.top !== undefined)) {
    return undefined;
  }
  return { token, logprob, bytes, top: alternatives };
}

function isBytes(value: Json | undefined): value is readonly number[] | null | undefined {
  if (value === undefined || value === null) return true;
  return isList(value) && value.every((byte) => typeof byte === "number");
}

/** The same list as this wire spells it. */
export function writeLogprobs(tokens: readonly TokenLogprob[]): readonly JsonObject[] {
  return tokens.map(({ top, ...token }) => ({
    ...writeToken(token),
    ...(top === undefined ? {} : { top_logprobs: top.map(writeToken) }),
  }));
}

function writeToken({ token, logprob, bytes }: Omit<TokenLogprob, "top">): JsonObject {
  return compact({ token, logprob, bytes });
}
