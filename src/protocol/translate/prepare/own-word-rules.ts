import type { DialectId } from "../../../core/ids.ts";
import type { Json } from "../../ir/json.ts";
import type { LossCode, Severity } from "../../ir/loss.ts";

/** What a word belongs to that only one protocol knows. */
export type NodeKind =
  | "request"
  | "message"
  | "block"
  | "call"
  | "tool"
  | "choice"
  | "reasoning"
  | "output"
  | "mark"
  | "citation"
  | "document";

/**
 * What becomes of such a word: `quiet` carries nothing for another vendor, `inside` is an object
 * whose members have rules of their own, anything else is reported.
 */
export type Rule = "quiet" | "inside" | LossCode | RuleDetail;
export interface RuleDetail {
  readonly code: LossCode;
  readonly severity?: Severity | undefined;
  /** Values that ask for what every other vendor does anyway. */
  readonly quiet?: readonly Json[] | undefined;
}
type Rules = Readonly<Record<string, Rule>>;

/** A switch for what the vendor may keep or drop: no part of the prompt lies elsewhere. */
const KEEPING: RuleDetail = { code: "L-STATE", severity: "degraded", quiet: [false, "disabled"] };
const HELD: RuleDetail = { code: "L-STATE", quiet: [false] };

/** OpenAI's two wires share a vendor and most words. */
const OPENAI: Rules = {
  store: KEEPING,
  moderation: "L-SAFETY",
  prompt_cache_retention: "L-CACHEKEY",
  prompt_cache_options: "L-CACHEKEY",
  safety_identifier: "L-USER",
  user: "L-USER",
  metadata: "L-METADATA",
  top_logprobs: { code: "L-LOGPROBS", quiet: [0] },
  stream_options: "quiet",
};

/** Members of a body, by protocol, with a dot before what stands within one: protocols.md §3.1. */
const OF_REQUEST: Readonly<Record<DialectId, Rules>> = {
  openai: {
    ...OPENAI,
    audio: "L-MODALITY",
    web_search_options: "L-HOSTED",
    plugins: "L-HOSTED",
    safe_prompt: { code: "L-SAFETY", quiet: [false] },
    top_k: "L-TOPK",
    random_seed: "L-SEED",
    usage: "quiet",
    thinking: "inside",
    "thinking.type": { code: "L-REASONING-ASK", quiet: ["enabled"] },
    reasoning: "inside",
  },
  responses: {
    ...OPENAI,
    previous_response_id: HELD,
    conversation: HELD,
    prompt: HELD,
    background: HELD,
    truncation: KEEPING,
    context_management: KEEPING,
    comparison_response_id: "L-CACHEKEY",
    prewarm: "L-CACHEKEY",
    text: "inside",
    reasoning: "inside",
    stop: "L-UNKNOWN-FIELD",
  },
  anthropic: {
    container: HELD,
    thread: HELD,
    context_management: KEEPING,
    compaction: KEEPING,
    mcp_servers: "L-HOSTED",
    inference_geo: { code: "L-UNKNOWN-FIELD", severity: "semantic" },
    speed: { code: "L-TIER", quiet: ["standard"] },
    diagnostics: "L-CACHEKEY",
    metadata: "inside",
    output_config: "inside",
    tool_choice: "inside",
    thinking: "inside",
    anthropic_version: "quiet",
    anthropic_beta: "quiet",
    betas: "quiet",
  },
  gemini: {
    cachedContent: "L-CACHEREF",
    cached_content: "L-CACHEREF",
    safetySettings: "L-SAFETY",
    safety_settings: "L-SAFETY",
    modelArmorConfig: "L-SAFETY",
    continuationToken: HELD,
    store: KEEPING,
    labels: "L-METADATA",
    serviceTier: "L-TIER",
    toolConfig: "inside",
    "toolConfig.retrievalConfig": "L-HOSTED-OPTS",
    "toolConfig.includeServerSideToolInvocations": "L-HOSTED-OPTS",
    "toolConfig.functionCallingConfig": "inside",
    systemInstruction: "inside",
    "systemInstruction.role": "quiet",
    generationConfig: "inside",
    "generationConfig.thinkingConfig": "inside",
    "generationConfig.speechConfig": "L-MODALITY",
    "generationConfig.imageConfig": "L-MODALITY",
    "generationConfig.responseFormat": "L-MODALITY",
    "generationConfig.mediaResolution": "L-DETAIL",
    "generationConfig.logprobs": "L-LOGPROBS",
  },
  bedrock: {
    guardrailConfig: { code: "L-SAFETY", severity: "refuse" },
    promptVariables: HELD,
    performanceConfig: "inside",
    "performanceConfig.latency": { code: "L-TIER", quiet: ["standard"] },
    requestMetadata: "L-METADATA",
    serviceTier: "L-TIER",
    additionalModelResponseFieldPaths: { code: "L-UNKNOWN-FIELD", severity: "cosmetic" },
    additionalModelRequestFields: "inside",
    "additionalModelRequestFields.anthropic_beta": "quiet",
    "additionalModelRequestFields.thinking": "inside",
    "additionalModelRequestFields.reasoningConfig": "inside",
    "additionalModelRequestFields.reasoning_config": "inside",
    "additionalModelRequestFields.output_config": "inside",
    "additionalModelRequestFields.inferenceConfig": "inside",
    inferenceConfig: "inside",
    outputConfig: "inside",
    "outputConfig.textFormat": "L-JSONMODE",
    toolConfig: "inside",
  },
  cohere: {
    safety_mode: "L-SAFETY",
    citation_options: "L-CITE",
    priority: { code: "L-TIER", quiet: [0] },
    strict_tools: { code: "L-STRICT", quiet: [false] },
    thinking: "inside",
  },
};

