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
  type ToolResult,
  turn,
  type Turn,
  type View,
  type ViewTurn,
  WEATHER_SCHEMA,
} from "./ask.ts";

/** OpenAI's responses. */
export const responses: Speech = { bodyOf, viewOf, answerOf, streamOf };

function bodyOf(ask: Ask, model: string): object | undefined {
  const { system, tools, choice, max, stop, thinks, schema, n, logprobs } = ask;
  if (stop !== undefined || n !== undefined) return undefined; // This wire has neither.
  if (ask.turns.some((each) => each.role === "results" && each.results.some(isFailed))) {
    return undefined;
  }
  return {
    ...{ model, store: false, input: ask.turns.flatMap(itemsOf) },
    ...(system && { instructions: system }),
    ...(tools && {
      tools: tools.map((name) => ({
        ...{ type: "function", name, description: DESCRIPTION, strict: false },
        parameters: WEATHER_SCHEMA,
      })),
    }),
    ...(choice && { tool_choice: choice }),
    ...(max && { max_output_tokens: max }),
    ...(thinks && { reasoning: { effort: "medium", summary: "auto" } }),
    ...(schema && { text: { format: { type: "json_schema", name: "answer", schema } } }),
    ...(logprobs && { include: ["message.output_text.logprobs"], top_logprobs: 1 }),
  };
}

function isFailed({ isError }: ToolResult): boolean {
  return isError === true;
}

function itemsOf(said: Turn): object[] {
  switch (said.role) {
    case "user":
      return [{ role: "user", content: said.parts.map(partOf) }];
    case "assistant":
      return [
        ...(said.text === undefined ? [] : [{ role: "assistant", content: said.text }]),
        ...(said.calls ?? []).map(({ id, name, args }) => ({
          ...{ type: "function_call", call_id: id, name, arguments: JSON.stringify(args) },
        })),
      ];
    case "results":
      return said.results.map(({ id, image, ...result }) => ({
        ...{ type: "function_call_output", call_id: id },
        output: image === undefined ? result.text : [partOf(result), partOf({ image })],
      }));
  }
}

function partOf(part: Part): object {
  if ("image" in part) {
    return {
      type: "input_image",
      detail: "auto",
      image_url: `data:image/png;base64,${part.image}`,
    };
  }
  if ("pdf" in part) {
    const file_data = `data:application/pdf;base64,${part.pdf}`;
    return { type: "input_file", filename: "a.pdf", file_data };
  }
  const mark = part.isCached && { prompt_cache_breakpoint: { mode: "explicit" } };
  return { type: "input_text", text: part.text, ...mark };
}

function viewOf(body: unknown): View {
  return {
    system: text(body, "instructions"),
    turns: joined(list(body, "input").map(turnOf)),
    tools: list(body, "tools").map((tool) => text(tool, "name")),
    choice: text(body, "tool_choice"),
    max: number(body, "max_output_tokens"),
    stop: [],
    thinks: has(body, "reasoning", "effort"),
    schema: at(body, "text", "format", "schema"),
    n: 1,
    logprobs: list(body, "include").includes("message.output_text.logprobs"),
  };
}

function turnOf(item: unknown): ViewTurn {
  if (text(item, "type") === "function_call") {
    return turn("assistant", { calls: [callText(text(item, "name"), at(item, "arguments"))] });
  }
  if (text(item, "type") === "function_call_output") {
    const parts = partsOf(at(item, "output"));
    return turn("user", { results: [{ text: parts.text, images: parts.images, isError: false }] });
  }
  const role = text(item, "role") === "assistant" ? "assistant" : "user";
  return turn(role, partsOf(at(item, "content")));
}

function partsOf(content: unknown): Pick<ViewTurn, "text" | "images" | "pdfs" | "isCached"> {
  const parts = list(content);
  const of = (type: string) => parts.filter((part) => text(part, "type") === type);
  return {
    text: text(content) + parts.map((part) => text(part, "text")).join(""),
    images: of("input_image").map((part) => dataOf(text(part, "image_url"))),
    pdfs: of("input_file").map((part) => dataOf(text(part, "file_data"))),
    isCached: parts.some((part) => has(part, "prompt_cache_breakpoint")),
  };
}

