import type { Clock, Random } from "../runtime/runtime.ts";
import { answerJson, type DemoBody, isRecord, positive, refuse } from "./demo-body.ts";
import { eventStream } from "./demo-stream.ts";
import { countWords, DEMO_MODEL, DEMO_WORDS } from "./demo-text.ts";

/** What one answer draws on. */
export interface DemoContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
}

interface Spoken {
  readonly words: readonly string[];
  readonly finishReason: "stop" | "length";
}

/** `POST /chat/completions`. Tools and formats asked for get the same words: there is no model. */
export function answerChat(body: DemoBody, context: DemoContext): Response {
  const { messages } = body;
  if (!Array.isArray(messages) || messages.length === 0) {
    return refuse(400, "messages must be a list with at least one message.", "messages");
  }
  if (wantsSeveral(body)) return refuseSeveral();
  const spoken = speak(positive(body, "max_completion_tokens") ?? positive(body, "max_tokens"));
  const usage = usageOf(countWordsIn(messages), spoken);
  const stamp = stampOf(context, "chatcmpl");
  if (body["stream"] === true) {
    const chunk = { ...stamp, object: "chat.completion.chunk", model: DEMO_MODEL };
    const deltas = spoken.words.map((content) => choice({ delta: { content } }, null));
    const first = choice({ delta: { role: "assistant", content: "" } }, null);
    const last = choice({ delta: {} }, spoken.finishReason);
    return stream(body, { chunk, choices: [first, ...deltas, last], usage }, context);
  }
  const message = { role: "assistant", content: spoken.words.join(""), refusal: null };
  return answerJson({
    ...stamp,
    object: "chat.completion",
    model: DEMO_MODEL,
    choices: [choice({ message }, spoken.finishReason)],
    usage,
  });
}

/** `POST /completions`, OpenAI's older form. */
export function answerCompletion(body: DemoBody, context: DemoContext): Response {
  if (body["prompt"] === undefined) return refuse(400, "prompt is missing.", "prompt");
  if (wantsSeveral(body)) return refuseSeveral();
  const spoken = speak(positive(body, "max_tokens"));
  const usage = usageOf(countWordsIn(body["prompt"]), spoken);
  const stamp = stampOf(context, "cmpl");
  const whole = { ...stamp, object: "text_completion", model: DEMO_MODEL };
  if (body["stream"] === true) {
    const texts = spoken.words.map((text) => choice({ text }, null));
    const last = choice({ text: "" }, spoken.finishReason);
    return stream(body, { chunk: whole, choices: [...texts, last], usage }, context);
  }
  const text = spoken.words.join("");
  return answerJson({ ...whole, choices: [choice({ text }, spoken.finishReason)], usage });
}

interface StreamParts {
  readonly chunk: object;
  readonly choices: readonly object[];
  readonly usage: object;
}

/** With `include_usage` every chunk has a `usage`, null but for one more at the end. */
function stream(body: DemoBody, parts: StreamParts, context: DemoContext): Response {
  const { chunk, choices, usage } = parts;
  const options = body["stream_options"];
  const counted = isRecord(options) && options["include_usage"] === true;
  const events = choices.map((one) => ({
    ...chunk,
    choices: [one],
    ...(counted && { usage: null }),
  }));
  return eventStream(counted ? [...events, { ...chunk, choices: [], usage }] : events, context);
}

function choice(said: object, finishReason: string | null): object {
  return { index: 0, ...said, logprobs: null, finish_reason: finishReason };
}

function stampOf({ clock, random }: DemoContext, prefix: string): object {
  return { id: `${prefix}-demo-${random.hex(12)}`, created: Math.floor(clock.wall() / 1000) };
}

function speak(wordsMax: number | undefined): Spoken {
  if (wordsMax === undefined || wordsMax >= DEMO_WORDS.length) {
    return { words: DEMO_WORDS, finishReason: "stop" };
  }
  return { words: DEMO_WORDS.slice(0, wordsMax), finishReason: "length" };
}

function usageOf(promptTokens: number, { words }: Spoken): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: words.length,
    total_tokens: promptTokens + words.length,
  };
}

/** Words in the texts of messages, content parts or prompts, wherever they nest. */
function countWordsIn(value: unknown): number {
  if (typeof value === "string") return countWords(value);
  if (Array.isArray(value)) {
    // Each level of nesting was a level of a body whose depth ingress has bounded.
    return value.reduce((sum: number, one: unknown) => sum + countWordsIn(one), 0);
  }
  if (typeof value === "number") return 1; // A prompt may be given as token numbers.
  return isRecord(value) ? countWordsIn(value["content"] ?? value["text"]) : 0;
}

function wantsSeveral(body: DemoBody): boolean {
  return (positive(body, "n") ?? 1) > 1;
}

function refuseSeveral(): Response {
  return refuse(400, "The demo backend gives one choice only.", "n");
}
