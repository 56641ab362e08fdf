import OpenAI from "openai";
import type { ResponseStreamParams } from "openai/lib/responses/ResponseStream";
import type {
  Response,
  ResponseCreateParamsNonStreaming,
  ResponseOutputItem,
} from "openai/resources/responses/responses";
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

/** `openai`, responses. */
export const openaiResponses: Client = {
  name: "openai responses",
  dialect: "responses",
  ask: (request) => send(asked(request)),
  send,
};

function asked({ origin, model, stream, system, user = "hi", tool }: Ask): Send {
  const { name, description, schema } = WEATHER;
  const body = {
    model,
    max_output_tokens: MAX_TOKENS,
    store: false,
    input: user,
    ...(system !== undefined && { instructions: system }),
    ...(tool === true && {
      tools: [{ type: "function", name, description, parameters: schema, strict: false }],
    }),
  };
  return { origin, stream, body };
}

async function send({ origin, stream, body }: Send): Promise<Seen> {
  const client = new OpenAI({ apiKey: KEY, baseURL: `${origin}/v1`, maxRetries: 0 });
  const request = body as ResponseCreateParamsNonStreaming;
  if (!stream) return seenOf(await client.responses.create(request));
  const streamed = client.responses.stream(request as ResponseStreamParams);
  let failure: string | undefined;
  for await (const event of streamed) {
    if (event.type === "response.failed") failure = event.response.error?.message ?? "failed";
  }
  if (failure !== undefined) throw new Error(failure);
  return seenOf(await streamed.finalResponse());
}

function seenOf({ output, status, incomplete_details, usage }: Response): Seen {
  const calls = output.flatMap(callsOf);
  const reasoning = output.flatMap((item) =>
    item.type === "reasoning"
      ? [...item.summary, ...(item.content ?? [])].map(({ text }) => text)
      : [],
  );
  const parts = output.flatMap((item) => (item.type === "message" ? item.content : []));
  const refused = parts.some(({ type }) => type === "refusal");
  const refusal = parts.map((part) => (part.type === "refusal" ? part.refusal : "")).join("");
  return {
    text: parts.map((part) => (part.type === "output_text" ? part.text : "")).join(""),
    refusal,
    reasoning: reasoning.join(""),
    calls,
    stop: stopWord(incomplete_details?.reason ?? status, { calls, refused }),
    input: usage?.input_tokens,
    output: usage?.output_tokens,
    cached: usage?.input_tokens_details?.cached_tokens,
  };
}

function callsOf(item: ResponseOutputItem): SeenCall[] {
  if (item.type === "function_call") return [{ name: item.name, args: argsOf(item.arguments) }];
  return item.type === "custom_tool_call" ? [{ name: item.name, args: item.input }] : [];
}
