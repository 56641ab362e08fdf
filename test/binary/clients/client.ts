import type { DialectId } from "../../../src/core/ids.ts";

/** What every SDK is asked to send, in its own words. */
export interface Ask {
  /** `http://127.0.0.1:port`, without a slash. */
  readonly origin: string;
  readonly model: string;
  readonly stream: boolean;
  readonly system?: string;
  readonly user?: string;
  /** A tool `get_weather(city)` is offered. */
  readonly tool?: boolean;
}

/** A request in the words of one SDK, sent as it is. */
export interface Send {
  readonly origin: string;
  readonly stream: boolean;
  readonly body: object;
}

/** What the user of an SDK sees of an answer, in words that all of them share. */
export interface Seen {
  readonly text: string;
  /** What the model refused with, where its protocol has a place for that. */
  readonly refusal: string;
  readonly reasoning: string;
  /** The words of an answer that is a sound. */
  readonly spoken?: string;
  readonly calls: readonly SeenCall[];
  readonly stop: StopWord;
  readonly input: number | undefined;
  readonly output: number | undefined;
  /** Of `input`, what came from a cache; undefined where nobody says. */
  readonly cached: number | undefined;
}
export interface SeenCall {
  readonly name: string;
  readonly args: unknown;
}
export type StopWord =
  | "end"
  | "length"
  | "context"
  | "stop_sequence"
  | "tool_call"
  | "pause"
  | "refusal"
  | "filtered"
  | "error"
  | "other";

export type Result =
  { readonly ok: true; readonly seen: Seen } | { readonly ok: false; readonly error: Thrown };
export interface Thrown {
  readonly kind: string;
  readonly status: number | undefined;
  readonly message: string;
}

/** One official SDK. */
export interface Client {
  readonly name: string;
  readonly dialect: DialectId;
  /** @throws whatever the SDK throws. */
  ask(ask: Ask): Promise<Seen>;
  /** @throws whatever the SDK throws. */
  send(send: Send): Promise<Seen>;
}

export const KEY = "sk-client-0123456789abcdef";
export const WEATHER = {
  name: "get_weather",
  description: "The weather in a city.",
  schema: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
  },
} as const;
export const MAX_TOKENS = 512;

/** The answer, or what the SDK threw. */
export async function tried(asking: Promise<Seen>): Promise<Result> {
  try {
    return { ok: true, seen: await asking };
  } catch (error) {
    return { ok: false, error: thrown(error) };
  }
}

function thrown(error: unknown): Thrown {
  if (!(error instanceof Error)) return { kind: typeof error, status: undefined, message: "" };
  const { status, statusCode, $metadata } = error as {
    status?: number;
    statusCode?: number;
    $metadata?: { httpStatusCode?: number };
  };
  const kind = error.name === "Error" ? error.constructor.name : error.name;
  return {
    kind,
    status: status ?? statusCode ?? $metadata?.httpStatusCode,
    message: error.message,
  };
}

/** Arguments as a value; the text itself where it is no JSON. */
export function argsOf(text: string): unknown {
  try {
    return JSON.parse(text === "" ? "{}" : text);
  } catch {
    return text; // A comparison of texts then.
  }
}

/** Stop reasons of all wires, lower case: protocols.md 4.2. */
const STOP_WORDS: Readonly<Record<string, StopWord>> = {
  stop: "end",
  end_turn: "end",
  complete: "end",
  completed: "end",
  pause_turn: "pause",
  stop_sequence: "stop_sequence",
  length: "length",
  max_tokens: "length",
  max_output_tokens: "length",
  model_context_window_exceeded: "context",
  tool_calls: "tool_call",
  function_call: "tool_call",
  tool_use: "tool_call",
  tool_call: "tool_call",
  refusal: "refusal",
  content_filter: "filtered",
  content_filtered: "filtered",
  guardrail_intervened: "filtered",
  safety: "filtered",
  prohibited_content: "filtered",
  blocklist: "filtered",
  recitation: "filtered",
  spii: "filtered",
  model_armor: "filtered",
  error: "error",
};

/** A stop reason of any wire in shared words; some wires call an end what is a call. */
export function stopWord(
  raw: string | null | undefined,
  { calls, refused = false }: { readonly calls: readonly SeenCall[]; readonly refused?: boolean },
): StopWord {
  const word = STOP_WORDS[raw?.toLowerCase() ?? ""] ?? "other";
  if (word !== "end") return word;
  if (refused) return "refusal";
  return calls.length > 0 ? "tool_call" : "end";
}
