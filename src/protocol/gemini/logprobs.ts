import type { TokenLogprob } from "../ir/block.ts";
import { compact, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";

/** The chosen tokens with their rivals; empty when there are none. */
export function readLogprobs(result: Json | undefined): readonly TokenLogprob[] {
  if (!isObject(result)) return [];
  const top = listOf(result["topCandidates"]);
  return listOf(result["chosenCandidates"]).map((chosen, index) => {
    const rivals = top[index];
    if (!isObject(rivals)) return readToken(chosen);
    return { ...readToken(chosen), top: listOf(rivals["candidates"]).map(readToken) };
  });
}

/** A number of 0 is left out by protobuf's JSON: the probability was 1. */
function readToken(value: Json): Omit<TokenLogprob, "top"> {
  const said = isObject(value) ? value : {};
  const { token, tokenId, logProbability } = said;
  return {
    token: typeof token === "string" ? token : "",
    logprob: typeof logProbability === "number" ? logProbability : 0,
    ...(typeof tokenId === "number" ? { tokenId } : {}),
  };
}

export interface WrittenLogprobs {
  readonly avgLogprobs: number;
  readonly logprobsResult: JsonObject;
}

/** Undefined when there are none. Bytes have no slot: they are lost where the token is not they. */
export function writeLogprobs(
  tokens: readonly TokenLogprob[],
  { report, path }: { readonly report: Report; readonly path: string },
): WrittenLogprobs | undefined {
  if (tokens.length === 0) return undefined;
  if (tokens.some(({ token, bytes }) => bytes && !isTextOf(token, bytes))) {
    report({ code: "L-LOGPROBS", path, action: "approximated", detail: "bytes" });
  }
  const sum = tokens.reduce((total, { logprob }) => total + logprob, 0);
  const hasTop = tokens.some(({ top }) => top !== undefined);
  const topCandidates = tokens.map(({ top }) => ({ candidates: (top ?? []).map(writeToken) }));
  const result = {
    topCandidates: hasTop ? topCandidates : undefined,
    chosenCandidates: tokens.map(writeToken),
  };
  return { avgLogprobs: sum / tokens.length, logprobsResult: compact(result) };
}

function writeToken({ token, tokenId, logprob }: Omit<TokenLogprob, "top">): JsonObject {
  return compact({ token, tokenId, logProbability: logprob });
}

function isTextOf(token: string, bytes: readonly number[]): boolean {
  return Buffer.from(token).equals(Uint8Array.from(bytes));
}

function listOf(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : [];
}
