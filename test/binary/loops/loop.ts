import Anthropic from "@anthropic-ai/sdk";
import {
  BedrockRuntimeClient,
  type ContentBlock,
  ConverseCommand,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  type Message,
} from "@aws-sdk/client-bedrock-runtime";
import { type Content, GoogleGenAI, type Part } from "@google/genai";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { type Cohere, CohereClientV2 } from "cohere-ai";
import OpenAI from "openai";
import type { ChatCompletionMessage } from "openai/resources/chat/completions";
import type { ResponseInput } from "openai/resources/responses/responses";
import type { DialectId } from "../../../src/core/ids.ts";
import { KEY } from "../clients/client.ts";

export interface Where {
  readonly origin: string;
  readonly model: string;
  readonly stream: boolean;
}
/** Two turns of a tool loop, as a user of one SDK writes them: the answer's message goes back. */
export type Loop = (where: Where) => Promise<void>;

const QUESTION = "What is the weather in Paris?";
const RESULT = "sunny";
const ANYTHING = { type: "object", additionalProperties: true };

export const LOOPS: Readonly<Record<DialectId, Loop>> = {
  openai: chatLoop,
  responses: responsesLoop,
  anthropic: anthropicLoop,
  gemini: geminiLoop,
  bedrock: bedrockLoop,
  cohere: cohereLoop,
};

async function chatLoop({ origin, model, stream }: Where): Promise<void> {
  const { chat } = new OpenAI({ apiKey: KEY, baseURL: `${origin}/v1`, maxRetries: 0 });
  const user = { role: "user" as const, content: QUESTION };
  const first = { model, messages: [user], reasoning_effort: "medium" as const };
  const { choices } = stream
    ? await chat.completions.stream(first).finalChatCompletion()
    : await chat.completions.create(first);
  const message: ChatCompletionMessage = choices[0]!.message;
  const results = (message.tool_calls ?? []).map(({ id }) => ({
    ...{ role: "tool" as const, tool_call_id: id, content: RESULT },
  }));
  await chat.completions.create({ ...first, messages: [user, message, ...results] });
}

async function responsesLoop({ origin, model, stream }: Where): Promise<void> {
  const client = new OpenAI({ apiKey: KEY, baseURL: `${origin}/v1`, maxRetries: 0 });
  const user = { role: "user" as const, content: QUESTION };
  const first = {
    ...{ model, store: false, reasoning: { effort: "medium" as const, summary: "auto" as const } },
    include: ["reasoning.encrypted_content" as const],
  };
  const { output } = stream
    ? await client.responses.stream({ ...first, input: [user] }).finalResponse()
    : await client.responses.create({ ...first, input: [user] });
  const results = output.flatMap((item) =>
    item.type === "function_call"
      ? [{ type: "function_call_output" as const, call_id: item.call_id, output: RESULT }]
      : [],
  );
  // The SDK adds what it parsed to the items of a stream; a user sends back the items themselves.
  const items = output.map((item) => {
    const { parsed_arguments: _, ...rest } = item as typeof item & { parsed_arguments?: unknown };
    return rest;
  });
  await client.responses.create({ ...first, input: [user, ...items, ...results] as ResponseInput });
}

async function anthropicLoop({ origin, model, stream }: Where): Promise<void> {
  const { messages } = new Anthropic({ baseURL: origin, apiKey: KEY, maxRetries: 0 });
  const user = { role: "user" as const, content: QUESTION };
  const first = {
    ...{ model, max_tokens: 8192, messages: [user] },
    thinking: { type: "enabled" as const, budget_tokens: 2048 },
  };
  const { content } = stream
    ? await messages.stream(first).finalMessage()
    : await messages.create(first);
  const results = content.flatMap((block) =>
    block.type === "tool_use"
      ? [{ type: "tool_result" as const, tool_use_id: block.id, content: RESULT }]
      : [],
  );
  await messages.create({
    ...first,
    messages: [user, { role: "assistant", content }, { role: "user", content: results }],
  } as Anthropic.MessageCreateParamsNonStreaming);
}

async function geminiLoop({ origin, model, stream }: Where): Promise<void> {
  const { models } = new GoogleGenAI({
    apiKey: KEY,
    httpOptions: { baseUrl: origin, retryOptions: { attempts: 1 } },
  });
  const user: Content = { role: "user", parts: [{ text: QUESTION }] };
  const first = { model, contents: [user], config: { thinkingConfig: { includeThoughts: true } } };
  const parts: Part[] = [];
  if (stream) {
    for await (const { candidates } of await models.generateContentStream(first)) {
      parts.push(...(candidates?.[0]?.content?.parts ?? []));
    }
  } else {
    const { candidates } = await models.generateContent(first);
    parts.push(...(candidates?.[0]?.content?.parts ?? []));
  }
  const results = parts.flatMap(({ functionCall: call }) =>
    call === undefined
      ? []
      : [
          {
            functionResponse: { ...call, args: undefined, response: { output: RESULT } } as object,
          },
        ],
  );
  const contents = [user, { role: "model", parts }, { role: "user", parts: results }];
  await models.generateContent({ ...first, contents });
}

