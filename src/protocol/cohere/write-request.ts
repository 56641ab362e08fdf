import type { RequestContext } from "../codec.ts";
import { compact, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { DocumentRef, IrRequest, OutputFormat, ReasoningAsk } from "../ir/request.ts";
import { spellingOf, withOwn } from "./own.ts";
import { writeMessages } from "./write-messages.ts";
import { writeTools } from "./write-tools.ts";

/** A request for a chat, of what `prepare` made fit. */
export function writeRequest(request: IrRequest, context: RequestContext): JsonObject {
  const { report } = context;
  const { messages, documents } = writeMessages(request, report);
  const { sampling, stream } = request;
  const isUnsaid = !stream && spellingOf(request).without !== undefined;
  return withOwn(
    {
      model: context.model,
      messages,
      ...writeTools(request, report),
      documents: writeDocuments(request.documents, documents),
      response_format: writeOutput(request.output, request.origin === "cohere"),
      max_tokens: request.maxOutputTokens,
      stop_sequences: request.stop,
      temperature: sampling.temperature,
      seed: request.seed,
      frequency_penalty: sampling.frequencyPenalty,
      presence_penalty: sampling.presencePenalty,
      k: sampling.topK,
      p: sampling.topP,
      logprobs: request.logprobs?.enabled,
      thinking: writeReasoning(request.reasoning),
      // Cohere's own description of its API says it is required.
      stream: isUnsaid ? undefined : stream,
    },
    request,
  );
}

function writeDocuments(
  beside: readonly DocumentRef[] | undefined,
  lifted: readonly JsonObject[],
): readonly Json[] | undefined {
  if (beside === undefined && lifted.length === 0) return undefined;
  return [...(beside ?? []).map(writeDocument), ...lifted];
}

/** A document is a text, or an object around its data. */
function writeDocument(document: DocumentRef): Json {
  const { id, data } = document;
  if (typeof data === "string" && id === undefined) return data;
  const object = isObject(data) ? data : { text: typeof data === "string" ? data : printed(data) };
  return withOwn({ id, data: object }, document);
}

function printed(data: Json): string {
  return JSON.stringify(data);
}

/** Name, description and `strict` of a schema have no place: `prepare` has reported them. */
function writeOutput(output: OutputFormat | undefined, isOwn: boolean): JsonObject | undefined {
  switch (output?.kind) {
    case undefined:
      return undefined;
    case "text":
      return isOwn ? withOwn({ type: "text" }, output) : undefined;
    case "json":
      return withOwn({ type: "json_object" }, output);
    case "schema":
      return withOwn({ type: "json_object", json_schema: output.schema }, output);
  }
}

/** There is no word for how hard, but a budget; -1 is as the model sees fit. */
function writeReasoning(ask: ReasoningAsk | undefined): JsonObject | undefined {
  if (ask === undefined) return undefined;
  const { mode, budgetTokens } = ask;
  const budget = budgetTokens === -1 ? undefined : budgetTokens;
  const type = mode === "off" ? "disabled" : "enabled";
  return withOwn(compact({ type, token_budget: budget }), ask);
}
