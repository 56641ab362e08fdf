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

/** Google's generateContent. */
export const gemini: Speech = { bodyOf, viewOf, answerOf, streamOf };

function bodyOf(ask: Ask, model: string): object | undefined {
  const { system, tools, choice, max, stop, thinks, schema, n, logprobs } = ask;
  if (ask.turns.some(isMarked)) return undefined; // This wire has no marks.
  return {
    model,
    contents: ask.turns.map(contentOf),
    config: {
      ...(system && { systemInstruction: system }),
      ...(tools && {
        tools: [
          {
            functionDeclarations: tools.map((name) => ({
              ...{ name, description: DESCRIPTION, parametersJsonSchema: WEATHER_SCHEMA },
            })),
          },
        ],
      }),
      ...(choice && { toolConfig: { functionCallingConfig: { mode: "ANY" } } }),
      ...(max && { maxOutputTokens: max }),
      ...(stop && { stopSequences: stop }),
      ...(thinks && { thinkingConfig: { thinkingBudget: 2048, includeThoughts: true } }),
      ...(schema && { responseMimeType: "application/json", responseJsonSchema: schema }),
      ...(n && { candidateCount: n }),
      ...(logprobs && { responseLogprobs: true, logprobs: 1 }),
    },
  };
}

function isMarked(said: Turn): boolean {
  return said.role === "user" && said.parts.some((part) => "isCached" in part);
}

function contentOf(said: Turn): object {
  switch (said.role) {
    case "user":
      return { role: "user", parts: said.parts.map(partOf) };
    case "assistant":
      return {
        role: "model",
        parts: [
          ...(said.text === undefined ? [] : [{ text: said.text }]),
          ...(said.calls ?? []).map(({ id, name, args }) => ({ functionCall: { id, name, args } })),
        ],
      };
    case "results":
      return { role: "user", parts: said.results.map(resultOf) };
  }
}

function resultOf({ id, name, image, isError, ...result }: ToolResult): object {
  const response = isError ? { error: result.text } : { output: result.text };
  const parts = image === undefined ? undefined : [partOf({ image })];
  return { functionResponse: { id, name, response, ...(parts && { parts }) } };
}

function partOf(part: Part): object {
  if ("image" in part) return { inlineData: { mimeType: "image/png", data: part.image } };
  if ("pdf" in part) return { inlineData: { mimeType: "application/pdf", data: part.pdf } };
  return { text: part.text };
}

function viewOf(body: unknown): View {
  const config = at(body, "generationConfig");
  const thinking = at(config, "thinkingConfig");
  const mode = text(body, "toolConfig", "functionCallingConfig", "mode");
  const declared = list(body, "tools").flatMap((tool) => list(tool, "functionDeclarations"));
  return {
    system: textOf(list(body, "systemInstruction", "parts")),
    turns: joined(list(body, "contents").map(turnOf)),
    tools: declared.map((tool) => text(tool, "name")),
    choice: mode === "ANY" ? "required" : mode.toLowerCase(),
    max: number(config, "maxOutputTokens"),
    stop: list(config, "stopSequences").map((each) => text(each)),
    thinks: has(thinking, "thinkingLevel") || (number(thinking, "thinkingBudget") ?? 0) !== 0,
    schema: at(config, "responseJsonSchema") ?? at(config, "responseSchema"),
    n: number(config, "candidateCount") ?? 1,
    logprobs: at(config, "responseLogprobs") === true,
  };
}

function turnOf(content: unknown): ViewTurn {
  const parts = list(content, "parts");
  const inline = dataOf(parts);
  return turn(text(content, "role") === "model" ? "assistant" : "user", {
    text: textOf(parts),
    images: inline.flatMap(([mime, data]) => (mime.startsWith("image/") ? [data] : [])),
    pdfs: inline.flatMap(([mime, data]) => (mime.startsWith("image/") ? [] : [data])),
    calls: parts.flatMap((part) => {
      const call = at(part, "functionCall");
      return call === undefined ? [] : [callText(text(call, "name"), at(call, "args"))];
    }),
    results: parts.flatMap((part) => viewOfResult(at(part, "functionResponse"))),
  });
}

function viewOfResult(said: unknown): ViewResult[] {
  if (said === undefined) return [];
  const images = dataOf(list(said, "parts")).map(([, data]) => data);
  const isError = has(said, "response", "error");
  return [{ text: text(said, "response", isError ? "error" : "output"), images, isError }];
}

