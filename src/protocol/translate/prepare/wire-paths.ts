import type { DialectId } from "../../../core/ids.ts";
import { isObject } from "../../ir/fields.ts";
import type { IrRequest } from "../../ir/request.ts";

/** Where the caller's protocol has what the representation keeps in no node: protocols.md §3.1. */
export interface WirePaths {
  readonly temperature: string;
  readonly topP: string;
  readonly topK: string;
  readonly frequencyPenalty: string;
  readonly presencePenalty: string;
  readonly logitBias: string;
  readonly seed: string;
  readonly candidates: string;
  readonly stop: string;
  readonly logprobs: string;
  readonly topLogprobs: string;
  readonly maxOutputTokens: string;
  readonly modalities: string;
  readonly system: string;
  readonly messages: string;
  readonly tools: string;
  readonly toolChoice: string;
  readonly parallelToolCalls: string;
  readonly effort: string;
  readonly thinking: string;
  readonly budget: string;
  readonly show: string;
  readonly output: string;
  readonly cacheKey: string;
  readonly autoCache: string;
  readonly documents: string;
  readonly endUser: string;
  readonly metadata: string;
  readonly tier: string;
  readonly verbosity: string;
}

/** OpenAI's spelling; the others say where they differ. */
const CHAT: WirePaths = {
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  frequencyPenalty: "frequency_penalty",
  presencePenalty: "presence_penalty",
  logitBias: "logit_bias",
  seed: "seed",
  candidates: "n",
  stop: "stop",
  logprobs: "logprobs",
  topLogprobs: "top_logprobs",
  maxOutputTokens: "max_completion_tokens",
  modalities: "modalities",
  system: "messages",
  messages: "messages",
  tools: "tools",
  toolChoice: "tool_choice",
  parallelToolCalls: "parallel_tool_calls",
  effort: "reasoning_effort",
  thinking: "reasoning_effort",
  budget: "reasoning_effort",
  show: "reasoning_effort",
  output: "response_format",
  cacheKey: "prompt_cache_key",
  autoCache: "cache_control",
  documents: "documents",
  endUser: "user",
  metadata: "metadata",
  tier: "service_tier",
  verbosity: "verbosity",
};

export const WIRE_PATHS: Readonly<Record<DialectId, WirePaths>> = {
  openai: CHAT,
  responses: {
    ...CHAT,
    logprobs: "include",
    maxOutputTokens: "max_output_tokens",
    system: "instructions",
    messages: "input",
    effort: "reasoning.effort",
    thinking: "reasoning",
    budget: "reasoning",
    show: "reasoning.summary",
    output: "text.format",
    verbosity: "text.verbosity",
  },
  anthropic: {
    ...CHAT,
    stop: "stop_sequences",
    maxOutputTokens: "max_tokens",
    system: "system",
    parallelToolCalls: "tool_choice.disable_parallel_tool_use",
    effort: "output_config.effort",
    thinking: "thinking",
    budget: "thinking.budget_tokens",
    show: "thinking.display",
    output: "output_config.format",
    endUser: "metadata.user_id",
  },
  gemini: {
    ...CHAT,
    temperature: "generationConfig.temperature",
    topP: "generationConfig.topP",
    topK: "generationConfig.topK",
    frequencyPenalty: "generationConfig.frequencyPenalty",
    presencePenalty: "generationConfig.presencePenalty",
    seed: "generationConfig.seed",
    candidates: "generationConfig.candidateCount",
    stop: "generationConfig.stopSequences",
    logprobs: "generationConfig.responseLogprobs",
    topLogprobs: "generationConfig.logprobs",
    maxOutputTokens: "generationConfig.maxOutputTokens",
    modalities: "generationConfig.responseModalities",
    system: "systemInstruction",
    messages: "contents",
    toolChoice: "toolConfig.functionCallingConfig",
    effort: "generationConfig.thinkingConfig.thinkingLevel",
    thinking: "generationConfig.thinkingConfig",
    budget: "generationConfig.thinkingConfig.thinkingBudget",
    show: "generationConfig.thinkingConfig.includeThoughts",
    output: "generationConfig.responseMimeType",
    metadata: "labels",
    tier: "serviceTier",
  },
  bedrock: {
    ...CHAT,
    temperature: "inferenceConfig.temperature",
    topP: "inferenceConfig.topP",
    topK: "additionalModelRequestFields.top_k",
    stop: "inferenceConfig.stopSequences",
    maxOutputTokens: "inferenceConfig.maxTokens",
    system: "system",
    tools: "toolConfig.tools",
    toolChoice: "toolConfig.toolChoice",
    effort: "outputConfig.effort",
    thinking: "additionalModelRequestFields.thinking",
    budget: "additionalModelRequestFields.thinking.budget_tokens",
    show: "additionalModelRequestFields.thinking.display",
    output: "outputConfig.textFormat",
    metadata: "requestMetadata",
    tier: "serviceTier.type",
  },
  cohere: {
    ...CHAT,
    topP: "p",
    topK: "k",
    stop: "stop_sequences",
    maxOutputTokens: "max_tokens",
    effort: "thinking",
    thinking: "thinking",
    budget: "thinking.token_budget",
    show: "thinking",
    tier: "priority",
  },
};

/** The same for one request: Nova's top-k stands in another place than Claude's. */
export function pathsOf({ origin, ext }: IrRequest): WirePaths {
  const paths = WIRE_PATHS[origin];
  const fields = ext?.bedrock?.["additionalModelRequestFields"];
  if (!isObject(fields) || !isObject(fields["inferenceConfig"])) return paths;
  return { ...paths, topK: "additionalModelRequestFields.inferenceConfig.topK" };
}
