import type { DialectId } from "../../../src/core/ids.ts";
import type { LossCode } from "../../../src/protocol/ir/loss.ts";
import type { Leaf } from "./leaves.ts";

/** Leaves of an answer that may go: with nothing said, or with one of these losses reported. */
export interface AnswerRule {
  readonly of?: readonly DialectId[];
  readonly shape: RegExp;
  readonly value?: RegExp;
  /** Says nothing across protocols where there is none. */
  readonly codes?: readonly LossCode[];
  readonly why: string;
}

/** Protocols.md §8, "unavoidable in every cross-protocol hop", and what stands in each wire for it. */
export const ANSWER_RULES: readonly AnswerRule[] = [
  // Names of things, and when and where they were made.
  {
    shape: /(?:.*\.)?(?:id|object|type|role|index|status|namespace|phase|call_id)/,
    why: "ids are minted; kinds, roles and places are the wire's own grammar",
  },
  {
    shape: /(?:created|created_at|createTime|completed_at|responseId|request_id|generationId)/,
    why: "ids are minted, times are the gateway's",
  },
  {
    shape: /model|modelVersion|provider|system_fingerprint|service_tier|(?:choices\[\]\.)?seed/,
    why: "who answered, for wires that do not say so",
  },
  {
    shape: /x_groq\..*|time_info\..*|metrics\..*|metadata\..*|.*provider_metadata\..*/,
    why: "times",
  },
  { of: ["openai"], shape: /choices\[\]\.(?:native_finish_reason|stop_reason)/, why: "said twice" },
  {
    of: ["responses"],
    shape:
      /(?:background|billing|frequency_penalty|instructions|max_output_tokens|parallel_tool_calls|presence_penalty|previous_response_id|prompt|prompt_cache_\w+|reasoning|store|temperature|text|tool_choice|tools|tool_usage|top_logprobs|top_p|truncation)(?:\b.*)?/,
    why: "an echo of the request",
  },
  // Why a vendor filters, or does not: the stop says what came of it.
  {
    shape: /.*(?:content_filter\w*|safetyRatings\[\]|trace)\..*|content_filters\[\]\..*/,
    why: "safety settings do not translate, nor what they measured",
  },
  { of: ["anthropic"], shape: /stop_details\..*/, why: "a refusal explained, for whom it may be" },
  { of: ["gemini"], shape: /candidates\[\]\.finishMessage/, why: "the stop's word explained" },
  {
    shape: /stop_reason|stopReason|.*finish_?[rR]eason/,
    value: /end_turn|stop|STOP|COMPLETE|tool_calls/,
    why: "the end of an answer that says nothing else is that",
  },
  // Counts: protocols.md 4.3 has those that every wire has.
  {
    shape:
      /usage(?:Metadata)?\.(?:.*cost.*|.*_time|total_?[tT]okens|totalTokenCount|is_byok|num_\w+|search_context_size|service_tier|inference_geo|trafficType|serviceTier|context_details\..*|iterations\[\]\..*|server_tool_use\..*|serverToolUsage\..*|pydantic_ai_gateway\..*|prompt_cache_miss_tokens)/,
    why: "prices, times and sums, and parts of counts that one vendor makes",
  },
  {
    shape:
      /usage(?:Metadata)?\.(?:.*(?:text|image|audio|video|thinking|reasoning)_tokens|.*TokensDetails\[\]\..*|cache_creation\..*|cacheDetails\[\]\..*)/,
    why: "by kind and by lifetime: the counts themselves are carried",
  },
  {
    shape:
      /usage\.(?:cache_creation_input_tokens|prompt_tokens_details\.cache_write_tokens|input_tokens_details\.cache_write_tokens|cacheWriteInput\w+)/,
    why: "what was written to a cache is a part of the input for wires without the word",
  },
  { of: ["bedrock"], shape: /usage\.cache(?:Read|Write)InputToken(?:s|Count)/, why: "said twice" },
  {
    of: ["cohere"],
    shape: /usage\.billed_units\..*/,
    why: "the counts are carried, the bill is Cohere's",
  },
  // Said in another way.
  { shape: /.*\.arguments/, value: /\{\}/, why: "§3.7: no arguments are `{}`" },
  {
    of: ["openai"],
    shape:
      /choices\[\]\.message\.(?:reasoning|reasoning_content|reasoning_details\[\]\.(?:format|id))/,
    why: "each of them says it; whose they are shows in the proof",
  },
  {
    of: ["openai"],
    shape: /choices\[\]\.message\.extra_content\.google\.thought/,
    value: /true/,
    why: "beside the proof",
  },
  {
    of: ["cohere"],
    shape: /message\.citations\[\]\.(?:text|content_index)/,
    why: "the span says it",
  },
  // Lost, and said so.
  {
    of: ["anthropic"],
    shape:
      /container\..*|content\[\]\.(?:content(?:\..*|\[\].*)|name|tool_use_id|caller\..*|input\..*|citations\[\]\..*)/,
    codes: ["L-HOSTED", "L-CITE"],
    why: "what the vendor's own tools did, and where in a source something stands",
  },
  {
    of: ["gemini"],
    shape:
      /candidates\[\]\.content\.parts\[\]\.(?:thoughtSignature|(?:codeExecutionResult|executableCode|tool\w+)\..*)/,
    codes: ["L-HOSTED"],
    why: "what the vendor's own tools did",
  },
  {
    of: ["responses"],
    shape: /output\[\]\.encrypted_content/,
    codes: ["L-UNKNOWN-BLOCK"],
    why: "a history pressed together",
  },
  {
    of: ["gemini"],
    shape: /candidates\[\]\.(?:groundingMetadata|citationMetadata|urlContextMetadata)\..*/,
    codes: ["L-CITE", "L-CITE-SPLIT"],
    why: "what has no address, or is not of the text",
  },
  {
    of: ["gemini"],
    shape: /candidates\[\]\.logprobsResult\..*/,
    codes: ["L-LOGPROBS"],
    why: "§4.5",
  },
  { of: ["gemini"], shape: /candidates\[\]\.avgLogprobs/, why: "a mean of what nobody asked for" },
  {
    of: ["gemini"],
    shape: /candidates\[\]\.logprobsResult\..*tokenId/,
    why: "§3.1: token ids never carry over",
  },
  {
    of: ["responses"],
    shape: /output\[\]\.content\[\]\.logprobs\[\]\..*/,
    codes: ["L-LOGPROBS"],
    why: "§4.5",
  },
  {
    of: ["bedrock"],
    shape: /output\.message\.content\[\]\.citationsContent\.citations\[\]\..*/,
    codes: ["L-CITE"],
    why: "what is quoted, and where it stands",
  },
  {
    of: ["cohere"],
    shape: /message\.citations\[\]\.sources\[\]\..*/,
    codes: ["L-CITE"],
    why: "what a tool said is no address",
  },
  {
    of: ["responses"],
    shape: /output\[\]\.content\[\]\.annotations\[\]\..*/,
    codes: ["L-CITE"],
    why: "a file of the vendor's",
  },
  {
    of: ["responses"],
    shape:
      /output\[\]\.(?:action|arguments|code|container_id|error|execution|name|output|outputs\[\]|queries\[\]|result|revised_prompt|server_label|tools\[\])(?:\..*|\[\].*)?/,
    codes: ["L-HOSTED"],
    why: "what the vendor's own tools did",
  },
  {
    of: ["openai"],
    shape: /(?:citations\[\]|search_results\[\]\..*)/,
    codes: ["L-CITE"],
    why: "sources of the whole answer",
  },
  {
    of: ["openai"],
    shape: /choices\[\]\.message\.(?:thought_signature|extra_content\.google\.thought_signature)/,
    codes: ["L-REASONING-FOREIGN"],
    why: "a proof on a wire that has no place for it",
  },
  { of: ["openai"], shape: /choices\[\]\..*/, codes: ["L-N"], why: "another candidate" },
  {
    of: ["openai"],
    shape: /choices\[\]\.message\.audio\..*/,
    codes: ["L-MODALITY"],
    why: "a sound",
  },
];

export const heldRules = new Set<AnswerRule>();

/** Whether a leaf may be left out of an answer whose translation reported these losses. */
export function mayGo(leaf: Leaf, of: DialectId, lost: ReadonlySet<string>): boolean {
  const rule = ANSWER_RULES.find(
    (each) =>
      (each.of?.includes(of) ?? true) &&
      whole(each.shape).test(leaf.shape) &&
      (each.value === undefined || whole(each.value).test(String(leaf.value))) &&
      (each.codes === undefined || each.codes.some((code) => lost.has(code))),
  );
  if (rule !== undefined) heldRules.add(rule);
  return rule !== undefined;
}

function whole({ source }: RegExp): RegExp {
  return new RegExp(`^(?:${source})$`);
}
