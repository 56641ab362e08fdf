import type { Capabilities } from "../core/capabilities.ts";

/** What a family of models takes and refuses, whoever hosts it. */
export interface ModelFamily {
  /** Matches anywhere in a model's name: hosts put their own words around it. */
  readonly name: RegExp;
  readonly capabilities: Partial<Capabilities>;
}

const NO_SAMPLING = { temperatureMax: 0, topP: false, topK: false } as const;

/**
 * Sampling and thinking differ by model, not by protocol (protocols.md finding 25). The first match
 * counts; a name that none matches has its protocol's and its host's record alone.
 */
const FAMILIES: readonly ModelFamily[] = [
  // Anthropic: 4.7 and later refuse sampling and want adaptive thinking with an effort.
  family(/claude-(?:[a-z]+-)?(?:[5-9]|4-[7-9])\b/, {
    ...NO_SAMPLING,
    ...{ reasoning: "adaptive", prefill: false, family: "anthropic" },
  }),
  family(/claude-(?:[a-z]+-)?4-6\b/, {
    reasoning: "adaptive",
    ...{ prefill: false, family: "anthropic" },
  }),
  // Structured outputs begin with 4.1: Anthropic's documentation, "Structured outputs".
  family(/claude-(?:[a-z]+-)?4-[15]\b/, { reasoning: "budget", family: "anthropic" }),
  family(/claude-(?:(?:opus|sonnet|haiku)-4|3-7)/, {
    ...{ reasoning: "budget", schemaTool: true, family: "anthropic" },
  }),
  family(/claude-3/, {
    ...{ reasoning: "none", schemaTool: true, outputCapDefault: 4096, family: "anthropic" },
  }),
  family(/claude-(?:2|instant)/, {
    ...{ reasoning: "none", jsonSchema: false, outputCapDefault: 4096, family: "anthropic" },
  }),
  // OpenAI: models that reason refuse sampling, penalties and logprobs.
  family(/\bgpt-[\w.]+-search\b/, { reasoning: "none", webSearch: ["openai"] }),
  family(/\bgpt-5[\w.]*-chat|chatgpt-/, { reasoning: "none" }),
  family(/\b(?:gpt-[5-9]|o[1-9](?:-|\b))/, {
    ...NO_SAMPLING,
    ...{ penalties: false, logitBias: false, logprobs: false, reasoning: "effort" },
  }),
  family(/\bgpt-(?:4|3\.5)/, { reasoning: "none" }),
  family(/\bgpt-oss/, { reasoning: "effort" }),
  // Google: words from 3 on, a budget in 2.5, nothing before.
  family(/\bgemini-(?:[3-9])/, { reasoning: "effort", family: "google" }),
  family(/\bgemini-2\.5/, { reasoning: "budget", family: "google", resultMedia: [] }),
  family(/\b(?:gemini-[12]|gemma-)/, {
    ...{ reasoning: "none", schemas: "openapi", resultMedia: [] },
  }),
  family(/\bcommand-a-reasoning/, { reasoning: "budget" }),
  family(/\bcommand-/, { reasoning: "none" }),
  // Others on Bedrock: no thinking, no cache marks but Nova's, and nothing of Claude's.
  // Amazon Nova user guide, "Web grounding".
  family(/\bnova-(?:premier|2-)/, {
    ...{ reasoning: "none", family: "other", topK: false, prefill: false },
    webSearch: ["bedrock"],
  }),
  family(/\bnova-/, { reasoning: "none", family: "other", topK: false, prefill: false }),
  family(/^(?:[a-z]{2,6}\.)?(?:meta|mistral|ai21|deepseek|qwen|openai|cohere)\./, {
    ...{ reasoning: "none", family: "other", topK: false, prefill: false, cacheMarks: "none" },
    cacheMarksOnTools: false,
  }),
];

function family(name: RegExp, capabilities: Partial<Capabilities>): ModelFamily {
  return { name, capabilities };
}

/** The family a model's name tells of; undefined when it tells none. */
export function familyOf(model: string): ModelFamily | undefined {
  return FAMILIES.find(({ name }) => name.test(model));
}
