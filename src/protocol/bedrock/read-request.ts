import { Rejection } from "../../core/rejection.ts";
import type { ReadHead } from "../codec.ts";
import { malformed } from "../envelope-fields.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { IrRequest } from "../ir/request.ts";
import { readMessages, readSystem } from "./read-messages.ts";
import { readOutput } from "./read-output.ts";
import { EFFORT_PLACE, readModelFields } from "./read-model-fields.ts";
import { isTexts, readTools } from "./read-tools.ts";
import { extOf, leftOf } from "./rest.ts";

/** A request of Converse. An empty list says nothing, so it is left as it came. */
export function readRequest(body: JsonObject, { model, stream }: ReadHead): IrRequest | Rejection {
  const fields = new Fields(body);
  const messages = readMessages(filledList(fields, "messages"));
  if (messages instanceof Rejection) return messages;
  const system = readSystem(filledList(fields, "system"));
  if (system instanceof Rejection) return system;
  const wrong = ["messages", "system"].find((name) => !isListOrAbsent(body[name]));
  if (wrong !== undefined) return malformed(wrong, `'${wrong}' must be an array`);
  const toolConfig = fields.object("toolConfig");
  const tools = toolConfig && readTools(toolConfig);
  if (tools instanceof Rejection) return tools;
  const inference = readInference(fields.object("inferenceConfig"));
  const hostFields = fields.object("additionalModelRequestFields");
  const withEffort = !isObject(hostFields?.[EFFORT_PLACE]);
  const output = readOutput(fields.object("outputConfig"), { withEffort });
  const modelFields = readModelFields(hostFields, output.effort);
  const tier = readTier(fields.object("serviceTier"));
  const { temperature, topP, maxOutputTokens, stop } = inference;
  return {
    origin: "bedrock",
    model,
    stream,
    system,
    messages,
    tools: tools?.tools,
    toolChoice: tools?.toolChoice,
    sampling: { temperature, topP, topK: modelFields.topK },
    maxOutputTokens,
    stop,
    reasoning: modelFields.reasoning,
    output: output.format,
    metadata: readMetadata(fields),
    tier: tier.tier,
    ext: extOf(
      leftOf(body, fields, {
        inferenceConfig: inference.left,
        toolConfig: tools?.left,
        additionalModelRequestFields: modelFields.left,
        outputConfig: output.left,
        serviceTier: tier.left,
      }),
    ),
  };
}

function filledList(fields: Fields, name: string): readonly Json[] {
  const list = fields.peek(name);
  if (!isList(list) || list.length === 0) return [];
  fields.skip(name);
  return list;
}

function isListOrAbsent(value: Json | undefined): boolean {
  return value === undefined || value === null || isList(value);
}

type Inference = Pick<IrRequest, "maxOutputTokens" | "stop"> &
  Pick<IrRequest["sampling"], "temperature" | "topP"> & { readonly left?: JsonObject | undefined };

function readInference(config: JsonObject | undefined): Inference {
  if (config === undefined) return {};
  const fields = new Fields(config);
  const stop = fields.peek("stopSequences");
  const isStop = isTexts(stop);
  if (isStop) fields.skip("stopSequences");
  return {
    maxOutputTokens: fields.number("maxTokens"),
    temperature: fields.number("temperature"),
    topP: fields.number("topP"),
    stop: isStop ? stop : undefined,
    left: leftOf(config, fields),
  };
}

interface Tier {
  readonly tier?: string | undefined;
  readonly left?: JsonObject | undefined;
}

/** `{type}`, of a request or an answer. */
export function readTier(wire: JsonObject | undefined): Tier {
  if (wire === undefined) return {};
  const fields = new Fields(wire);
  return { tier: fields.text("type"), left: leftOf(wire, fields) };
}

function readMetadata(fields: Fields): Readonly<Record<string, string>> | undefined {
  const wire = fields.peek("requestMetadata");
  if (!isObject(wire)) return undefined;
  const metadata: Record<string, string> = Object.create(null);
  for (const name of Object.keys(wire)) {
    const value = wire[name];
    if (typeof value !== "string") return undefined;
    metadata[name] = value;
  }
  fields.skip("requestMetadata");
  return metadata;
}
