import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createCohere } from "@ai-sdk/cohere";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { dynamicTool, generateText, jsonSchema, streamText } from "ai";
import type { DialectId } from "../../../src/core/ids.ts";
import { argsOf, KEY, type SeenCall } from "../clients/client.ts";
import { DESCRIPTION, WEATHER_SCHEMA } from "../scenarios/ask.ts";

/** What `ai` makes of an answer: an implementation of six protocols that is not ours. */
export interface Read {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly SeenCall[];
  readonly finish: string;
  readonly input: number | undefined;
  readonly output: number | undefined;
}
export interface Reading {
  readonly dialect: DialectId;
  readonly origin: string;
  readonly model: string;
  readonly stream: boolean;
}

(globalThis as { AI_SDK_LOG_WARNINGS?: boolean }).AI_SDK_LOG_WARNINGS = false;

type Model = Parameters<typeof generateText>[0]["model"];
const apiKey = KEY;
const MODELS: Readonly<Record<DialectId, (origin: string, model: string) => Model>> = {
  openai: (origin, model) => createOpenAI({ apiKey, baseURL: `${origin}/v1` }).chat(model),
  responses: (origin, model) => createOpenAI({ apiKey, baseURL: `${origin}/v1` }).responses(model),
  anthropic: (origin, model) => createAnthropic({ apiKey, baseURL: `${origin}/v1` })(model),
  gemini: (origin, model) =>
    createGoogleGenerativeAI({ apiKey, baseURL: `${origin}/v1beta` })(model),
  bedrock: (origin, model) =>
    createAmazonBedrock({ apiKey, baseURL: origin, region: "us-east-1" })(model),
  cohere: (origin, model) => createCohere({ apiKey, baseURL: `${origin}/v2` })(model),
};

const tools = {
  get_weather: dynamicTool({
    description: DESCRIPTION,
    inputSchema: jsonSchema(WEATHER_SCHEMA as object),
    execute: async () => "sunny",
  }),
};

/** @throws whatever `ai` throws. */
export async function read({ dialect, origin, model: name, stream }: Reading): Promise<Read> {
  const model = MODELS[dialect](origin, name);
  const google = { thinkingConfig: { includeThoughts: true } };
  const ask = {
    ...{ model, prompt: "What is the weather?", tools, maxRetries: 0 },
    providerOptions: { google },
  } as const;
  if (!stream) {
    const { steps } = await generateText(ask);
    return readOf(steps[0]!);
  }
  let failure: unknown;
  const streamed = streamText({ ...ask, onError: ({ error }) => void (failure = error) });
  const [step] = await streamed.steps;
  if (failure !== undefined) throw failure;
  return readOf(step!);
}

type Step = Awaited<ReturnType<typeof generateText>>["steps"][number];

function readOf({ text, reasoningText = "", toolCalls, finishReason, usage }: Step): Read {
  return {
    text,
    reasoning: reasoningText,
    calls: toolCalls.map(({ toolName, input }) => ({
      name: toolName,
      args: typeof input === "string" ? argsOf(input) : input,
    })),
    finish: finishReason,
    input: usage.inputTokens,
    output: usage.outputTokens,
  };
}
