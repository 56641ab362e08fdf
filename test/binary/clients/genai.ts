import {
  type FunctionCall,
  type GenerateContentParameters,
  type GenerateContentResponse,
  GoogleGenAI,
  type Part,
} from "@google/genai";
import {
  type Ask,
  type Client,
  KEY,
  MAX_TOKENS,
  type Seen,
  type SeenCall,
  type Send,
  stopWord,
  WEATHER,
} from "./client.ts";

/** `@google/genai`. */
export const genai: Client = {
  name: "google genai",
  dialect: "gemini",
  ask: (request) => send(asked(request)),
  send,
};

function asked({ origin, model, stream, system, user = "hi", tool }: Ask): Send {
  const { name, description, schema } = WEATHER;
  const body = {
    model,
    contents: user,
    config: {
      maxOutputTokens: MAX_TOKENS,
      thinkingConfig: { includeThoughts: true },
      ...(system !== undefined && { systemInstruction: system }),
      ...(tool === true && {
        tools: [{ functionDeclarations: [{ name, description, parametersJsonSchema: schema }] }],
      }),
    },
  };
  return { origin, stream, body };
}

async function send({ origin, stream, body }: Send): Promise<Seen> {
  const client = new GoogleGenAI({
    apiKey: KEY,
    httpOptions: { baseUrl: origin, retryOptions: { attempts: 1 } },
  });
  const request = body as GenerateContentParameters;
  if (!stream) return seenOf([await client.models.generateContent(request)]);
  const chunks: GenerateContentResponse[] = [];
  for await (const chunk of await client.models.generateContentStream(request)) chunks.push(chunk);
  return seenOf(chunks);
}

function seenOf(chunks: readonly GenerateContentResponse[]): Seen {
  const candidates = chunks.flatMap((chunk) =>
    (chunk.candidates ?? []).filter(({ index = 0 }) => index === 0),
  );
  const parts = candidates.flatMap(({ content }) => content?.parts ?? []);
  const calls = callsOf(parts.flatMap(({ functionCall }) => functionCall ?? []));
  const usage = chunks.findLast(({ usageMetadata }) => usageMetadata !== undefined)?.usageMetadata;
  const last = candidates.findLast(({ finishReason }) => finishReason !== undefined);
  const blocked = chunks.find(({ promptFeedback }) => promptFeedback?.blockReason !== undefined);
  const stop = stopWord(last?.finishReason ?? (blocked && "SAFETY"), { calls });
  return {
    text: textOf(parts, false),
    refusal: stop === "filtered" ? (last?.finishMessage ?? "") : "",
    reasoning: textOf(parts, true),
    calls,
    stop,
    input: sum(usage?.promptTokenCount, usage?.toolUsePromptTokenCount),
    output: sum(usage?.candidatesTokenCount, usage?.thoughtsTokenCount),
    cached: usage?.cachedContentTokenCount,
  };
}

function sum(one: number | undefined, more: number | undefined): number | undefined {
  return one === undefined && more === undefined ? undefined : (one ?? 0) + (more ?? 0);
}

function textOf(parts: readonly Part[], thought: boolean): string {
  return parts
    .filter((part) => (part.thought === true) === thought)
    .map(({ text }) => text ?? "")
    .join("");
}

/** Vertex may send a call in pieces, each a value at a JSON path; the name is in the first. */
function callsOf(pieces: readonly FunctionCall[]): SeenCall[] {
  const calls: { readonly name: string; readonly args: Record<string, unknown> }[] = [];
  for (const { name, args = {}, partialArgs = [] } of pieces) {
    if (name !== undefined) calls.push({ name, args: { ...args } });
    const last = calls.at(-1);
    for (const { jsonPath = "", stringValue, numberValue, boolValue } of partialArgs) {
      const member = jsonPath.replace(/^\$\./, "");
      const known = last?.args[member];
      if (last === undefined) continue;
      const piece = stringValue ?? numberValue ?? boolValue;
      last.args[member] = typeof known === "string" ? known + String(piece) : piece;
    }
  }
  return calls;
}
