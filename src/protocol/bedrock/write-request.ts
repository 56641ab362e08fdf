import { printJson } from "../../wire/exact-json.ts";
import type { RequestContext } from "../codec.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { IrRequest, OutputFormat } from "../ir/request.ts";
import { inside, unlessEmpty } from "./rest.ts";
import { writeMessages, writeSystem } from "./write-messages.ts";
import { writeModelFields } from "./write-model-fields.ts";
import { writeTools } from "./write-tools.ts";

/** A request of Converse; its model and whether it streams stand in the path. */
export function writeRequest(request: IrRequest, context: RequestContext): JsonObject {
  const { report } = context;
  const own = request.origin === "bedrock";
  const left = request.ext?.bedrock;
  const { messages, system } = request;
  const { fields, effort } = writeModelFields(request, context);
  const members = {
    messages: messages.length > 0 ? writeMessages(messages, { own, report }) : undefined,
    system: system.length > 0 ? writeSystem(system, { own, report }) : undefined,
    inferenceConfig: inferenceOf(request, inside(left, "inferenceConfig")),
    toolConfig: writeTools(request, report),
    additionalModelRequestFields: fields,
    outputConfig: outputOf(request.output, effort, inside(left, "outputConfig")),
    requestMetadata: request.metadata,
    serviceTier: tierOf(request.tier, inside(left, "serviceTier")),
  };
  return compact(members, left);
}

function inferenceOf(
  { maxOutputTokens, sampling, stop }: IrRequest,
  left: JsonObject | undefined,
): JsonObject | undefined {
  const { temperature, topP } = sampling;
  const members = { maxTokens: maxOutputTokens, temperature, topP, stopSequences: stop };
  return unlessEmpty(compact(members, left), left);
}

/** `{type}`, of a request or an answer. */
export function tierOf(
  type: string | undefined,
  left: JsonObject | undefined,
): JsonObject | undefined {
  return unlessEmpty(compact({ type }, left), left);
}

function outputOf(
  format: OutputFormat | undefined,
  effort: string | undefined,
  left: JsonObject | undefined,
): JsonObject | undefined {
  return unlessEmpty(compact({ textFormat: textFormatOf(format), effort }, left), left);
}

/** The schema is a text on this wire; one that was read is spelled as it was. */
function textFormatOf(format: OutputFormat | undefined): JsonObject | undefined {
  if (format?.kind !== "schema") return undefined;
  const left = format.ext?.bedrock;
  const structure = inside(left, "structure");
  const inner = inside(structure, "jsonSchema");
  const schema = inner?.["schema"] ?? printJson(format.schema);
  const { name, description } = format;
  const jsonSchema = compact({ schema, name, description }, inner);
  const members = { type: "json_schema", structure: compact({ jsonSchema }, structure) };
  return compact(members, left);
}
