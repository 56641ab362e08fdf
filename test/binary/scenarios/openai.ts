import {
  type Answer,
  type Ask,
  at,
  callText,
  COUNTS,
  dataOf,
  DESCRIPTION,
  halves,
  has,
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

/** OpenAI's chat completions. */
export const openai: Speech = { bodyOf, viewOf, answerOf, streamOf };

function bodyOf(ask: Ask, model: string): object | undefined {
  if (ask.turns.some((each) => each.role === "results" && each.results.some(hasMore))) {
    return undefined; // A result is text here, and no failure can be flagged.
  }
  const { system, tools, choice, max, stop, thinks, schema, n, logprobs } = ask;
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
    ...(choice && { tool_choice: choice }),
    ...(max && { max_completion_tokens: max }),
    ...(stop && { stop }),
    ...(thinks && { reasoning_effort: "medium" }),
    ...(schema && {
      response_format: { type: "json_schema", json_schema: { name: "answer", schema } },
    }),
    ...(n && { n }),
    ...(logprobs && { logprobs, top_logprobs: 1 }),
  };
}

function hasMore({
  image,
  isError,
}: {
  readonly image?: string;
  readonly isError?: true;
}): boolean {
  return image !== undefined || isError === true;
}

function messagesOf(said: Turn): object[] {
  switch (said.role) {
    case "user":
      return [{ role: "user", content: said.parts.map(partOf) }];
    case "assistant":
      return [
        {
          role: "assistant",
          content: said.text ?? null,
          ...(said.calls && {
            tool_calls: said.calls.map(({ id, name, args }) => ({
              ...{ id, type: "function", function: { name, arguments: JSON.stringify(args) } },
            })),
          }),
        },
      ];
    case "results":
      return said.results.map((result) => ({
        ...{ role: "tool", tool_call_id: result.id, content: result.text },
      }));
  }
}

function partOf(part: Part): object {
  if ("image" in part) {
    return { type: "image_url", image_url: { url: `data:image/png;base64,${part.image}` } };
  }
  if ("pdf" in part) {
    const file_data = `data:application/pdf;base64,${part.pdf}`;
    return { type: "file", file: { file_data, filename: "a.pdf" } };
  }
  const mark = part.isCached && { prompt_cache_breakpoint: { mode: "explicit" } };
  return { type: "text", text: part.text, ...mark };
}

function viewOf(body: unknown): View {
  const messages = [...list(body, "messages")];
  const first = text(messages, 0, "role") === "system" ? messages.shift() : undefined;
  const stop = at(body, "stop");
  const effort = text(body, "reasoning_effort");
  return {
    system: contentText(at(first, "content")),
    turns: joined(messages.map(turnOf)),
    tools: list(body, "tools").map((tool) => text(tool, "function", "name")),
    choice: text(body, "tool_choice"),
    max: number(body, "max_completion_tokens") ?? number(body, "max_tokens"),
    stop: typeof stop === "string" ? [stop] : list(stop).map((each) => text(each)),
    thinks: effort !== "" && effort !== "none",
    schema: at(body, "response_format", "json_schema", "schema"),
    n: number(body, "n") ?? 1,
    logprobs: at(body, "logprobs") === true,
  };
}

function turnOf(message: unknown): ViewTurn {
  const content = at(message, "content");
  if (text(message, "role") === "tool") {
    return turn("user", { results: [{ text: contentText(content), images: [], isError: false }] });
  }
  const parts = list(content);
  const of = (type: string) => parts.filter((part) => text(part, "type") === type);
  return turn(text(message, "role") === "assistant" ? "assistant" : "user", {
    text: contentText(content),
    images: of("image_url").map((part) => dataOf(text(part, "image_url", "url"))),
    pdfs: of("file").map((part) => dataOf(text(part, "file", "file_data"))),
    calls: list(message, "tool_calls").map((call) =>
      callText(text(call, "function", "name"), at(call, "function", "arguments")),
    ),
    isCached: parts.some((part) => has(part, "prompt_cache_breakpoint")),
  });
}

