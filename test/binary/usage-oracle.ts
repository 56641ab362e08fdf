import type { Exchange, Surface } from "./exchanges.ts";
import { dataOf, framesOf, messageOf } from "./frames.ts";

/** Every input token once, and every output token once: protocols.md 4.3. */
export interface Counted {
  readonly input: number;
  readonly output: number;
}

/** Anything parsed; a path through it that does not exist is undefined. */
type Parsed = { readonly [name: string]: Parsed | undefined } & { readonly length?: number };

/** What a recorded answer says was used, read as the vendor documents it; undefined where it is silent. */
export function usageOf(exchange: Exchange): Counted | undefined {
  const { surface, streamed, response, responseHeaders } = exchange;
  const events = streamed
    ? framesOf(surface, response).map((frame) => eventOf(surface, frame))
    : [JSON.parse(Buffer.from(response).toString())];
  const said = READERS[surface](events.filter((event): event is Parsed => isObject(event)));
  return said ?? (surface === "invoke" ? counted(headerCounts(responseHeaders)) : undefined);
}

function eventOf(surface: Surface, frame: Uint8Array): unknown {
  if (surface === "bedrock") return messageOf(frame).payload;
  if (surface !== "invoke") return dataOf(frame);
  const payload = messageOf(frame).payload as { readonly bytes?: string } | undefined;
  return JSON.parse(Buffer.from(payload?.bytes ?? "", "base64").toString() || "null");
}

type Reader = (events: readonly Parsed[]) => Counted | undefined;
const READERS: Readonly<Record<Surface, Reader>> = {
  openai(events) {
    const usage = last(events, (event) => objectOf(event["usage"]) ?? event["x_groq"]?.["usage"]);
    const [prompt, completion] = [
      numberOf(usage?.["prompt_tokens"]),
      numberOf(usage?.["completion_tokens"]),
    ];
    const total = numberOf(usage?.["total_tokens"]);
    const cached = numberOf(usage?.["prompt_tokens_details"]?.["cached_tokens"]);
    const reasoning = numberOf(usage?.["completion_tokens_details"]?.["reasoning_tokens"]);
    if (usage === undefined) return undefined;
    // xAI; Vercel's Gemini leaves it out of the total as well.
    const isBeside =
      reasoning > completion || (reasoning > 0 && total === prompt + completion + reasoning);
    const isOutside = cached > prompt; // Grok at Azure.
    return {
      input: prompt + (isOutside ? cached : 0),
      output: completion + (isBeside ? reasoning : 0),
    };
  },
  responses(events) {
    const usage = last(events, (event) => event["usage"] ?? event["response"]?.["usage"]);
    return counted([usage?.["input_tokens"], usage?.["output_tokens"]]);
  },
  anthropic(events) {
    const usages = events.flatMap((event) => [event["message"]?.["usage"], event["usage"]]);
    return anthropicUsage(usages);
  },
  gemini(events) {
    const usage = last(events, (event) => event["usageMetadata"]);
    if (usage === undefined) return undefined;
    const of = (name: string) => numberOf(usage[name]);
    return {
      input: of("promptTokenCount") + of("toolUsePromptTokenCount"),
      output: of("candidatesTokenCount") + of("thoughtsTokenCount"),
    };
  },
  bedrock: (events) => converseUsage(last(events, (event) => event["usage"])),
  invoke(events) {
    const metrics = last(events, (event) => event["amazon-bedrock-invocationMetrics"]);
    if (metrics !== undefined) {
      const of = (name: string) => numberOf(metrics[name]);
      const cache = of("cacheReadInputTokenCount") + of("cacheWriteInputTokenCount");
      return { input: of("inputTokenCount") + cache, output: of("outputTokenCount") };
    }
    const usage = last(events, (event) => event["usage"]);
    return usage?.["inputTokens"] === undefined ? anthropicUsage([usage]) : converseUsage(usage);
  },
  cohere(events) {
    const usage = last(events, (event) => event["usage"] ?? event["delta"]?.["usage"]);
    const tokens = usage?.["tokens"];
    if (tokens === undefined) return undefined;
    const input = numberOf(tokens["input_tokens"]) + numberOf(tokens["image_tokens"]);
    return { input, output: numberOf(tokens["output_tokens"]) };
  },
};

/** Cumulative: the last number said of each counts. */
function anthropicUsage(usages: readonly (Parsed | undefined)[]): Counted | undefined {
  const of = (name: string) => usages.findLast((usage) => isNumber(usage?.[name]))?.[name];
  if (of("input_tokens") === undefined) return undefined;
  const cache =
    numberOf(of("cache_read_input_tokens")) + numberOf(of("cache_creation_input_tokens"));
  return { input: numberOf(of("input_tokens")) + cache, output: numberOf(of("output_tokens")) };
}

function converseUsage(usage: Parsed | undefined): Counted | undefined {
  if (usage === undefined) return undefined;
  const of = (name: string) => numberOf(usage[name]);
  const cache = of("cacheReadInputTokens") + of("cacheWriteInputTokens");
  return { input: of("inputTokens") + cache, output: of("outputTokens") };
}

function headerCounts(headers: Exchange["responseHeaders"]): readonly unknown[] {
  const of = (what: string) =>
    headers.find(([name]) => name === `x-amzn-bedrock-${what}-token-count`);
  const number = (what: string) => (of(what) === undefined ? undefined : Number(of(what)?.[1]));
  const [input, output] = [number("input"), number("output")];
  const cache = (number("cache-read-input") ?? 0) + (number("cache-write-input") ?? 0);
  return [input === undefined ? undefined : input + cache, output];
}

function counted([input, output]: readonly unknown[]): Counted | undefined {
  return isNumber(input) && isNumber(output) ? { input, output } : undefined;
}

function last(
  events: readonly Parsed[],
  pick: (event: Parsed) => Parsed | undefined,
): Parsed | undefined {
  return objectOf(events.map(pick).findLast(isObject));
}

function objectOf(value: unknown): Parsed | undefined {
  return isObject(value) ? (value as Parsed) : undefined;
}
function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
function isNumber(value: unknown): value is number {
  return typeof value === "number";
}
function numberOf(value: unknown): number {
  return isNumber(value) ? value : 0;
}
