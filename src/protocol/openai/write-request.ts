import type { Capabilities } from "../../core/capabilities.ts";
import type { RequestContext } from "../codec.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { IrRequest, OutputFormat, ReasoningAsk } from "../ir/request.ts";
import { ownExt, ownExtAt } from "./rest.ts";
import { spellingOf } from "./spelling.ts";
import { writeMessages } from "./write-messages.ts";
import { writeToolChoice, writeTools } from "./write-tools.ts";

type Members = Record<string, Json | undefined>;
/** OpenAI wants every schema to have a name. */
const SCHEMA_NAME = "response";

/** A chat completions request, its members in OpenAI's order. */
export function writeRequest(request: IrRequest, context: RequestContext): JsonObject {
  const { capabilities, report, model } = context;
  const isOwn = request.origin === "openai";
  const { sampling, logprobs, stop, tools } = request;
  const members: Members = {
    model,
    messages: writeMessages(request, { capabilities, report, isOwn }),
    ...capOf(request, capabilities),
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    n: request.candidates,
    stop: request.stopBareString === true && stop?.length === 1 ? stop[0] : stop,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    logit_bias: sampling.logitBias,
    seed: request.seed,
    logprobs: logprobs?.enabled,
    top_logprobs: logprobs?.top,
    ...writeTools(tools, { capabilities, report }),
    ...writeToolChoice(request.toolChoice),
    // OpenAI refuses the switch where there is nothing to switch.
    parallel_tool_calls: isOwn || tools?.length ? request.parallelToolCalls : undefined,
    response_format: outputOf(request.output, isOwn),
    ...reasoningOf(request.reasoning),
    verbosity: request.verbosity,
    modalities: request.modalities,
    ...streamOf(request, isOwn),
    ...userOf(request),
    metadata: request.metadata,
    service_tier: request.tier,
    prompt_cache_key: request.cacheKey,
  };
  return compact(members, ownExt(request));
}

function capOf(request: IrRequest, { outputCap }: Capabilities): Members {
  const usual = outputCap === "max_tokens" ? "max_tokens" : "max_completion_tokens";
  return { [slotOf(request, "cap") ?? usual]: request.maxOutputTokens };
}

function userOf(request: IrRequest): Members {
  return { [slotOf(request, "user") ?? "user"]: request.endUser };
}

/** The member a value of the caller's own request stood in. */
function slotOf(request: IrRequest, name: "cap" | "user"): string | undefined {
  const slot = spellingOf(request).beside?.[name];
  return typeof slot === "string" ? slot : undefined;
}

/** Others tell usage without being asked; a caller of theirs expects it. */
function streamOf(request: IrRequest, isOwn: boolean): Members {
  const said = spellingOf(request).beside?.["stream"];
  const stream = request.stream || said === false ? request.stream : undefined;
  const asks = request.streamUsage ?? (!isOwn && request.stream ? true : undefined);
  const rest = ownExtAt(request, "stream_options");
  if (asks === undefined && rest === undefined) return { stream };
  return { stream, stream_options: compact({ include_usage: asks }, rest) };
}

function reasoningOf(ask: ReasoningAsk | undefined): Members {
  if (ask === undefined) return {};
  const { slot, raw } = spellingOf(ask);
  if (slot !== undefined) return { [slot]: raw };
  const { mode, effort, budgetTokens } = ask;
  if (effort !== undefined || mode === "off") return { reasoning_effort: effort ?? "none" };
  // OpenRouter's words, for hosts of models that count their thinking or think as they see fit.
  return {
    reasoning: budgetTokens === undefined ? { enabled: true } : { max_tokens: budgetTokens },
  };
}

function outputOf(output: OutputFormat | undefined, isOwn: boolean): JsonObject | undefined {
  switch (output?.kind) {
    case undefined:
      return undefined;
    case "text":
      return compact({ type: "text" }, ownExt(output));
    case "json":
      return compact({ type: "json_object" }, ownExt(output));
    case "schema": {
      const { description, schema, strict } = output;
      const name = output.name ?? (isOwn ? undefined : SCHEMA_NAME);
      const inner = compact({ name, description, schema, strict }, ownExtAt(output, "json_schema"));
      return compact({ type: "json_schema", json_schema: inner }, ownExt(output));
    }
  }
}
