import type { DialectId } from "../../../src/core/ids.ts";

/**
 * The members each vendor's objects have, by place: `[]` is a list's item, and what is below a place that
 * is not here is the caller's own (schemas, arguments, metadata). A vendor ignores or refuses any
 * other, so that a word spelt wrong is content lost.
 */
const WORDS: Readonly<Record<DialectId, Readonly<Record<string, string>>>> = {
  openai: {
    "": `model messages max_completion_tokens tools tool_choice parallel_tool_calls stream stream_options
      temperature top_p n stop seed frequency_penalty presence_penalty logit_bias logprobs top_logprobs
      response_format reasoning_effort verbosity service_tier metadata user safety_identifier modalities
      audio prompt_cache_key prompt_cache_retention prompt_cache_options web_search_options store`,
    ".messages[]": "role content name tool_calls tool_call_id refusal audio",
    ".messages[].content[]": `type text image_url input_audio file refusal prompt_cache_breakpoint`,
    ".messages[].content[].image_url": "url detail",
    ".messages[].content[].input_audio": "data format",
    ".messages[].content[].file": "filename file_data file_id",
    ".messages[].content[].prompt_cache_breakpoint": "mode ttl",
    ".messages[].tool_calls[]": "id type function custom",
    ".messages[].tool_calls[].function": "name arguments",
    ".messages[].tool_calls[].custom": "name input",
    ".tools[]": "type function custom",
    ".tools[].function": "name description parameters strict",
    ".tools[].custom": "name description format",
    ".tools[].custom.format": "type grammar",
    ".tools[].custom.format.grammar": "definition syntax",
    ".tool_choice": "type function custom allowed_tools",
    ".tool_choice.function": "name",
    ".tool_choice.custom": "name",
    ".tool_choice.allowed_tools": "mode tools",
    ".response_format": "type json_schema",
    ".response_format.json_schema": "name schema description strict",
    ".stream_options": "include_usage include_obfuscation",
    ".audio": "voice format",
  },
  responses: {
    "": `model input instructions max_output_tokens tools tool_choice parallel_tool_calls stream temperature
      top_p top_logprobs reasoning text include store service_tier metadata user safety_identifier
      prompt_cache_key prompt_cache_retention prompt_cache_options truncation max_tool_calls`,
    ".input[]": `type id role content status phase call_id name arguments input output summary
      encrypted_content`,
    ".input[].content[]": `type text annotations logprobs refusal image_url detail file_id file_data file_url
      filename input_audio prompt_cache_breakpoint`,
    ".input[].content[].input_audio": "data format",
    ".input[].content[].prompt_cache_breakpoint": "mode ttl",
    ".input[].output[]": `type text image_url detail file_id file_data file_url filename
      prompt_cache_breakpoint`,
    ".input[].output[].prompt_cache_breakpoint": "mode ttl",
    ".input[].summary[]": "type text",
    ".tools[]": "type name description parameters strict format",
    ".tools[].format": "type syntax definition",
    ".tool_choice": "type name mode tools",
    ".reasoning": "effort summary context",
    ".text": "format verbosity",
    ".text.format": "type name schema strict description",
  },
  anthropic: {
    "": `model max_tokens messages system tools tool_choice stream temperature top_p top_k stop_sequences
      thinking output_config service_tier metadata cache_control`,
    ".system[]": "type text cache_control",
    ".system[].cache_control": "type ttl",
    ".messages[]": "role content",
    ".messages[].content[]": `type text cache_control citations id name input tool_use_id content is_error
      thinking signature data source title context`,
    ".messages[].content[].cache_control": "type ttl",
    ".messages[].content[].source": "type media_type data url file_id content",
    ".messages[].content[].source.content[]": "type text source",
    ".messages[].content[].content[]": `type text source title context citations content cache_control
      tool_name`,
    ".messages[].content[].content[].source": "type media_type data url file_id content",
    ".messages[].content[].content[].content[]": "type text",
    ".messages[].content[].content[].citations": "enabled",
    ".tools[]": "name description input_schema strict cache_control type eager_input_streaming",
    ".tools[].cache_control": "type ttl",
    ".tool_choice": "type name disable_parallel_tool_use",
    ".thinking": "type budget_tokens display",
    ".output_config": "format effort",
    ".output_config.format": "type schema",
    ".metadata": "user_id",
  },
  gemini: {
    "": `contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent
      serviceTier labels`,
    ".systemInstruction": "parts role",
    ".systemInstruction.parts[]": "text",
    ".contents[]": "role parts",
    ".contents[].parts[]": `text thought thoughtSignature inlineData fileData functionCall functionResponse
      mediaResolution`,
    ".contents[].parts[].inlineData": "mimeType data displayName",
    ".contents[].parts[].fileData": "mimeType fileUri displayName",
    ".contents[].parts[].functionCall": "id name args",
    ".contents[].parts[].functionResponse": "id name response parts",
    ".contents[].parts[].functionResponse.parts[]": "inlineData fileData",
    ".contents[].parts[].functionResponse.parts[].inlineData": "mimeType data displayName",
    ".tools[]": "functionDeclarations",
    ".tools[].functionDeclarations[]": "name description parameters parametersJsonSchema",
    ".toolConfig": "functionCallingConfig",
    ".toolConfig.functionCallingConfig": "mode allowedFunctionNames",
    ".generationConfig": `maxOutputTokens temperature topP topK candidateCount stopSequences seed
      presencePenalty frequencyPenalty responseLogprobs logprobs responseMimeType responseSchema
      responseJsonSchema responseModalities thinkingConfig mediaResolution speechConfig`,
    ".generationConfig.thinkingConfig": "thinkingLevel thinkingBudget includeThoughts",
  },
  bedrock: {
    "": `messages system inferenceConfig toolConfig outputConfig serviceTier requestMetadata
      additionalModelRequestFields`,
    ".system[]": "text cachePoint",
    ".system[].cachePoint": "type ttl",
    ".messages[]": "role content",
    ".messages[].content[]": `text image document video audio searchResult toolUse toolResult reasoningContent
      cachePoint citationsContent`,
    ".messages[].content[].cachePoint": "type ttl",
    ".messages[].content[].image": "format source",
    ".messages[].content[].image.source": "bytes s3Location",
    ".messages[].content[].video": "format source",
    ".messages[].content[].video.source": "bytes s3Location",
    ".messages[].content[].audio": "format source",
    ".messages[].content[].audio.source": "bytes s3Location",
    ".messages[].content[].document": "format name source context citations",
    ".messages[].content[].document.source": "bytes text content s3Location",
    ".messages[].content[].document.source.content[]": "text",
    ".messages[].content[].document.citations": "enabled",
    ".messages[].content[].searchResult": "source title content citations",
    ".messages[].content[].searchResult.content[]": "text",
    ".messages[].content[].searchResult.citations": "enabled",
    ".messages[].content[].toolUse": "toolUseId name input",
    ".messages[].content[].toolResult": "toolUseId content status",
    ".messages[].content[].toolResult.content[]": "text json image document video searchResult",
    ".messages[].content[].toolResult.content[].image": "format source",
    ".messages[].content[].toolResult.content[].image.source": "bytes s3Location",
    ".messages[].content[].toolResult.content[].document": "format name source context citations",
    ".messages[].content[].toolResult.content[].document.source": "bytes text content s3Location",
    ".messages[].content[].toolResult.content[].document.source.content[]": "text",
    ".messages[].content[].toolResult.content[].searchResult": "source title content citations",
    ".messages[].content[].toolResult.content[].searchResult.content[]": "text",
    ".messages[].content[].reasoningContent": "reasoningText redactedContent",
    ".messages[].content[].reasoningContent.reasoningText": "text signature",
    ".inferenceConfig": "maxTokens temperature topP stopSequences",
    ".toolConfig": "tools toolChoice",
    ".toolConfig.tools[]": "toolSpec cachePoint",
    ".toolConfig.tools[].cachePoint": "type ttl",
    ".toolConfig.tools[].toolSpec": "name description inputSchema strict",
    ".toolConfig.tools[].toolSpec.inputSchema": "json",
    ".toolConfig.toolChoice": "auto any tool",
    ".toolConfig.toolChoice.tool": "name",
    ".serviceTier": "type",
    ".outputConfig": "textFormat",
    ".outputConfig.textFormat": "type structure",
    ".outputConfig.textFormat.structure": "jsonSchema",
    ".outputConfig.textFormat.structure.jsonSchema": "schema name description",
  },
  cohere: {
    "": `model messages documents citation_options tools tool_choice strict_tools response_format
      stop_sequences max_tokens temperature seed frequency_penalty presence_penalty k p logprobs stream
      thinking safety_mode priority`,
    ".messages[]": "role content tool_calls tool_plan tool_call_id citations",
    ".messages[].content[]": "type text thinking image_url document",
    ".messages[].content[].image_url": "url detail",
    ".messages[].content[].document": "id data",
    ".messages[].tool_calls[]": "id type function",
    ".messages[].tool_calls[].function": "name arguments",
    ".documents[]": "id data",
    ".tools[]": "type function",
    ".tools[].function": "name description parameters",
    ".response_format": "type json_schema",
    ".thinking": "type token_budget",
    ".citation_options": "mode",
  },
};

/** The members of a body that its vendor has no such words for, by their places. */
export function strangersIn(dialect: DialectId, body: unknown): string[] {
  const strange = new Set<string>();
  walk(body, "", { words: WORDS[dialect], strange });
  return [...strange].map((place) => `no such member ${place}`);
}

interface Search {
  readonly words: Readonly<Record<string, string>>;
  readonly strange: Set<string>;
}

function walk(value: unknown, place: string, search: Search): void {
  if (Array.isArray(value)) return value.forEach((each) => walk(each, `${place}[]`, search));
  const words = search.words[place]?.split(/\s+/);
  if (typeof value !== "object" || value === null || words === undefined) return;
  for (const [name, member] of Object.entries(value)) {
    if (!words.includes(name)) search.strange.add(`${place}.${name}`);
    else walk(member, `${place}.${name}`, search);
  }
}
