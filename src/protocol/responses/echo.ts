import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { IrRequest } from "../ir/request.ts";
import { writeFormat } from "./write-request.ts";
import { writeToolChoice, writeTools } from "./write-tools.ts";

/**
 * The members of a response that repeat its request: protocols.md 4.1. The SDK's type wants them.
 * Nothing is kept here, so nothing is stored; a number that nobody asked for is null.
 */
export function echoOf(asked: IrRequest): JsonObject {
  const { sampling, output, verbosity, reasoning, toolChoice, tools } = asked;
  const effort = reasoning?.effort ?? null;
  // What a request of another protocol holds beside functions is no news to its caller.
  const context = { own: asked.origin === "responses", report: () => undefined };
  const echo: { readonly [name: string]: Json | undefined } = {
    access_programs: null,
    background: false,
    instructions: instructionsOf(asked),
    max_output_tokens: asked.maxOutputTokens ?? null,
    max_tool_calls: null,
    metadata: asked.metadata ?? {},
    parallel_tool_calls: asked.parallelToolCalls ?? true,
    previous_response_id: null,
    prompt_cache_key: asked.cacheKey ?? null,
    reasoning: { effort, summary: reasoning?.summary ?? null },
    safety_identifier: safetyOf(asked),
    service_tier: asked.tier ?? "default",
    store: false,
    temperature: sampling.temperature ?? null,
    text: compact({
      format: output === undefined ? { type: "text" } : writeFormat(output),
      verbosity,
    }),
    tool_choice: toolChoice === undefined ? hostedChoice(asked) : writeToolChoice(toolChoice),
    tools: tools === undefined ? [] : writeTools(tools, context),
    top_logprobs: asked.logprobs?.top ?? 0,
    top_p: sampling.topP ?? null,
    truncation: "disabled",
    user: asked.endUser ?? null,
  };
  return compact(echo);
}

function instructionsOf({ system }: IrRequest): string | null {
  const texts = system.flatMap((block) => (block.type === "text" ? [block.text] : []));
  return texts.length === 0 ? null : texts.join("\n\n");
}

function safetyOf({ ext }: IrRequest): Json {
  return ext?.responses?.["safety_identifier"] ?? null;
}

/** A choice of one of the vendor's own tools stays in `ext`. */
function hostedChoice({ ext }: IrRequest): Json {
  return ext?.responses?.["tool_choice"] ?? "auto";
}
