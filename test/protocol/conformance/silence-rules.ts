import type { DialectId } from "../../../src/core/ids.ts";
import type { Leaf } from "./leaves.ts";

/** Leaves that a translation may leave out and say nothing, and why nothing is lost by it. */
export interface Rule {
  readonly from?: readonly DialectId[];
  readonly to?: readonly DialectId[];
  /** Matches the whole path without numbers. */
  readonly shape: RegExp;
  /** Matches the whole value; any when absent. */
  readonly value?: RegExp;
  /** Holds only where the body that was sent is like this. */
  readonly when?: (sent: Sent) => boolean;
  readonly why: string;
}
interface Sent {
  readonly [name: string]: unknown;
}

/** Here a body with the leaf and one without it ask the target for the same thing. */
export const SAYS_NOTHING: readonly Rule[] = [
  // About the call, not about the answer.
  { shape: /model|stream/, why: "the path, or the target's own name and framing say it" },
  { shape: /stream_options\..*|usage\.include/, why: "what the caller's stream looks like" },
  { from: ["anthropic"], shape: /anthropic_version/, why: "InvokeModel's word for the header" },
  // Ids and types of the wire's own grammar: validity.test.ts looks whether the pairs are kept.
  {
    shape: /.*\.(?:type|status)/,
    value: /message|completed|function|custom|ephemeral|default/,
    why: "the one kind or state that stands there when nothing is said",
  },
  {
    from: ["gemini"],
    shape: /contents\[\]\.parts\[\]\.function_?[rR]esponse\.id/,
    why: "a call is found by its name as well",
  },
  {
    from: ["gemini"],
    shape: /(?:contents\[\]|systemInstruction)\.role/,
    value: /user/,
    why: "§3.3",
  },
  {
    shape: /.*\.(?:media_type|format|mimeType)/,
    value: /image\/(?:png|jpeg)|png|jpeg|txt|text\/plain|application\/pdf/,
    why: "read off the bytes, or the only kind a text may have",
  },
  // What every vendor does when nothing is said.
  { shape: /n|generationConfig\.candidateCount/, value: /1/, why: "one answer is what all give" },
  { shape: /.*response_format\.type/, value: /text/, why: "text is what all give" },
  { shape: /.*responseModalities\[\]/, value: /TEXT/i, why: "text is what all give" },
  { shape: /.*\.is_error/, value: /false/, why: "a result is none" },
  { shape: /.*strict/, value: /false/, why: "§3.5: not strict where there is no such word" },
  { shape: /.*\.detail/, value: /auto/, why: "the vendor sees fit" },
  { shape: /store|safe_prompt/, value: /false/, why: "nothing is kept, nothing is added" },
  {
    shape: /tool_choice(?:\.type)?|function_call|.*\.mode/,
    value: /auto/i,
    why: "§3.6: the model sees fit where nothing is said",
  },
  { shape: /parallel_tool_calls/, value: /true/, why: "several calls are what all may give" },
  {
    shape: /parallel_tool_calls/,
    value: /false/,
    when: (sent) => toolsOf(sent).length === 0,
    why: "no tool is left that could be called at once with another",
  },
  {
    to: ["cohere"],
    shape: /.*\.allowedFunctionNames\[\]/,
    when: (sent) => toolsOf(sent).length === 1,
    why: "the only tool that is offered",
  },
  {
    shape: /.*disable_parallel_tool_use/,
    value: /false/,
    why: "several calls are what all may give",
  },
  { shape: /.*prompt_cache_breakpoint\.mode/, value: /explicit/, why: "the mark itself says it" },
  {
    to: ["cohere"],
    shape: /.*\.citations\.enabled/,
    value: /true/,
    why: "Cohere cites whatever documents it is given",
  },
  // Thinking: §3.8, row "show".
  {
    shape: /.*thinking\.display|reasoning\.summary/,
    value: /summarized|auto|concise|detailed/,
    why: "shown unasked there, or reported with the ask itself",
  },
  {
    shape: /.*[iI]nclude_?[tT]houghts/,
    why: "shown unasked there, or reported with the ask itself",
  },
  {
    from: ["openai"],
    shape: /thinking\.type/,
    value: /enabled/,
    why: "beside a word for the effort, which goes on",
  },
  {
    shape: /thinking\.type|.*thinking_?[bB]udget/,
    value: /disabled|0/,
    to: ["openai"],
    why: "the model of this test does not think",
  },
  {
    from: ["bedrock"],
    shape: /additionalModelRequestFields\.thinking\.type/,
    value: /adaptive/,
    why: "the effort that stands beside it goes on, or is reported",
  },
  {
    from: ["responses"],
    shape: /include\[\]/,
    value: /reasoning\.encrypted_content/,
    why: "§3.9: proofs come along whether they were asked for or not",
  },
  // Said twice.
  {
    from: ["openai"],
    shape: /messages\[\]\.reasoning(?:_content)?/,
    why: "each of them says it, and `reasoning_details`",
  },
  {
    from: ["openai"],
    shape: /messages\[\]\.reasoning_details\[\]\.(?:id|index|format)/,
    why: "the order says it; whose they are shows in the proof",
  },
  // Where the target demands a value, its plainest is the one that was there.
  { shape: /.*\.arguments/, value: /\{\}/, why: "§3.7: no arguments are `{}`" },
  {
    shape: /.*(?:parameters|inputSchema\.json)\.type/,
    value: /object/i,
    why: "the root of any schema",
  },
  {
    from: ["bedrock"],
    to: ["anthropic"],
    shape: /.*\.location\.document\w+\.(?:documentIndex|start)/,
    value: /0/,
    why: "both are demanded there",
  },
  {
    from: ["gemini"],
    shape: /.*\.property_?[oO]rdering\[\]/,
    why: "the order of the members says it",
  },
  // For OpenAI alone.
  { from: ["responses"], shape: /input\[\]\.(?:phase|id)/, why: "§3.3: kept only to Responses" },
];

