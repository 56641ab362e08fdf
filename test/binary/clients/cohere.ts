import { type Cohere, CohereClientV2 } from "cohere-ai";

import {
  type Ask,
  argsOf,
  type Client,
  KEY,
  MAX_TOKENS,
  type Seen,
  type Send,
  stopWord,
  WEATHER,
} from "./client.ts";

/** `cohere-ai`, version 2 of the API. */
export const cohere: Client = {
  name: "cohere",
  dialect: "cohere",
  ask: (request) => send(asked(request)),
  send,
};

function asked({ origin, model, stream, system, user = "hi", tool }: Ask): Send {
  const { name, description, schema } = WEATHER;
  const body = {
    model,
    maxTokens: MAX_TOKENS,
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
  const client = new CohereClientV2({ token: KEY, environment: origin, maxRetries: 0 });
  const request = body as Cohere.V2ChatRequest;
  if (stream) return gathered(await client.chatStream(request));
  const { message, finishReason, usage } = await client.chat(request);
  const calls = (message.toolCalls ?? []).map((call) => ({
    name: call.function?.name ?? "",
    args: argsOf(call.function?.arguments ?? ""),
  }));
  const content = message.content ?? [];
  return {
    text: content.map((part) => (part.type === "text" ? part.text : "")).join(""),
    refusal: "",
    reasoning:
      content.map((part) => (part.type === "thinking" ? part.thinking : "")).join("") +
      (message.toolPlan ?? ""),
    calls,
    stop: stopWord(finishReason, { calls }),
    ...countsOf(usage),
  };
}

async function gathered(events: AsyncIterable<Cohere.V2ChatStreamResponse>): Promise<Seen> {
  let text = "";
  let reasoning = "";
  let stop: string | undefined;
  let usage: Cohere.Usage | undefined;
  const calls: { readonly name: string; json: string }[] = [];
  for await (const event of events) {
    switch (event.type) {
      case "content-start":
        text += event.delta?.message?.content?.text ?? "";
        reasoning += event.delta?.message?.content?.thinking ?? "";
        break;
      case "content-delta":
        text += event.delta?.message?.content?.text ?? "";
        reasoning += event.delta?.message?.content?.thinking ?? "";
        break;
      case "tool-plan-delta":
        reasoning += event.delta?.message?.toolPlan ?? "";
        break;
      case "tool-call-start": {
        const call = event.delta?.message?.toolCalls?.function;
        calls.push({ name: call?.name ?? "", json: call?.arguments ?? "" });
        break;
      }
      case "tool-call-delta":
        calls.at(-1)!.json += event.delta?.message?.toolCalls?.function?.arguments ?? "";
        break;
      case "message-end":
        stop = event.delta?.finishReason;
        usage = event.delta?.usage;
        break;
    }
  }
  const called = calls.map(({ name, json }) => ({ name, args: argsOf(json) }));
  return {
    ...{ text, reasoning, refusal: "", calls: called },
    stop: stopWord(stop, { calls: called }),
    ...countsOf(usage),
  };
}

/** Pictures are counted beside the text (protocols.md 4.3), in a member the SDK has no name for. */
function countsOf(usage: Cohere.Usage | undefined): Pick<Seen, "input" | "output" | "cached"> {
  const { inputTokens, outputTokens } = usage?.tokens ?? {};
  const { image_tokens: images = 0 } = (usage?.tokens ?? {}) as { image_tokens?: number };
  return {
    input: inputTokens === undefined ? undefined : inputTokens + images,
    output: outputTokens,
    cached: usage?.cachedTokens,
  };
}
