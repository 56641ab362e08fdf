import type { RequestContext } from "../codec.ts";
import { compact, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { IrRequest, OutputFormat, ReasoningAsk, SystemBlock } from "../ir/request.ts";
import { writeInclude } from "./include.ts";
import { spellingOf } from "./spelling.ts";
import { writeMessages } from "./write-messages.ts";
import { writeToolChoice, writeTools } from "./write-tools.ts";

/** A request as this wire spells it. What it cannot say `prepare` has taken out. */
export function writeRequest(request: IrRequest, context: RequestContext): JsonObject {
  const own = request.origin === "responses";
  const { report } = context;
  const ext = request.ext?.responses;
  const { sampling, tools, toolChoice, logprobs } = request;
  const sealed = request.reasoning?.wantSealed === true;
  const spelling = spellingOf(request);
  const isSafety = spelling["user"] === "safety_identifier";
  return compact(
    {
      model: context.model,
      instructions: writeInstructions(request.system),
      input: writeInput(request, { own, report }),
      tools: tools && writeTools(tools, { own, report }),
      tool_choice: toolChoice && writeToolChoice(toolChoice),
      parallel_tool_calls: request.parallelToolCalls,
      temperature: sampling.temperature,
      top_p: sampling.topP,
      max_output_tokens: request.maxOutputTokens,
      top_logprobs: logprobs?.top,
      reasoning: writeReasoning(request.reasoning),
      text: writeText(request),
      include: writeInclude({ sealed, logprobs: logprobs?.enabled === true }, ext?.["include"]),
      stream: request.stream ? true : spelling["stream"],
      store: own ? undefined : false, // It defaults to true here: protocols.md 8, Chat ↔ Resp.
      prompt_cache_key: request.cacheKey,
      user: isSafety ? undefined : request.endUser,
      safety_identifier: isSafety ? request.endUser : undefined,
      metadata: request.metadata,
      service_tier: request.tier,
    },
    ext,
  );
}

/** `prepare` has joined the blocks; several are joined as it would. */
function writeInstructions(system: readonly SystemBlock[]): string | undefined {
  const texts = system.flatMap((block) => (block.type === "text" ? [block.text] : []));
  return texts.length === 0 ? undefined : texts.join("\n\n");
}

interface InputContext extends Pick<RequestContext, "report"> {
  readonly own: boolean;
}

function writeInput(request: IrRequest, context: InputContext): Json | undefined {
  const { messages, inputBareString } = request;
  const [message, ...more] = messages;
  if (message === undefined) return context.own ? undefined : [];
  const [block, ...others] = message.blocks;
  const isBare = inputBareString === true && more.length === 0 && others.length === 0;
  return isBare && block?.type === "text" ? block.text : writeMessages(messages, context);
}

function writeReasoning(asked: ReasoningAsk | undefined): JsonObject | undefined {
  if (asked === undefined) return undefined;
  const effort = asked.effort ?? (asked.mode === "off" ? "none" : undefined);
  const summary = asked.summary ?? (isShown(asked) ? "auto" : undefined);
  const ext = asked.ext?.responses;
  const isSaid = (effort ?? summary ?? ext) !== undefined;
  return isSaid ? compact({ effort, summary }, ext) : undefined;
}

function isShown({ show }: ReasoningAsk): boolean {
  return show === "full" || show === "summary";
}

function writeText({ output, verbosity, ext }: IrRequest): JsonObject | undefined {
  const rest = ext?.responses?.["text"];
  const left = isObject(rest) ? rest : undefined;
  if (output === undefined && verbosity === undefined) return left;
  return compact({ format: output && writeFormat(output), verbosity }, left);
}

/** A text format as this wire spells it: protocols.md 3.10. A schema must have a name. */
export function writeFormat(output: OutputFormat): JsonObject {
  const ext = output.ext?.responses;
  switch (output.kind) {
    case "text":
      return compact({ type: "text" }, ext);
    case "json":
      return compact({ type: "json_object" }, ext);
    case "schema": {
      const { name, schema, description, strict } = output;
      const isNamed = ext?.["name"] !== undefined;
      const members = {
        type: "json_schema",
        name: name ?? (isNamed ? undefined : "response"),
        description,
        schema,
        strict,
      };
      return compact(members, ext);
    }
  }
}
