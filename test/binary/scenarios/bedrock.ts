import { EventStreamCodec } from "@smithy/eventstream-codec";
import {
  type Answer,
  type Ask,
  at,
  callText,
  COUNTS,
  DESCRIPTION,
  halves,
  has,
  joined,
  list,
  number,
  type Part,
  type Speech,
  text,
  type ToolResult,
  turn,
  type Turn,
  type View,
  type ViewResult,
  type ViewTurn,
  WEATHER_SCHEMA,
} from "./ask.ts";

/** Bedrock's Converse. */
export const bedrock: Speech = { bodyOf, viewOf, answerOf, streamOf };

function bodyOf(ask: Ask, model: string): object | undefined {
  const { system, tools, choice, max, stop, thinks, schema, n, logprobs } = ask;
  if (n !== undefined || logprobs !== undefined) return undefined; // This wire has neither.
  const inferenceConfig = { ...(max && { maxTokens: max }), ...(stop && { stopSequences: stop }) };
  return {
    ...{ modelId: model, messages: ask.turns.map(messageOf), inferenceConfig },
    ...(system && { system: [{ text: system }] }),
    ...(tools && {
      toolConfig: {
        tools: tools.map((name) => ({
          toolSpec: { name, description: DESCRIPTION, inputSchema: { json: WEATHER_SCHEMA } },
        })),
        ...(choice && { toolChoice: { any: {} } }),
      },
    }),
    ...(thinks && {
      additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 2048 } },
    }),
    ...(schema && {
      outputConfig: {
        textFormat: {
          type: "json_schema",
          structure: { jsonSchema: { schema: JSON.stringify(schema), name: "answer" } },
        },
      },
    }),
  };
}

function messageOf(said: Turn): object {
  switch (said.role) {
    case "user":
      return { role: "user", content: said.parts.flatMap(blocksOf) };
    case "assistant":
      return {
        role: "assistant",
        content: [
          ...(said.text === undefined ? [] : [{ text: said.text }]),
          ...(said.calls ?? []).map(({ id, name, args }) => ({
            toolUse: { toolUseId: id, name, input: args },
          })),
        ],
      };
    case "results":
      return { role: "user", content: said.results.map(resultOf) };
  }
}

function resultOf({ id, image, isError, ...result }: ToolResult): object {
  const content = [{ text: result.text }, ...(image === undefined ? [] : blocksOf({ image }))];
  return { toolResult: { toolUseId: id, content, ...(isError && { status: "error" }) } };
}

function blocksOf(part: Part): object[] {
  if ("image" in part) {
    return [{ image: { format: "png", source: { bytes: Buffer.from(part.image, "base64") } } }];
  }
  if ("pdf" in part) {
    const source = { bytes: Buffer.from(part.pdf, "base64") };
    return [{ document: { format: "pdf", name: "a", source } }];
  }
  const mark = part.isCached ? [{ cachePoint: { type: "default" } }] : [];
  return [{ text: part.text }, ...mark];
}

function viewOf(body: unknown): View {
  const inference = at(body, "inferenceConfig");
  const thinking = text(body, "additionalModelRequestFields", "thinking", "type");
  const schema = text(body, "outputConfig", "textFormat", "structure", "jsonSchema", "schema");
  const tools = list(body, "toolConfig", "tools");
  return {
    system: textOf(list(body, "system")),
    turns: joined(list(body, "messages").map(turnOf)),
    tools: tools.flatMap((tool) => (has(tool, "toolSpec") ? [text(tool, "toolSpec", "name")] : [])),
    choice: has(body, "toolConfig", "toolChoice", "any") ? "required" : "",
    max: number(inference, "maxTokens"),
    stop: list(inference, "stopSequences").map((each) => text(each)),
    thinks: thinking === "enabled" || thinking === "adaptive",
    schema: schema === "" ? undefined : JSON.parse(schema),
    n: 1,
    logprobs: false,
  };
}

function turnOf(message: unknown): ViewTurn {
  const content = list(message, "content");
  const of = (name: string) => content.flatMap((block) => at(block, name) ?? []);
  return turn(text(message, "role") === "assistant" ? "assistant" : "user", {
    text: textOf(content),
    images: of("image").map((image) => text(image, "source", "bytes")),
    pdfs: of("document").map((document) => text(document, "source", "bytes")),
    calls: of("toolUse").map((call) => callText(text(call, "name"), at(call, "input"))),
    results: of("toolResult").map(viewOfResult),
    isCached: of("cachePoint").length > 0,
  });
}

