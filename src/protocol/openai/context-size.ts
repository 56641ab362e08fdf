import type { Foreign } from "../../wire/foreign.ts";
import type { TokenLimits } from "../wire-error.ts";

interface Sentence {
  readonly pattern: RegExp;
  /** Which of the two numbers comes first. */
  readonly first: "max" | "requested";
}

/** How hosts say that a prompt is too long, with its numbers: protocols.md 6.3. */
const SENTENCES: readonly Sentence[] = [
  // OpenAI, DeepSeek, OpenRouter, vLLM, Mistral; xAI; LM Studio.
  { pattern: /maximum context length (?:is|of) (\d+)[^\d]{1,80}(\d+)?/, first: "max" },
  { pattern: /maximum prompt length is (\d+)[^\d]{1,80}(\d+)/, first: "max" },
  { pattern: /context length of only (\d+)/, first: "max" },
  // llama.cpp; SGLang; Cerebras; Anthropic and Gemini behind relays.
  { pattern: /\((\d+) tokens\)[^(]{1,80}\((\d+) tokens\)/, first: "requested" },
  { pattern: /current length is (\d+) while limit is (\d+)/, first: "requested" },
  { pattern: /prompt is too long: (\d+) tokens > (\d+)/, first: "requested" },
  { pattern: /input token count \((\d+)\)[^(]{1,80}\((\d+)\)/, first: "requested" },
  // Moonshot.
  { pattern: /exceeded model token limit: (\d+)(?: \(requested: (\d+)\))?/, first: "max" },
];
/** No message of a host is longer that is not an echo of the prompt. */
const MESSAGE_LENGTH_MAX = 2000;

/** The numbers of a prompt that is too long; undefined where none are told. */
export function contextSize(error: Foreign, message: string): TokenLimits | undefined {
  const told = { requested: countOf(error["n_prompt_tokens"]), max: countOf(error["n_ctx"]) };
  if (told.max !== undefined) return told;
  const text = message.slice(0, MESSAGE_LENGTH_MAX).toLowerCase();
  for (const { pattern, first } of SENTENCES) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const [one, two] = [countOf(Number(found[1])), countOf(Number(found[2] ?? Number.NaN))];
    return first === "max" ? { max: one, requested: two } : { requested: one, max: two };
  }
  return undefined;
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