function itemsOfAnswer(answer: Answer): object[] {
  const { thought, text: said, refusal, calls = [], source, logprobs = [] } = answer;
  const items: object[] = [];
  if (thought !== undefined) {
    const summary = [{ type: "summary_text", text: thought.text }];
    const { signature: encrypted_content } = thought;
    items.push({ id: "rs_1", type: "reasoning", summary, encrypted_content });
  }
  const content: object[] = [];
  if (said !== undefined) {
    const cited = { type: "url_citation", start_index: 0, end_index: said.length, ...source };
    const tokens = logprobs.map(([token, logprob]) => {
      const bytes = [...Buffer.from(token)];
      return { token, logprob, bytes, top_logprobs: [{ token, logprob, bytes }] };
    });
    const annotations = source === undefined ? [] : [cited];
    content.push({ type: "output_text", text: said, annotations, logprobs: tokens });
  }
  if (refusal !== undefined) content.push({ type: "refusal", refusal });
  if (content.length > 0) {
    const status = answer.stop === "length" ? "incomplete" : "completed";
    items.push({ id: "msg_1", type: "message", role: "assistant", status, content });
  }
  for (const [index, { id, name, args }] of calls.entries()) {
    const call = { type: "function_call", call_id: id, name, arguments: JSON.stringify(args) };
    items.push({ id: `fc_${index}`, status: "completed", ...call });
  }
  return items;
}

const HEAD = {
  ...{ id: "resp_1", object: "response", created_at: 1_700_000_001, model: "gpt-5-2025-08-07" },
  ...{ error: null, instructions: null, metadata: {}, parallel_tool_calls: true, tools: [] },
  ...{ temperature: 1, top_p: 1, tool_choice: "auto" },
};
const INCOMPLETE: { readonly [S in Answer["stop"]]?: string } = {
  length: "max_output_tokens",
  blocked: "content_filter",
};

function answerOf(answer: Answer): object | undefined {
  if (answer.other !== undefined || answer.stop === "stop_sequence") return undefined;
  const { input, output } = COUNTS;
  const reason = INCOMPLETE[answer.stop];
  return {
    ...HEAD,
    status: reason === undefined ? "completed" : "incomplete",
    incomplete_details: reason === undefined ? null : { reason },
    output: itemsOfAnswer(answer),
    usage: {
      ...{ input_tokens: input, output_tokens: output, total_tokens: input + output },
      input_tokens_details: { cached_tokens: answer.cached ?? 0 },
      output_tokens_details: { reasoning_tokens: 0 },
    },
  };
}

function streamOf(answer: Answer): string | undefined {
  const whole = answerOf(answer);
  if (whole === undefined) return undefined;
  const frames: (readonly [string, object])[] = [];
  const put = (type: string, data: object) =>
    frames.push([type, { type, sequence_number: frames.length, ...data }]);
  const begun = { ...HEAD, status: "in_progress", incomplete_details: null, output: [] };
  put("response.created", { response: begun });
  put("response.in_progress", { response: begun });
  for (const [output_index, item] of list(whole, "output").entries()) {
    streamItem(item as object, { output_index, put });
  }
  put(`response.${text(whole, "status")}`, { response: whole });
  return lines(...frames);
}

interface Place {
  readonly output_index: number;
  readonly put: (type: string, data: object) => void;
}

function streamItem(item: object, { output_index, put }: Place): void {
  const place = { output_index, item_id: text(item, "id") };
  const empty = { content: [], summary: [], arguments: "" };
  const bare = Object.entries(item).map(([name, value]) => [name, at(empty, name) ?? value]);
  put("response.output_item.added", { output_index, item: Object.fromEntries(bare) });
  for (const [content_index, part] of list(item, "content").entries()) {
    streamPart(part as object, { place: { ...place, content_index }, put });
  }
  for (const [summary_index, part] of list(item, "summary").entries()) {
    const said = text(part, "text");
    const within = { ...place, summary_index };
    const begun = { type: "summary_text", text: "" };
    put("response.reasoning_summary_part.added", { ...within, part: begun });
    for (const delta of halves(said)) {
      put("response.reasoning_summary_text.delta", { ...within, delta });
    }
    put("response.reasoning_summary_text.done", { ...within, text: said });
    put("response.reasoning_summary_part.done", { ...within, part });
  }
  const args = text(item, "arguments");
  if (args !== "") {
    for (const delta of halves(args)) {
      put("response.function_call_arguments.delta", { ...place, delta });
    }
    put("response.function_call_arguments.done", { ...place, arguments: args });
  }
  put("response.output_item.done", { output_index, item });
}

function streamPart(
  part: object,
  { place, put }: { readonly place: object; readonly put: Place["put"] },
): void {
  const isRefusal = has(part, "refusal");
  const [name, member] = isRefusal ? ["refusal", "refusal"] : ["output_text", "text"];
  const said = text(part, member);
  const begun = isRefusal ? { refusal: "" } : { text: "", annotations: [], logprobs: [] };
  put("response.content_part.added", { ...place, part: { type: name, ...begun } });
  const [first, second] = halves(said);
  put(`response.${name}.delta`, { ...place, delta: first, logprobs: [] });
  const logprobs = list(part, "logprobs");
  put(`response.${name}.delta`, { ...place, delta: second, logprobs });
  for (const [annotation_index, annotation] of list(part, "annotations").entries()) {
    put("response.output_text.annotation.added", { ...place, annotation_index, annotation });
  }
  put(`response.${name}.done`, { ...place, [member]: said, logprobs });
  put("response.content_part.done", { ...place, part });
}
