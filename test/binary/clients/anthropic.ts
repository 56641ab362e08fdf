import Anthropic from "@anthropic-ai/sdk";
import AnthropicBefore1 from "anthropic-0";
import {
  type Ask,
  type Client,
  KEY,
  MAX_TOKENS,
  type Seen,
  type Send,
  stopWord,
  WEATHER,
} from "./client.ts";

/** `@anthropic-ai/sdk` from 1.0 on: a bearer key and the version of October 2026. */
export const anthropic1: Client = {
  name: "anthropic 1.x",
  dialect: "anthropic",
  ask: (request) => send(new Anthropic(options(request)), asked(request)),
  send: (request) => send(new Anthropic(options(request)), request),
};
/** `@anthropic-ai/sdk` before it: `x-api-key` and the version of 2023. */
export const anthropic0: Client = {
  name: "anthropic 0.x",
  dialect: "anthropic",
  ask: (request) => send(before1(request), asked(request)),
  send: (request) => send(before1(request), request),
};

function before1(request: { readonly origin: string }): Anthropic {
  return new AnthropicBefore1(options(request)) as unknown as Anthropic;
}

function options({ origin }: { readonly origin: string }) {
  return { baseURL: origin, maxRetries: 0, apiKey: KEY };
}

function asked({ origin, model, stream, system, user = "hi", tool }: Ask): Send {
  const { name, description, schema } = WEATHER;
  const body = {
    model,
    max_tokens: MAX_TOKENS,
    messages: [{ role: "user", content: user }],
    ...(system !== undefined && { system }),
    ...(tool === true && { tools: [{ name, description, input_schema: schema }] }),
  };
  return { origin, stream, body };
}

async function send(client: Anthropic, { stream, body }: Send): Promise<Seen> {
  const request = body as Anthropic.MessageCreateParamsNonStreaming;
  if (!stream) return seenOf(await client.messages.create(request));
  return seenOf(await client.messages.stream(request).finalMessage());
}

function seenOf({ content, stop_reason, stop_details, usage }: Anthropic.Message): Seen {
  const calls = content.flatMap((block) =>
    block.type === "tool_use" ? [{ name: block.name, args: block.input }] : [],
  );
  const joined = (of: (block: Anthropic.ContentBlock) => string) => content.map(of).join("");
  const cached = usage.cache_read_input_tokens ?? undefined;
  const caches = (cached ?? 0) + (usage.cache_creation_input_tokens ?? 0);
  return {
    text: joined((block) => (block.type === "text" ? block.text : "")),
    refusal: stop_details?.type === "refusal" ? (stop_details.explanation ?? "") : "",
    reasoning: joined((block) => (block.type === "thinking" ? block.thinking : "")),
    calls,
    stop: stopWord(stop_reason, { calls }),
    input: usage.input_tokens + caches,
    output: usage.output_tokens,
    cached,
  };
}
