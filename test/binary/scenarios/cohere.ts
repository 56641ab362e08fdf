import {
  type Answer,
  type Ask,
  at,
  callText,
  COUNTS,
  dataOf,
  DESCRIPTION,
  halves,
  joined,
  lines,
  list,
  number,
  type Part,
  type Speech,
  text,
  turn,
  type Turn,
  type View,
  type ViewTurn,
  WEATHER_SCHEMA,
} from "./ask.ts";

/** Cohere's chat, version 2. Its SDK's words are camel case, its wire's are not. */
export const cohere: Speech = { bodyOf, viewOf, answerOf, streamOf };

function bodyOf(ask: Ask, model: string): object | undefined {
  const { system, tools, choice, max, stop, thinks, schema, n, logprobs } = ask;
  if (n !== undefined || ask.turns.some(isBeyond)) return undefined;
  return {
    model,
    messages: [
      ...(system === undefined ? [] : [{ role: "system", content: system }]),
      ...ask.turns.flatMap(messagesOf),
    ],
    ...(tools && {
      tools: tools.map((name) => ({
        type: "function",
        function: { name, description: DESCRIPTION, parameters: WEATHER_SCHEMA },
      })),
    }),
    ...(choice && { toolChoice: "REQUIRED" }),
    ...(max && { maxTokens: max }),
    ...(stop && { stopSequences: stop }),
    ...(thinks && { thinking: { type: "enabled", tokenBudget: 2048 } }),
    ...(schema && { responseFormat: { type: "json_object", jsonSchema: schema } }),
    ...(logprobs && { logprobs }),
  };
}

/** No documents, no marks, no images or failures in results. */
function isBeyond(said: Turn): boolean {
  switch (said.role) {
    case "user":
      return said.parts.some((part) => "pdf" in part || "isCached" in part);
    case "assistant":
      return false;
    case "results":
      return said.results.some(({ image, isError }) => image !== undefined || isError === true);
  }
}

function messagesOf(said: Turn): object[] {
  switch (said.role) {
    case "user":
      return [{ role: "user", content: said.parts.map(partOf) }];
    case "assistant":
      return [
        {
          role: "assistant",
          ...(said.text !== undefined && { content: said.text }),
          ...(said.calls && {
            toolCalls: said.calls.map(({ id, name, args }) => ({
              ...{ id, type: "function", function: { name, arguments: JSON.stringify(args) } },
            })),
          }),
        },
      ];
    case "results":
      return said.results.map((result) => ({
        ...{ role: "tool", toolCallId: result.id, content: result.text },
      }));
  }
}

function partOf(part: Part): object {
  if ("image" in part) {
    return { type: "image_url", imageUrl: { url: `data:image/png;base64,${part.image}` } };
  }
  return { type: "text", text: "text" in part ? part.text : "" };
}

function viewOf(body: unknown): View {
  const messages = [...list(body, "messages")];
  const first = text(messages, 0, "role") === "system" ? messages.shift() : undefined;
  return {
    system: contentText(at(first, "content")),
    turns: joined(messages.map(turnOf)),
    tools: list(body, "tools").map((tool) => text(tool, "function", "name")),
    choice: text(body, "tool_choice").toLowerCase(),
    max: number(body, "max_tokens"),
    stop: list(body, "stop_sequences").map((each) => text(each)),
    thinks: text(body, "thinking", "type") === "enabled",
    schema: at(body, "response_format", "json_schema"),
    n: 1,
    logprobs: at(body, "logprobs") === true,
  };
}

function turnOf(message: unknown): ViewTurn {
  const content = at(message, "content");
  if (text(message, "role") === "tool") {
    return turn("user", { results: [{ text: contentText(content), images: [], isError: false }] });
  }
  return turn(text(message, "role") === "assistant" ? "assistant" : "user", {
    text: contentText(content),
    images: list(content).flatMap((part) =>
      text(part, "type") === "image_url" ? [dataOf(text(part, "image_url", "url"))] : [],
    ),
    calls: list(message, "tool_calls").map((call) =>
      callText(text(call, "function", "name"), at(call, "function", "arguments")),
    ),
  });
}

function contentText(content: unknown): string {
  return (
    text(content) +
    list(content)
      .map((part) => text(part, "text"))
      .join("")
  );
}

