import OpenAI from "openai";
import type { ChatCompletionStreamParams } from "openai/lib/ChatCompletionStream";
import type {
  ChatCompletion,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionMessage,
} from "openai/resources/chat/completions";
import type { CompletionUsage } from "openai/resources/completions";
import {
  type Ask,
  argsOf,
  type Client,
  KEY,
  MAX_TOKENS,
  type Seen,
  type SeenCall,
  type Send,
  stopWord,
  WEATHER,
} from "./client.ts";

/** `openai`, chat completions. */
export const openaiChat: Client = {
  name: "openai chat",
  dialect: "openai",
  ask: (request) => send(asked(request)),
  send,
};

function asked({ origin, model, stream, system, user = "hi", tool }: Ask): Send {
  const { name, description, schema } = WEATHER;
  const body = {
    model,
    max_completion_tokens: MAX_TOKENS,
    messages: [
      ...(system === undefined ? [] : [{ role: "system", content: system }]),
      { role: "user", content: user },
    ],
    ...(tool === true && {
      tools: [{ type: "function", function: { name, description, parameters: schema } }],
    }),
  };
  return { origin, stream, body };
}

async function send({ origin, stream, body }: Send): Promise<Seen> {
  const client = new OpenAI({ apiKey: KEY, baseURL: `${origin}/v1`, maxRetries: 0 });
  const request = body as ChatCompletionCreateParamsNonStreaming;
  if (!stream) return seenOf(await client.chat.completions.create(request));
  const streamed = client.chat.completions.stream({
    ...(request as object as ChatCompletionStreamParams),
    stream_options: { include_usage: true },
  });
  // The SDK puts together what it knows; of a name it does not know it keeps the last piece.
  const deltas: Extended[] = [];
  streamed.on("chunk", ({ choices: [choice] }) => {
    if (choice?.index === 0) deltas.push((choice.delta ?? {}) as Extended);
  });
  const seen = seenOf(await streamed.finalChatCompletion());
  const told = deltas.map(toldOf).join("");
  return { ...seen, reasoning: told === "" ? deltas.map(detailsOf).join("") : told };
}

/** What other hosts of this wire put into a message: protocols.md 3.9. */
interface Extended {
  readonly content?: unknown;
  readonly reasoning_content?: string | null;
  readonly reasoning?: string | null;
  readonly reasoning_details?: readonly { readonly text?: string; readonly summary?: string }[];
}

function toldOf({ content, reasoning_content, reasoning }: Extended): string {
  const parts = Array.isArray(content) ? content.flatMap(({ thinking = [] }) => thinking) : [];
  return (reasoning_content || reasoning || "") + parts.map(({ text }) => text).join("");
}

function detailsOf({ reasoning_details: details = [] }: Extended): string {
  return details.map(({ text, summary }) => text ?? summary ?? "").join("");
}

function seenOf({ choices, usage }: ChatCompletion): Seen {
  const [choice] = choices;
  const message = choice?.message;
  const calls = message === undefined ? [] : callsOf(message);
  const extended = (message ?? {}) as Extended;
  const refusal = message?.refusal ?? "";
  return {
    text: textOf(message?.content),
    spoken: message?.audio?.transcript ?? "",
    refusal,
    reasoning: toldOf(extended) || detailsOf(extended),
    calls,
    stop: stopWord(choice?.finish_reason, { calls, refused: refusal !== "" }),
    ...countsOf(usage),
  };
}

/** Mistral's content may be a list. */
function textOf(content: unknown): string {
  if (!Array.isArray(content)) return typeof content === "string" ? content : "";
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Functions, free text (`custom`), and the one call of the wire's first years. */
function callsOf({ tool_calls = [], function_call: first }: ChatCompletionMessage): SeenCall[] {
  const calls = (tool_calls ?? []).map((call) =>
    call.type === "custom"
      ? { name: call.custom.name, args: call.custom.input }
      : { name: call.function.name, args: argsOf(call.function.arguments) },
  );
  if (calls.length > 0 || !first) return calls;
  return first.name ? [{ name: first.name, args: argsOf(first.arguments) }] : [];
}

/**
 * Two hosts count otherwise than this wire does, which their own numbers show: protocols.md 4.3,
 * "xAI Chat" (what reasoning is beside the completion, not a part of it) and "Grok on Azure" (more
 * from the cache than there was of a prompt).
 */
function countsOf(usage: CompletionUsage | undefined): Pick<Seen, "input" | "output" | "cached"> {
  if (usage === undefined || usage === null) {
    return { input: undefined, output: undefined, cached: undefined };
  }
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = usage;
  const cached = usage.prompt_tokens_details?.cached_tokens ?? undefined;
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0;
  const isBeside = reasoning > completion || total === prompt + completion + reasoning;
  return {
    input: cached !== undefined && cached > prompt ? prompt + cached : prompt,
    output: isBeside ? completion + reasoning : completion,
    cached,
  };
}