function dataOf(parts: readonly unknown[]): (readonly [mime: string, data: string])[] {
  return parts.flatMap((part) => {
    const data = at(part, "inlineData");
    return data === undefined ? [] : [[text(data, "mimeType"), text(data, "data")] as const];
  });
}

function textOf(parts: readonly unknown[]): string {
  return parts.map((part) => text(part, "text")).join("");
}

const FINISH: Readonly<Record<Answer["stop"], string>> = {
  ...{ end: "STOP", stop_sequence: "STOP", tool_call: "STOP", length: "MAX_TOKENS" },
  ...{ refusal: "SAFETY", blocked: "SAFETY" },
};

function partsOf({ thought, text: words, calls = [] }: Answer): object[] {
  const said: object[] = thought === undefined ? [] : [{ text: thought.text, thought: true }];
  const signed = thought && { thoughtSignature: thought.signature };
  if (words !== undefined) said.push({ text: words, ...(calls.length === 0 && signed) });
  for (const [index, { id, name, args }] of calls.entries()) {
    said.push({ functionCall: { id, name, args }, ...(index === 0 && signed) });
  }
  return said;
}

function usageOf({ cached }: Answer): object {
  const { input, output } = COUNTS;
  return {
    ...{ promptTokenCount: input, candidatesTokenCount: output, totalTokenCount: input + output },
    ...(cached !== undefined && { cachedContentTokenCount: cached }),
  };
}

function besideParts({ source, text: said = "", logprobs }: Answer): object {
  const endIndex = Buffer.byteLength(said);
  return {
    ...(source && {
      groundingMetadata: {
        groundingChunks: [{ web: { uri: source.url, title: source.title } }],
        groundingSupports: [
          { segment: { startIndex: 0, endIndex, text: said }, groundingChunkIndices: [0] },
        ],
      },
    }),
    ...(logprobs && {
      logprobsResult: {
        chosenCandidates: logprobs.map(([token, logProbability]) => ({ token, logProbability })),
        topCandidates: logprobs.map(([token, logProbability]) => ({
          candidates: [{ token, logProbability }],
        })),
      },
    }),
  };
}

const HEAD = { modelVersion: "gemini-3-pro", responseId: "r-1" };

function answerOf(answer: Answer): object | undefined {
  const { stop, refusal, other } = answer;
  if (refusal !== undefined) return undefined;
  const usageMetadata = usageOf(answer);
  if (stop === "blocked") {
    return { ...HEAD, promptFeedback: { blockReason: "SAFETY" }, usageMetadata };
  }
  const texts = other === undefined ? [answer.text] : [answer.text, other];
  const candidates = texts.map((said, index) => {
    const parts = partsOf(said === undefined ? answer : { ...answer, text: said });
    const content = { role: "model", parts };
    return { content, finishReason: FINISH[stop], index, ...besideParts(answer) };
  });
  return { ...HEAD, candidates, usageMetadata };
}

function streamOf(answer: Answer): string | undefined {
  const whole = answerOf(answer);
  if (whole === undefined) return undefined;
  const chunks: object[] = [];
  for (const candidate of list(whole, "candidates")) {
    const index = number(candidate, "index");
    for (const part of list(candidate, "content", "parts").flatMap(piecesOf)) {
      chunks.push({ candidates: [{ content: { role: "model", parts: [part] }, index }] });
    }
    const { content: _, ...end } = candidate as { content: unknown };
    chunks.push({ candidates: [end] });
  }
  const { promptFeedback } = whole as { promptFeedback?: object };
  if (promptFeedback !== undefined) chunks.push({ promptFeedback });
  chunks[chunks.length - 1] = { ...chunks.at(-1), usageMetadata: at(whole, "usageMetadata") };
  return chunks.map((chunk) => `data: ${JSON.stringify({ ...HEAD, ...chunk })}\r\n\r\n`).join("");
}

/** A text in two parts, of which the last one is signed. */
function piecesOf(part: unknown): object[] {
  if (!has(part, "text")) return [part as object];
  const { thoughtSignature, ...rest } = part as { readonly thoughtSignature?: string };
  const [first, last] = halves(text(part, "text"));
  return [
    { ...rest, text: first },
    { ...rest, text: last, ...(thoughtSignature && { thoughtSignature }) },
  ];
}