const FINISH: Readonly<Record<Answer["stop"], string>> = {
  ...{ end: "COMPLETE", length: "MAX_TOKENS", stop_sequence: "STOP_SEQUENCE" },
  ...{ tool_call: "TOOL_CALL", refusal: "COMPLETE", blocked: "ERROR" },
};

function usageOf({ cached }: Answer): object {
  const tokens = { input_tokens: COUNTS.input, output_tokens: COUNTS.output };
  return { billed_units: tokens, tokens, ...(cached !== undefined && { cached_tokens: cached }) };
}

function citationOf({ source, text: said = "" }: Answer): object | undefined {
  if (source === undefined) return undefined;
  const { url, title } = source;
  const document = {
    type: "document",
    id: "doc:0",
    document: { id: "doc:0", title, url, text: said },
  };
  const place = { start: 0, end: [...said].length, text: said };
  return { ...place, content_index: 0, type: "TEXT_CONTENT", sources: [document] };
}

function answerOf(answer: Answer): object | undefined {
  const { thought, text: said, calls, other, stop, refusal } = answer;
  if ((other ?? refusal) !== undefined || stop === "blocked") return undefined;
  const content: object[] = [];
  if (thought !== undefined) content.push({ type: "thinking", thinking: thought.text });
  if (said !== undefined) content.push({ type: "text", text: said });
  const citation = citationOf(answer);
  return {
    id: "c14c80c3-18eb-4519-9460-6c92edd8cfb4",
    finish_reason: FINISH[stop],
    message: {
      role: "assistant",
      ...(content.length > 0 && { content }),
      ...(calls && { tool_calls: calls.map(callOf) }),
      ...(citation && { citations: [citation] }),
    },
    usage: usageOf(answer),
    ...(answer.logprobs && { logprobs: logprobsOf(answer) }),
  };
}

function callOf({ id, name, args }: { id: string; name: string; args: object }): object {
  return { id, type: "function", function: { name, arguments: JSON.stringify(args) } };
}

function logprobsOf({ logprobs = [] }: Answer): object[] {
  return logprobs.map(([token, logprob]) => ({
    ...{ text: token, token_ids: [1], logprobs: [logprob] },
  }));
}

function streamOf(answer: Answer): string | undefined {
  if (answerOf(answer) === undefined) return undefined;
  const { thought, text: said, calls = [], stop, logprobs } = answer;
  const frames: (readonly [string, object])[] = [];
  const put = (type: string, data: object) => frames.push([type, { type, ...data }]);
  put("message-start", { id: "c1", delta: { message: { role: "assistant", content: [] } } });
  const says = (index: number, content: object, pieces: readonly object[]) => {
    put("content-start", { index, delta: { message: { content } } });
    for (const piece of pieces)
      put("content-delta", { index, delta: { message: { content: piece } } });
    put("content-end", { index });
  };
  if (thought !== undefined) {
    const pieces = halves(thought.text).map((thinking) => ({ thinking }));
    says(0, { type: "thinking", thinking: "" }, pieces);
  }
  if (said !== undefined) {
    const index = thought === undefined ? 0 : 1;
    const pieces = halves(said).map((piece) => ({ text: piece }));
    says(index, { type: "text", text: "" }, pieces);
    if (logprobs) Object.assign(frames.at(-2)![1], { logprobs: logprobsOf(answer)[0] });
    const citation = citationOf(answer);
    if (citation !== undefined) {
      put("citation-start", { index: 0, delta: { message: { citations: citation } } });
      put("citation-end", { index: 0 });
    }
  }
  for (const [index, { id, name, args }] of calls.entries()) {
    const call = { id, type: "function", function: { name, arguments: "" } };
    put("tool-call-start", { index, delta: { message: { tool_calls: call } } });
    for (const piece of halves(JSON.stringify(args))) {
      const more = { tool_calls: { function: { arguments: piece } } };
      put("tool-call-delta", { index, delta: { message: more } });
    }
    put("tool-call-end", { index });
  }
  put("message-end", { delta: { finish_reason: FINISH[stop], usage: usageOf(answer) } });
  return `${lines(...frames)}data: [DONE]\n\n`;
}
