import {
  type Foreign,
  foreignList,
  foreignObject,
  foreignText,
  parseForeign,
} from "../../wire/foreign.ts";
import type { TokenLimits } from "../wire-error.ts";

/** What an upstream says is wrong, out of any envelope of this wire: protocols.md §6.1. */
export interface Complaint {
  /** Codes and types, the most telling first, in lower case. */
  readonly codes: readonly string[];
  /** The messages, in lower case and cut: a validation message may echo the whole prompt. */
  readonly messages: readonly string[];
  /** The HTTP status the body itself names, for errors inside a 200. */
  readonly status: number | undefined;
  /** OpenRouter's moderation refused the caller's text. */
  readonly flagged: boolean;
  /** The innermost message, as it came and cut. */
  readonly said: string | undefined;
  readonly code: string | undefined;
  readonly param: string | undefined;
  /** llama.cpp tells the numbers of a prompt that is too long. */
  readonly tokens: TokenLimits | undefined;
}

const MESSAGE_LENGTH_MAX = 4096;
const utf8 = new TextEncoder();

/** A complaint of one who said nothing. */
export const NOTHING_SAID: Complaint = {
  codes: [],
  messages: [],
  status: undefined,
  flagged: false,
  said: undefined,
  code: undefined,
  param: undefined,
  tokens: undefined,
};

/** The complaint in a body or an event; undefined when it is not JSON or holds no error. */
export function readComplaint(body: unknown): Complaint | undefined {
  const root = foreignObject(Array.isArray(body) ? body[0] : body);
  if (root === undefined) return undefined;
  // A failed response holds its error, as an answer and in an event of a stream.
  const failed = foreignObject(root["response"]);
  if (failed !== undefined) return readComplaint(failed);
  const error = root["error"];
  const nested = foreignObject(error);
  if (nested !== undefined) return complaintOf(nested);
  // xAI: the message stands where others have an object, and the code beside it.
  if (typeof error === "string") return complaintOf({ ...root, message: error });
  const isFlat = root["object"] === "error" || "message" in root || "detail" in root;
  return isFlat ? complaintOf({ message: root["detail"], ...root }) : undefined;
}

function complaintOf(error: Foreign): Complaint {
  const metadata = foreignObject(error["metadata"]);
  const raw = foreignText(metadata?.["raw"]);
  const inner = raw === undefined ? undefined : readRaw(raw);
  const said = foreignText(error["message"])?.slice(0, MESSAGE_LENGTH_MAX);
  return {
    codes: [...codesOf(error), ...(inner?.codes ?? [])],
    messages: [...lowered(said), ...(inner?.messages ?? [])],
    status: statusIn(error["code"]) ?? statusIn(error["status"]) ?? inner?.status,
    flagged:
      metadata?.["flagged_input"] !== undefined || foreignList(metadata?.["reasons"]).length > 0,
    said: inner?.said ?? said,
    code: foreignText(error["code"]) ?? inner?.code,
    param: foreignText(error["param"]) ?? inner?.param,
    tokens: tokensIn(error) ?? inner?.tokens,
  };
}

/** OpenRouter passes the provider's own answer on as a string, which may itself be JSON. */
function readRaw(raw: string): Complaint {
  const root = foreignObject(parseForeign(utf8.encode(raw)));
  const error = foreignObject(root?.["error"]) ?? root ?? { message: raw };
  const { metadata: _, ...flat } = error;
  return complaintOf(flat);
}

function codesOf(error: Foreign): string[] {
  return [error["code"], error["type"], error["error_type"]]
    .map((code) => (typeof code === "number" ? String(code) : foreignText(code)))
    .flatMap((code) => (code === undefined ? [] : [code.toLowerCase()]));
}

function lowered(text: string | undefined): string[] {
  return text === undefined ? [] : [text.toLowerCase()];
}

function tokensIn(error: Foreign): TokenLimits | undefined {
  const requested = error["n_prompt_tokens"];
  const max = error["n_ctx"];
  return typeof requested === "number" && typeof max === "number" ? { requested, max } : undefined;
}

function statusIn(value: unknown): number | undefined {
  const status = typeof value === "string" ? Number(value) : value;
  const isStatus = typeof status === "number" && Number.isInteger(status);
  return isStatus && status >= 400 && status <= 599 ? status : undefined;
}