async function bedrockLoop({ origin, model, stream }: Where): Promise<void> {
  const client = new BedrockRuntimeClient({
    ...{ endpoint: origin, region: "us-east-1", maxAttempts: 1, token: { token: KEY } },
    authSchemePreference: ["httpBearerAuth"],
    requestHandler: new NodeHttpHandler(),
  });
  const user: Message = { role: "user", content: [{ text: QUESTION }] };
  const thinking = { type: "enabled", budget_tokens: 2048 };
  const first = {
    ...{ modelId: model, messages: [user], inferenceConfig: { maxTokens: 8192 } },
    ...{ additionalModelRequestFields: { thinking }, toolConfig: TOOL_CONFIG },
  };
  const content = stream
    ? await blocksOf((await client.send(new ConverseStreamCommand(first))).stream!)
    : ((await client.send(new ConverseCommand(first))).output?.message?.content ?? []);
  const results = content.flatMap(({ toolUse }) =>
    toolUse === undefined
      ? []
      : [{ toolResult: { toolUseId: toolUse.toolUseId!, content: [{ text: RESULT }] } }],
  );
  const messages: Message[] = [
    user,
    { role: "assistant", content },
    { role: "user", content: results },
  ];
  await client.send(new ConverseCommand({ ...first, messages }));
  client.destroy();
}
const TOOL_CONFIG = {
  tools: [{ toolSpec: { name: "get_weather", inputSchema: { json: ANYTHING } } }],
};

/** This SDK leaves it to its user to put a stream together. */
async function blocksOf(events: AsyncIterable<ConverseStreamOutput>): Promise<ContentBlock[]> {
  const blocks = new Map<number, Growing>();
  for await (const { contentBlockStart: start, contentBlockDelta: grow } of events) {
    const index = start?.contentBlockIndex ?? grow?.contentBlockIndex;
    if (index === undefined) continue;
    const block = blocks.get(index) ?? { text: "", thought: "", input: "" };
    blocks.set(index, block);
    if (start?.start?.toolUse !== undefined) block.call = start.start.toolUse;
    const { text, toolUse, reasoningContent: thought } = grow?.delta ?? {};
    block.text += text ?? "";
    block.input += toolUse?.input ?? "";
    block.thought += thought?.text ?? "";
    block.signature = thought?.signature ?? block.signature;
    block.seal = thought?.redactedContent ?? block.seal;
  }
  return [...blocks.values()].map(blockOf);
}
interface Growing {
  text: string;
  thought: string;
  input: string;
  call?: { toolUseId: string | undefined; name: string | undefined };
  signature?: string | undefined;
  seal?: Uint8Array | undefined;
}

function blockOf({ text, thought, input, call, signature, seal }: Growing): ContentBlock {
  if (seal !== undefined) return { reasoningContent: { redactedContent: seal } };
  if (call !== undefined) return { toolUse: { ...call, input: JSON.parse(input || "{}") } };
  if (thought === "" && signature === undefined) return { text };
  return { reasoningContent: { reasoningText: { text: thought, signature } } };
}

async function cohereLoop({ origin, model, stream }: Where): Promise<void> {
  const client = new CohereClientV2({ token: KEY, environment: origin, maxRetries: 0 });
  const user = { role: "user" as const, content: QUESTION };
  const first = { model, messages: [user], thinking: { type: "enabled" as const } };
  const { content, toolCalls, toolPlan } = stream
    ? await messageOf(await client.chatStream(first))
    : (await client.chat(first)).message;
  const results = (toolCalls ?? []).map(({ id }) => ({
    ...{ role: "tool" as const, toolCallId: id!, content: RESULT },
  }));
  const message = { role: "assistant" as const, content, toolCalls, toolPlan };
  await client.chat({ ...first, messages: [user, message, ...results] } as Cohere.V2ChatRequest);
}

async function messageOf(events: AsyncIterable<Cohere.V2ChatStreamResponse>) {
  let text = "";
  let toolPlan = "";
  const toolCalls: Cohere.ToolCallV2[] = [];
  for await (const event of events) {
    if (event.type === "content-delta") text += event.delta?.message?.content?.text ?? "";
    if (event.type === "tool-plan-delta") toolPlan += event.delta?.message?.toolPlan ?? "";
    if (event.type === "tool-call-start") toolCalls.push(event.delta!.message!.toolCalls!);
    if (event.type === "tool-call-delta") {
      const call = toolCalls.at(-1)!.function!;
      call.arguments =
        (call.arguments ?? "") + (event.delta?.message?.toolCalls?.function?.arguments ?? "");
    }
  }
  return { content: text === "" ? undefined : text, toolCalls, toolPlan };
}