/** Said in a word or a number of another sort; the withoutEffect test sees that it is said. */
export const CONVERTED: readonly Pick<Rule, "from" | "to" | "shape" | "value" | "why">[] = [
  {
    shape: /.*thinking\.budget_tokens|.*thinking_?[bB]udget|reasoning\.max_tokens/,
    why: "§3.8: as a word, or switched off; reported where the word is not that number's",
  },
  {
    from: ["responses"],
    shape: /include\[\]/,
    value: /message\.output_text\.logprobs/,
    why: "§3.1: a switch elsewhere",
  },
  {
    from: ["bedrock"],
    shape: /additionalModelRequestFields\.inferenceConfig\.topK/,
    why: "reported where Claude has it: one vendor's word for another's model",
  },
  {
    to: ["bedrock", "cohere"],
    shape: /output_config\.effort/,
    why: "§3.8: as a number",
  },
];

/** Ids are minted or fitted, and told in other words: only that they matter can be seen here. */
export const SAID_OTHERWISE =
  /(?:^|\.)(?:id|call_?id|tool_call_id|tool_use_id|toolUseId|index|type|role|model|stream)$/i;
/** Words that stand for the same thing in another word: the codecs' own tests compare those. */
export const WORDS =
  /^(?:auto|none|any|required|enabled|disabled|adaptive|json_object|json_schema|text|low|medium|high|minimal|default|standard|standard_only|flex|priority|png|jpe?g|gif|webp|pdf|image\/\w+|application\/pdf|application\/json|base64|true|false|not_used|validated|explicit|\d+[mh])$/i;

export interface Hop {
  readonly from: DialectId;
  readonly to: DialectId;
}

/** Rules that held for something: one that never does is none. */
export const held = new Set<Rule>();

export function isQuiet(leaf: Leaf, hop: Hop, sent: unknown): boolean {
  const rule = SAYS_NOTHING.find(
    (each) => fits(each, leaf, hop) && (each.when?.(sent as Sent) ?? true),
  );
  if (rule !== undefined) held.add(rule);
  return rule !== undefined;
}

export function isConverted(leaf: Leaf, hop: Hop): boolean {
  return CONVERTED.some((rule) => fits(rule, leaf, hop));
}

function fits(rule: Rule, { shape, value }: Leaf, { from, to }: Hop): boolean {
  return (
    (rule.from?.includes(from) ?? true) &&
    (rule.to?.includes(to) ?? true) &&
    whole(rule.shape).test(shape) &&
    (rule.value === undefined || whole(rule.value).test(String(value)))
  );
}

/** The tools of a body of any protocol, however it lists them. */
export function toolsOf(sent: Sent): readonly unknown[] {
  const { tools = [], toolConfig } = sent as {
    tools?: object[];
    toolConfig?: { tools?: object[] };
  };
  return [...tools, ...(toolConfig?.tools ?? [])].flatMap((tool) =>
    "functionDeclarations" in tool ? (tool.functionDeclarations as unknown[]) : [tool],
  );
}

function whole({ source, flags }: RegExp): RegExp {
  return new RegExp(`^(?:${source})$`, flags);
}