function viewOfResult(result: unknown): ViewResult {
  const content = list(result, "content");
  return {
    text: textOf(content),
    images: content.flatMap((block) => at(block, "image", "source", "bytes") ?? []) as string[],
    isError: text(result, "status") === "error",
  };
}

function textOf(blocks: readonly unknown[]): string {
  return blocks.map((block) => text(block, "text")).join("");
}

const STOP: Readonly<Record<Answer["stop"], string>> = {
  ...{ end: "end_turn", length: "max_tokens", stop_sequence: "stop_sequence" },
  ...{ tool_call: "tool_use", refusal: "content_filtered", blocked: "guardrail_intervened" },
};

function contentOf({ thought, text: said, calls = [], source }: Answer): object[] {
  const blocks: object[] = [];
  if (thought !== undefined) blocks.push({ reasoningContent: { reasoningText: thought } });
  if (source !== undefined) {
    const { url, title } = source;
    const citation = { title, location: { web: { url } }, sourceContent: [{ text: said }] };
    blocks.push({ citationsContent: { content: [{ text: said }], citations: [citation] } });
  } else if (said !== undefined) {
    blocks.push({ text: said });
  }
  for (const { id, name, args } of calls) {
    blocks.push({ toolUse: { toolUseId: id, name, input: args } });
  }
  return blocks;
}

function usageOf({ cached }: Answer): object {
  const { input, output } = COUNTS;
  return {
    ...{ inputTokens: input - (cached ?? 0), outputTokens: output, totalTokens: input + output },
    ...(cached !== undefined && { cacheReadInputTokens: cached }),
  };
}

function answerOf(answer: Answer): object | undefined {
  const { other, logprobs, refusal } = answer;
  if ((other ?? logprobs ?? refusal) !== undefined) return undefined;
  return {
    output: { message: { role: "assistant", content: contentOf(answer) } },
    stopReason: STOP[answer.stop],
    usage: usageOf(answer),
    metrics: { latencyMs: 7 },
  };
}

const codec = new EventStreamCodec(
  (bytes) => new TextDecoder().decode(bytes as Uint8Array),
  (said) => new TextEncoder().encode(said),
);

function frame(type: string, payload: object): Uint8Array {
  const value = (said: string) => ({ type: "string", value: said }) as const;
  return codec.encode({
    headers: {
      ":event-type": value(type),
      ":content-type": value("application/json"),
      ":message-type": value("event"),
    },
    body: new TextEncoder().encode(JSON.stringify({ ...payload, p: "abc" })),
  });
}

function streamOf(answer: Answer): Uint8Array | undefined {
  if (answerOf(answer) === undefined) return undefined;
  const frames = [frame("messageStart", { role: "assistant" })];
  for (const [contentBlockIndex, block] of contentOf(answer).entries()) {
    const { toolUse } = block as { readonly toolUse?: { readonly input?: object } };
    if (toolUse !== undefined) {
      const { input: _, ...start } = toolUse;
      frames.push(frame("contentBlockStart", { contentBlockIndex, start: { toolUse: start } }));
    }
    for (const delta of deltasOf(block)) {
      frames.push(frame("contentBlockDelta", { contentBlockIndex, delta }));
    }
    frames.push(frame("contentBlockStop", { contentBlockIndex }));
  }
  frames.push(frame("messageStop", { stopReason: STOP[answer.stop] }));
  frames.push(frame("metadata", { usage: usageOf(answer), metrics: { latencyMs: 7 } }));
  return new Uint8Array(Buffer.concat(frames));
}

function deltasOf(block: object): object[] {
  const pieces = (said: string) => halves(said).map((piece) => ({ text: piece }));
  if (has(block, "reasoningContent")) {
    const thought = at(block, "reasoningContent", "reasoningText");
    const signature = text(thought, "signature");
    return [...pieces(text(thought, "text")), { signature }].map((piece) => ({
      reasoningContent: piece,
    }));
  }
  if (has(block, "toolUse")) {
    const args = JSON.stringify(at(block, "toolUse", "input"));
    return halves(args).map((input) => ({ toolUse: { input } }));
  }
  if (has(block, "citationsContent")) {
    const citation = at(block, "citationsContent", "citations", 0);
    return [...pieces(text(block, "citationsContent", "content", 0, "text")), { citation }];
  }
  return pieces(text(block, "text"));
}
