import type { TokenLogprob } from "../ir/block.ts";
import { isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";

const MEMBERS: ReadonlySet<string> = new Set(["token", "logprob", "bytes", "top_logprobs"]);

/** A list of tokens; undefined where one holds more than is modelled: it stays as it came. */
export function readTokens(list: Json | undefined): readonly TokenLogprob[] | undefined {
  if (!isList(list)) return undefined;
  const tokens: TokenLogprob[] = [];
  for (const entry of list) {
    const token = readToken(entry);
    if (token === undefined) return undefined;
    tokens.push(token);
  }
  return tokens;
}

function readToken(entry: Json): TokenLogprob | undefined {
  if (!isObject(entry) || !Object.keys(entry).every((name) => MEMBERS.has(name))) return undefined;
  const { token, logprob, bytes, top_logprobs: given } = entry;
  if (typeof token !== "string" || typeof logprob !== "number") return undefined;
  if (bytes !== undefined && bytes !== null && !isBytes(bytes)) return undefined;
  const top = given === undefined ? undefined : readTokens(given);
  if (given !== undefined && (top === undefined || top.some((each) => each.top))) return undefined;
  return { token, logprob, bytes, top };
}

function isBytes(value: Json): value is readonly number[] {
  return isList(value) && value.every((byte) => typeof byte === "number");
}

/** The tokens as OpenAI writes them; those of others get their bytes where these are certain. */
export function writeTokens(
  tokens: readonly TokenLogprob[],
  { isOwn }: { readonly isOwn: boolean },
): readonly JsonObject[] {
  return tokens.map((token) => {
    const top = token.top ?? (isOwn ? undefined : []);
    const list = top?.map((each) => writeToken(each, isOwn));
    const said = writeToken(token, isOwn);
    return list === undefined ? said : { ...said, top_logprobs: list };
  });
}

function writeToken({ token, logprob, bytes }: TokenLogprob, isOwn: boolean): JsonObject {
  const known = bytes ?? (isOwn ? bytes : bytesOf(token));
  return known === undefined ? { token, logprob } : { token, logprob, bytes: known };
}

/** A token that is half a character is no text: its bytes cannot be told (protocols.md 4.5). */
function bytesOf(token: string): readonly number[] | null {
  const isText = token.isWellFormed() && !token.includes("\ufffd");
  return isText ? [...Buffer.from(token)] : null;
}