/** The other nodes' words are told apart well enough by their names. */
const OF_NODE: Readonly<Record<Exclude<NodeKind, "request">, Rules>> = {
  message: {
    annotations: "L-CITE",
    citations: "L-CITE",
    audio: "L-ASSISTANT-MEDIA",
    prefix: { code: "L-PREFILL", quiet: [false] },
    function_call: "inside",
    status: "quiet",
    type: "quiet",
    id: "quiet",
  },
  block: {
    type: "quiet",
    id: "quiet",
    status: "quiet",
    annotations: "L-CITE",
    citations: "L-CITE",
    logprobs: "L-LOGPROBS",
    image_url: "inside",
    input_audio: "inside",
    file: "inside",
    source: "inside",
    inlineData: "inside",
    fileData: "inside",
    functionResponse: "inside",
    document: "inside",
    image: "inside",
    video: "inside",
    audio: "inside",
    toolResult: "inside",
    searchResult: "inside",
    videoMetadata: "L-DETAIL",
    mediaResolution: "L-DETAIL",
    thoughtSignature: "L-REASONING-FOREIGN",
    encrypted_content: "L-REASONING-FOREIGN",
  },
  call: {
    type: "quiet",
    id: "quiet",
    status: "quiet",
    index: "quiet",
    function: "inside",
    custom: "inside",
    functionCall: "inside",
    toolUse: "inside",
    "toolUse.type": "quiet",
    caller: "inside",
    "caller.type": { code: "L-TOOLOPTS", quiet: ["direct"] },
  },
  tool: { type: "quiet", function: "inside", custom: "inside", toolSpec: "inside" },
  choice: { type: "quiet" },
  reasoning: { type: "quiet" },
  output: {
    type: "quiet",
    json_schema: "inside",
    structure: "inside",
    "structure.jsonSchema": "inside",
    // Bedrock's is a text, and stays as it was spelled beside what it says.
    "structure.jsonSchema.schema": "quiet",
  },
  mark: { type: "quiet", mode: "quiet" },
  citation: { type: "quiet" },
  document: {},
};

/** What is not in the table above, where all of a node's words are of one sort. */
const DEFAULTS: Partial<Readonly<Record<NodeKind, Rule>>> = {
  tool: "L-TOOLOPTS",
  citation: "L-CITE",
};

/** A caller's word is no key of an object's prototype. */
export function ruleOf(
  kind: NodeKind,
  { origin, name }: { readonly origin: DialectId; readonly name: string },
): Rule {
  // How a body was spelled: read-request.ts of Gemini keeps it beside what the caller meant.
  if (kind === "request" && name.startsWith("$")) return "quiet";
  const rules = kind === "request" ? OF_REQUEST[origin] : OF_NODE[kind];
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
  return rule ?? DEFAULTS[kind] ?? "L-UNKNOWN-FIELD";
}
