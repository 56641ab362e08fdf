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
  lines,
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

/** Anthropic's messages. */
export const anthropic: Speech = { bodyOf, viewOf, answerOf, streamOf };

function bodyOf(ask: Ask, model: string): object | undefined {
  const { system, tools, choice, max = 4096, stop, thinks, schema, n, logprobs } = ask;
  if (n !== undefined || logprobs !== undefined) return undefined; // This wire has neither.
  return {
    ...{ model, max_tokens: max, messages: ask.turns.map(messageOf) },
    ...(system && { system }),
    ...(tools && {
      tools: tools.map((name) => ({
        ...{ name, description: DESCRIPTION, input_schema: WEATHER_SCHEMA },
      })),
    }),
    ...(choice && { tool_choice: { type: "any" } }),
    ...(stop && { stop_sequences: stop }),
    ...(thinks && { thinking: { type: "enabled", budget_tokens: 2048 } }),
    ...(schema && { output_config: { format: { type: "json_schema", schema } } }),
  };
}

function messageOf(said: Turn): object {
  switch (said.role) {
    case "user":
      return { role: "user", content: said.parts.map(partOf) };
    case "assistant":
      return {
        role: "assistant",
        content: [
          ...(said.text === undefined ? [] : [{ type: "text", text: said.text }]),
          ...(said.calls ?? []).map(({ id, name, args }) => ({
            ...{ type: "tool_use", id, name, input: args },
          })),
        ],
      };
    case "results":
      return { role: "user", content: said.results.map(resultOf) };
  }
}

function resultOf({ id, image, isError, ...result }: ToolResult): object {
  return {
    ...{ type: "tool_result", tool_use_id: id },
    content: [partOf({ text: result.text }), ...(image === undefined ? [] : [partOf({ image })])],
    ...(isError && { is_error: true }),
  };
}

function partOf(part: Part): object {
  if ("image" in part) {
    const source = { type: "base64", media_type: "image/png", data: part.image };
    return { type: "image", source };
  }
  if ("pdf" in part) {
    const source = { type: "base64", media_type: "application/pdf", data: part.pdf };
    return { type: "document", source };
  }
  const mark = part.isCached && { cache_control: { type: "ephemeral" } };
  return { type: "text", text: part.text, ...mark };
}

function viewOf(body: unknown): View {
  const choice = text(body, "tool_choice", "type");
  return {
    system: textOf(at(body, "system")),
    turns: joined(list(body, "messages").map(turnOf)),
    tools: list(body, "tools").map((tool) => text(tool, "name")),
    choice: choice === "any" ? "required" : choice,
    max: number(body, "max_tokens"),
    stop: list(body, "stop_sequences").map((each) => text(each)),
    thinks: ["enabled", "adaptive"].includes(text(body, "thinking", "type")),
    schema: at(body, "output_config", "format", "schema"),
    n: 1,
    logprobs: false,
  };
}

function turnOf(message: unknown): ViewTurn {
  const content = list(message, "content");
  const of = (type: string) => content.filter((block) => text(block, "type") === type);
  return turn(text(message, "role") === "assistant" ? "assistant" : "user", {
    text: textOf(at(message, "content")),
    images: of("image").map((block) => text(block, "source", "data")),
    pdfs: of("document").map((block) => text(block, "source", "data")),
    calls: of("tool_use").map((block) => callText(text(block, "name"), at(block, "input"))),
    results: of("tool_result").map(viewOfResult),
    isCached: content.some((block) => has(block, "cache_control")),
  });
}

function viewOfResult(block: unknown): ViewResult {
  return {
    text: textOf(at(block, "content")),
    images: list(block, "content").flatMap((part) =>
      text(part, "type") === "image" ? [text(part, "source", "data")] : [],
    ),
    isError: at(block, "is_error") === true,
  };
}

function textOf(content: unknown): string {
  return (
    text(content) +
    list(content)
      .map((block) => text(block, "text"))
      .join("")
  );
}

const STOP: Readonly<Record<Answer["stop"], string>> = {
  ...{ end: "end_turn", length: "max_tokens", stop_sequence: "stop_sequence" },
  ...{ tool_call: "tool_use", refusal: "refusal", blocked: "refusal" },
};

function contentOf({ thought, text: said, calls = [], source }: Answer): object[] {
  const cited = source && {
    ...{ type: "web_search_result_location", cited_text: said, encrypted_index: "E", ...source },
  };
  const blocks: object[] = [];
  if (thought !== undefined) {
    blocks.push({ type: "thinking", thinking: thought.text, signature: thought.signature });
  }
  if (said !== undefined)
    blocks.push({ type: "text", text: said, citations: cited ? [cited] : null });
  for (const { id, name, args } of calls) blocks.push({ type: "tool_use", id, name, input: args });
  return blocks;
}

function messageHead(answer: Answer): object {
  const head = { id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-4-5" };
  const cache_read_input_tokens = answer.cached ?? 0;
  const usage = {
    ...{ input_tokens: COUNTS.input - cache_read_input_tokens, cache_read_input_tokens },
    ...{ cache_creation_input_tokens: 0, output_tokens: COUNTS.output },
  };
  return { ...head, usage };
}

function stopOf({ stop, refusal }: Answer): object {
  return {
    stop_reason: STOP[stop],
    stop_sequence: stop === "stop_sequence" ? "END" : null,
    ...(refusal && { stop_details: { type: "refusal", category: null, explanation: refusal } }),
  };
}

function answerOf(answer: Answer): object | undefined {
  if (answer.other !== undefined || answer.logprobs !== undefined) return undefined;
  return { ...messageHead(answer), content: contentOf(answer), ...stopOf(answer) };
}

function streamOf(answer: Answer): string | undefined {
  const whole = answerOf(answer);
  if (whole === undefined) return undefined;
  const message = { ...messageHead(answer), content: [], stop_reason: null, stop_sequence: null };
  const frames: { readonly type: string }[] = [];
  const put = (type: string, data: object) => frames.push({ type, ...data });
  put("message_start", { message });
  for (const [index, block] of contentOf(answer).entries()) {
    put("content_block_start", { index, content_block: emptied(block) });
    for (const delta of deltasOf(block)) put("content_block_delta", { index, delta });
    put("content_block_stop", { index });
  }
  put("ping", {});
  put("message_delta", { delta: stopOf(answer), usage: at(whole, "usage") });
  put("message_stop", {});
  return lines(...frames.map((frame) => [frame.type, frame] as const));
}

function emptied(block: object): object {
  switch (text(block, "type")) {
    case "text":
      return { type: "text", text: "" };
    case "thinking":
      return { type: "thinking", thinking: "", signature: "" };
    default:
      return { ...block, input: {} };
  }
}

function deltasOf(block: object): object[] {
  switch (text(block, "type")) {
    case "text":
      return [
        ...list(block, "citations").map((citation) => ({ type: "citations_delta", citation })),
        ...halves(text(block, "text")).map((piece) => ({ type: "text_delta", text: piece })),
      ];
    case "thinking":
      return [
        ...halves(text(block, "thinking")).map((thinking) => ({
          type: "thinking_delta",
          thinking,
        })),
        { type: "signature_delta", signature: text(block, "signature") },
      ];
    default:
      return halves(JSON.stringify(at(block, "input"))).map((partial_json) => ({
        ...{ type: "input_json_delta", partial_json },
      }));
  }
}