function contentText(content: unknown): string {
  if (!Array.isArray(content)) return text(content);
  return content.map((part) => text(part, "text")).join("");
}

const FINISH: Readonly<Record<Answer["stop"], string>> = {
  ...{ end: "stop", stop_sequence: "stop", refusal: "stop" },
  ...{ length: "length", tool_call: "tool_calls", blocked: "content_filter" },
};
const HEAD = { id: "chatcmpl-9", created: 1_700_000_001, model: "gpt-4o-2024-08-06" };

function answerOf(answer: Answer): object | undefined {
  if (answer.thought !== undefined) return undefined; // OpenAI's chat shows no thoughts.
  return {
    ...{ ...HEAD, object: "chat.completion", usage: usageOf(answer) },
    choices: textsOf(answer).map((content, index) => ({
      index,
      message: messageOf(answer, content),
      logprobs: logprobsOf(answer),
      finish_reason: FINISH[answer.stop],
    })),
  };
}

function textsOf({ text: said, other }: Answer): readonly (string | undefined)[] {
  return other === undefined ? [said] : [said, other];
}

function messageOf({ calls, refusal, source }: Answer, said: string | undefined): object {
  return {
    role: "assistant",
    content: said ?? null,
    refusal: refusal ?? null,
    annotations: source === undefined ? [] : [annotationOf(source, said ?? "")],
    ...(calls && { tool_calls: calls.map(({ id, name, args }) => callOf(id, name, args)) }),
  };
}

function annotationOf(source: object, said: string): object {
  const end_index = said.length;
  return { type: "url_citation", url_citation: { start_index: 0, end_index, ...source } };
}

function callOf(id: string, name: string, args: object): object {
  return { id, type: "function", function: { name, arguments: JSON.stringify(args) } };
}

function logprobsOf({ logprobs }: Answer): object | null {
  if (logprobs === undefined) return null;
  const content = logprobs.map(([token, logprob]) => ({
    ...{ token, logprob, bytes: [...Buffer.from(token)] },
    top_logprobs: [{ token, logprob, bytes: [...Buffer.from(token)] }],
  }));
  return { content, refusal: null };
}

function usageOf({ cached = 0 }: Answer): object {
  const { input, output } = COUNTS;
  return {
    ...{ prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
    prompt_tokens_details: { cached_tokens: cached },
  };
}

function streamOf(answer: Answer): string | undefined {
  if (answer.thought !== undefined) return undefined;
  const { calls = [], refusal, source } = answer;
  const frames: object[] = [];
  for (const [index, said = ""] of textsOf(answer).entries()) {
    const put = (delta: object, more: object = {}) =>
      frames.push({ choices: [{ index, delta, finish_reason: null, ...more }] });
    put({ role: "assistant", content: "" });
    for (const content of halves(said)) if (content !== "") put({ content });
    if (answer.logprobs) put({}, { logprobs: logprobsOf(answer) });
    if (refusal !== undefined) put({ refusal });
    if (source !== undefined) put({ annotations: [annotationOf(source, said)] });
    for (const [position, { id, name, args }] of calls.entries()) {
      const place = { index: position };
      put({ tool_calls: [{ ...place, id, type: "function", function: { name, arguments: "" } }] });
      for (const piece of halves(JSON.stringify(args))) {
        put({ tool_calls: [{ ...place, function: { arguments: piece } }] });
      }
    }
    put({}, { finish_reason: FINISH[answer.stop] });
  }
  const chunks = [...frames, { choices: [], usage: usageOf(answer) }];
  const head = { ...HEAD, object: "chat.completion.chunk" };
  return `${lines(...chunks.map((chunk) => ["", { ...head, ...chunk }] as const))}data: [DONE]\n\n`;
}
