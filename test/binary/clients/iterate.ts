import Anthropic from "@anthropic-ai/sdk";
import {
  BedrockRuntimeClient,
  ConverseStreamCommand,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { GoogleGenAI } from "@google/genai";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import AnthropicBefore1 from "anthropic-0";
import { CohereClientV2 } from "cohere-ai";
import OpenAI from "openai";

import type { DialectId } from "../../../src/core/ids.ts";
import { KEY } from "./client.ts";

export interface Streamed {
  readonly origin: string;
  readonly model: string;
  readonly user: string;
}

/** What the plainest user of an SDK sees: a loop over its events, and what ends the loop. */
export interface Heard {
  readonly events: number;
  /** An event that says of itself that the answer failed. */
  readonly sawFailure: boolean;
  readonly thrown: unknown;
}

/** One SDK's plain loop. It notices least: its accumulators look at what is missing, too. */
export interface Listener {
  readonly name: string;
  readonly dialect: DialectId;
  events(of: Streamed): AsyncIterable<object>;
  readonly isFailure?: (event: object) => boolean;
}

export async function listen(listener: Listener, of: Streamed): Promise<Heard> {
  let events = 0;
  let sawFailure = false;
  try {
    for await (const event of listener.events(of)) {
      events++;
      sawFailure ||= listener.isFailure?.(event) === true;
    }
    return { events, sawFailure, thrown: undefined };
  } catch (thrown) {
    return { events, sawFailure, thrown };
  }
}

const QUIET = { maxRetries: 0 } as const;

async function* openaiEvents({ origin, model, user }: Streamed): AsyncIterable<object> {
  const client = new OpenAI({ ...QUIET, apiKey: KEY, baseURL: `${origin}/v1`, logLevel: "off" });
  const messages = [{ role: "user" as const, content: user }];
  yield* await client.chat.completions.create({ model, messages, stream: true });
}

async function* responsesEvents({ origin, model, user }: Streamed): AsyncIterable<object> {
  const client = new OpenAI({ ...QUIET, apiKey: KEY, baseURL: `${origin}/v1`, logLevel: "off" });
  yield* await client.responses.create({ model, input: user, stream: true, store: false });
}

async function* anthropicEvents(
  client: Anthropic,
  { model, user }: Streamed,
): AsyncIterable<object> {
  const messages = [{ role: "user" as const, content: user }];
  yield* await client.messages.create({ model, messages, max_tokens: 64, stream: true });
}

function anthropicOptions({ origin }: Streamed) {
  return { ...QUIET, apiKey: KEY, baseURL: origin, logLevel: "off" as const };
}

async function* geminiEvents({ origin, model, user }: Streamed): AsyncIterable<object> {
  const httpOptions = { baseUrl: origin, retryOptions: { attempts: 1 } };
  const client = new GoogleGenAI({ apiKey: KEY, httpOptions });
  yield* await client.models.generateContentStream({ model, contents: user });
}

function bedrockClient({ origin }: Streamed): BedrockRuntimeClient {
  return new BedrockRuntimeClient({
    endpoint: origin,
    region: "us-east-1",
    token: { token: KEY },
    authSchemePreference: ["httpBearerAuth"],
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  });
}

async function* bedrockEvents(of: Streamed): AsyncIterable<object> {
  const client = bedrockClient(of);
  try {
    const messages = [{ role: "user" as const, content: [{ text: of.user }] }];
    const command = new ConverseStreamCommand({ modelId: of.model, messages });
    yield* (await client.send(command)).stream!;
  } finally {
    client.destroy();
  }
}

async function* invokeEvents(of: Streamed): AsyncIterable<object> {
  const client = bedrockClient(of);
  try {
    const body = JSON.stringify({ messages: [{ role: "user", content: of.user }] });
    const command = new InvokeModelWithResponseStreamCommand({ modelId: of.model, body });
    yield* (await client.send(command)).body!;
  } finally {
    client.destroy();
  }
}

async function* cohereEvents({ origin, model, user }: Streamed): AsyncIterable<object> {
  const client = new CohereClientV2({ token: KEY, environment: origin, maxRetries: 0 });
  yield* await client.chatStream({ model, messages: [{ role: "user", content: user }] });
}

/** Bedrock's InvokeModel, which passes through and is never translated. */
export const INVOKE: Listener = { name: "aws invoke", dialect: "bedrock", events: invokeEvents };

/** Every SDK's loop. */
export const LISTENERS: readonly Listener[] = [
  { name: "openai chat", dialect: "openai", events: openaiEvents },
  {
    name: "openai responses",
    dialect: "responses",
    events: responsesEvents,
    isFailure: (event) => "type" in event && event.type === "response.failed",
  },
  {
    name: "anthropic 1.x",
    dialect: "anthropic",
    events: (of) => anthropicEvents(new Anthropic(anthropicOptions(of)), of),
  },
  {
    name: "anthropic 0.x",
    dialect: "anthropic",
    events: (of) =>
      anthropicEvents(new AnthropicBefore1(anthropicOptions(of)) as unknown as Anthropic, of),
  },
  { name: "google genai", dialect: "gemini", events: geminiEvents },
  { name: "aws bedrock", dialect: "bedrock", events: bedrockEvents },
  {
    name: "cohere",
    dialect: "cohere",
    events: cohereEvents,
    isFailure: (event) => JSON.stringify(event).includes('"finishReason":"ERROR"'),
  },
];
