import {
  BedrockRuntimeClient,
  type ContentBlock,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  type TokenUsage,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
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

/** `@aws-sdk/client-bedrock-runtime` with a bearer key, as Bedrock's API keys are sent. */
export const bedrock: Client = {
  name: "aws bedrock",
  dialect: "bedrock",
  ask: (request) => send(asked(request)),
  send,
};

function asked({ origin, model, stream, system, user = "hi", tool }: Ask): Send {
  const { name, description, schema } = WEATHER;
  const body = {
    modelId: model,
    messages: [{ role: "user", content: [{ text: user }] }],
    inferenceConfig: { maxTokens: MAX_TOKENS },
    ...(system !== undefined && { system: [{ text: system }] }),
    ...(tool === true && {
      toolConfig: { tools: [{ toolSpec: { name, description, inputSchema: { json: schema } } }] },
    }),
  };
  return { origin, stream, body };
}

async function send({ origin, stream, body }: Send): Promise<Seen> {
  const client = new BedrockRuntimeClient({
    endpoint: origin,
    region: "us-east-1",
    token: { token: KEY },
    authSchemePreference: ["httpBearerAuth"],
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(), // Its HTTP/2 default has no plain-text form.
  });
  try {
    return await sent(client, body as ConverseCommandInput, stream);
  } finally {
    client.destroy();
  }
}

/** The same with any client of this SDK. */
export async function sent(
  client: BedrockRuntimeClient,
  body: ConverseCommandInput,
  stream: boolean,
): Promise<Seen> {
  if (stream) {
    const { stream: events } = await client.send(new ConverseStreamCommand(body));
    return gathered(events!);
  }
  const { output, stopReason, usage } = await client.send(new ConverseCommand(body));
  return seenOf(output?.message?.content ?? [], stopReason, usage);
}

/** Nova's own tools, which Bedrock runs: no client has to answer them. */
const HOSTED = /^nova_/;

function seenOf(
  content: readonly ContentBlock[],
  stopReason: string | undefined,
  usage: TokenUsage | undefined,
): Seen {
  const calls = content.flatMap(({ toolUse }) =>
    toolUse?.name === undefined || HOSTED.test(toolUse.name)
      ? []
      : [{ name: toolUse.name, args: toolUse.input }],
  );
  const citedText = (block: ContentBlock) =>
    (block.citationsContent?.content ?? []).map(({ text }) => text ?? "").join("");
  return {
    text: content.map((block) => block.text ?? citedText(block)).join(""),
    refusal: "",
    reasoning: content
      .map(({ reasoningContent }) => reasoningContent?.reasoningText?.text ?? "")
      .join(""),
    calls,
    stop: stopWord(stopReason, { calls }),
    ...counts(usage),
  };
}

function counts(usage: TokenUsage | undefined): Pick<Seen, "input" | "output" | "cached"> {
  if (usage === undefined) return { input: undefined, output: undefined, cached: undefined };
  const { inputTokens = 0, cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = usage;
  return {
    input: inputTokens + cacheReadInputTokens + cacheWriteInputTokens,
    output: usage.outputTokens,
    cached: usage.cacheReadInputTokens,
  };
}

async function gathered(events: AsyncIterable<ConverseStreamOutput>): Promise<Seen> {
  let text = "";
  let reasoning = "";
  let stop: string | undefined;
  let usage: TokenUsage | undefined;
  const calls = new Map<number, { readonly name: string; json: string }>();
  for await (const event of events) {
    const { contentBlockStart, contentBlockDelta, messageStop, metadata } = event;
    const started = contentBlockStart?.start?.toolUse;
    if (started !== undefined) {
      calls.set(contentBlockStart?.contentBlockIndex ?? 0, { name: started.name ?? "", json: "" });
    }
    const delta = contentBlockDelta?.delta;
    text += delta?.text ?? "";
    reasoning += delta?.reasoningContent?.text ?? "";
    const call = calls.get(contentBlockDelta?.contentBlockIndex ?? -1);
    if (call !== undefined) call.json += delta?.toolUse?.input ?? "";
    stop = messageStop?.stopReason ?? stop;
    usage = metadata?.usage ?? usage;
  }
  const called = [...calls.values()]
    .filter(({ name }) => !HOSTED.test(name))
    .map(({ name, json }) => ({ name, args: argsOf(json) }));
  return {
    ...{ text, reasoning, refusal: "", calls: called },
    stop: stopWord(stop, { calls: called }),
    ...counts(usage),
  };
}
