import {
  type Foreign,
  foreignList,
  foreignObject,
  foreignText,
  parseForeign,
} from "../../wire/foreign.ts";

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
}

const MESSAGE_LENGTH_MAX = 4096;
const utf8 = new TextEncoder();

/** The complaint in a body; undefined when it is not JSON or holds no error. */
export function readComplaint(body: unknown): Complaint | undefined {
  // Gemini's OpenAI surface wraps the error in a list.
  const root = foreignObject(Array.isArray(body) ? body[0] : body);
  if (root === undefined) return undefined;
  const error = root["error"];
  const nested = foreignObject(error);
  if (nested !== undefined) return complaintOf(nested);
  if (typeof error === "string") return complaintOf({ ...root, message: error });
  // Mistral and older vLLM have no wrapper; FastAPI says `detail`, as a text or as a list.
  const isFlat = root["object"] === "error" || "message" in root || "detail" in root;
  return isFlat ? complaintOf({ message: root["detail"], ...root }) : undefined;
}

function complaintOf(error: Foreign): Complaint {
  const metadata = foreignObject(error["metadata"]);
  const raw = foreignText(metadata?.["raw"]);
  const inner = raw === undefined ? undefined : readRaw(raw);
  return {
    codes: [...codesOf(error), ...(inner?.codes ?? [])],
    messages: [...messagesOf(error["message"]), ...(inner?.messages ?? [])],
    status: statusIn(error["code"]) ?? statusIn(error["status"]) ?? inner?.status,
    flagged:
      metadata?.["flagged_input"] !== undefined || foreignList(metadata?.["reasons"]).length > 0,
  };
}

/** OpenRouter passes the provider's own answer on as a string, which may itself be JSON. */
function readRaw(raw: string): Complaint {
  const root = foreignObject(parseForeign(utf8.encode(raw)));
  const error = foreignObject(root?.["error"]) ?? root;
  const messages = messagesOf(error === undefined ? raw : error["message"]);
  return { codes: codesOf(error ?? {}), messages, status: undefined, flagged: false };
}

function codesOf(error: Foreign): string[] {
  return [error["code"], error["type"], error["error_type"]]
    .map((code) => (typeof code === "number" ? String(code) : foreignText(code)))
    .flatMap((code) => (code === undefined ? [] : [code.toLowerCase()]));
}

function messagesOf(message: unknown): string[] {
  const text = foreignText(message);
  return text === undefined ? [] : [text.slice(0, MESSAGE_LENGTH_MAX).toLowerCase()];
}

function statusIn(value: unknown): number | undefined {
  const status = typeof value === "string" ? Number(value) : value;
  const isStatus = typeof status === "number" && Number.isInteger(status);
  return isStatus && status >= 400 && status <= 599 ? status : undefined;
}
