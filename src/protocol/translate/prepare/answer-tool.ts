import { isObject } from "../../ir/fields.ts";
import type { Json, JsonObject } from "../../ir/json.ts";
import type { FunctionTool, IrRequest, Tool, ToolChoice } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";
import { type SchemaFormat, wantsTool } from "./output-format.ts";
import { fitSchema } from "./schemas.ts";

/** A tool whose arguments are the answer, for a model that takes a schema in no other place. */
export interface AnswerTool {
  readonly name: string;
  /** The schema was of no object, which every tool's must be: the answer is the one property. */
  readonly property: string | undefined;
}
export interface AnswerToolContext {
  /** As the caller wrote it: tools of a history alone are not among these. */
  readonly asked: IrRequest;
  /** Thinking bars a forced tool. */
  readonly isBarred: boolean;
  readonly fit: Fit;
}
export interface WithAnswerTool {
  readonly request: IrRequest;
  readonly answerTool: AnswerTool | undefined;
}

const NAME_DEFAULT = "response";
const NAME_LENGTH_MAX = 48;
const PROPERTY = "value";
const DESCRIPTION = "Gives the final answer: its arguments are the whole answer.";

/** The schema of the answer as a tool the model must call: protocols.md §3.10. */
export function withAnswerTool(request: IrRequest, context: AnswerToolContext): WithAnswerTool {
  const { output } = request;
  const { fit } = context;
  if (output?.kind !== "schema" || !wantsTool(fit)) return { request, answerTool: undefined };
  const path = output.at ?? fit.paths.output;
  const rest: IrRequest = { ...request, output: undefined };
  if (isForced(request.toolChoice)) {
    fit.lose("L-SCHEMA-TOOL", path); // The caller wants a call of its own first.
    return { request: rest, answerTool: undefined };
  }
  fit.lose("L-SCHEMA-TOOL", path, { action: "emulated" });
  if (output.strict === true) fit.lose("L-STRICT", path);
  const name = nameOf(output.name, request.tools ?? []);
  const { tool, property } = toolOf(output, { name, path, fit });
  const hasOwn = (context.asked.tools?.length ?? 0) > 0 && request.toolChoice?.kind !== "none";
  return {
    request: {
      ...rest,
      tools: [...(request.tools ?? []), tool],
      toolChoice: choiceOf(name, { ...context, hasOwn }),
      parallelToolCalls:
        hasOwn || !fit.capabilities.parallelSwitch ? request.parallelToolCalls : false,
    },
    answerTool: { name, property },
  };
}

function isForced(choice: ToolChoice | undefined): boolean {
  if (choice === undefined) return false;
  if (choice.kind === "allowed") return choice.mode === "required";
  return choice.kind === "required" || choice.kind === "tool";
}

interface Choosing extends AnswerToolContext {
  readonly hasOwn: boolean;
}

/** Beside the caller's own tools the model may call any; text it may not. */
function choiceOf(name: string, { hasOwn, isBarred, fit }: Choosing): ToolChoice {
  if (!isBarred) return hasOwn ? { kind: "required" } : { kind: "tool", name };
  fit.lose("L-TOOLCHOICE-THINKING", fit.paths.output, { action: "approximated" });
  return { kind: "auto" };
}

/** The caller's name for the schema where no tool has it. */
function nameOf(asked: string | undefined, tools: readonly Tool[]): string {
  const plain = (asked ?? "").replaceAll(/[^a-zA-Z0-9_-]+/g, "_").slice(0, NAME_LENGTH_MAX);
  const taken = new Set(tools.map((tool) => (tool.kind === "cache_mark" ? undefined : tool.name)));
  let name = plain === "" ? NAME_DEFAULT : plain;
  while (taken.has(name)) name = `${name}_answer`;
  return name;
}

interface Making {
  readonly name: string;
  readonly path: string;
  readonly fit: Fit;
}

function toolOf(
  { schema: given, schemaDialect: dialect, description = DESCRIPTION }: SchemaFormat,
  { name, path, fit }: Making,
): { readonly tool: FunctionTool; readonly property: string | undefined } {
  const { schema, schemaDialect } = fitSchema(given, { dialect, path, fit });
  const isOfObject = isObject(schema) && schema["type"] === "object";
  const parameters = isOfObject ? schema : wrapped(schema);
  const tool: FunctionTool = { kind: "function", name, description, parameters, schemaDialect };
  return { tool, property: isOfObject ? undefined : PROPERTY };
}

/** References are to the root of the schema, so what they name must stay there. */
function wrapped(schema: Json): JsonObject {
  const around: JsonObject = {
    ...{ type: "object", properties: { [PROPERTY]: schema } },
    ...{ required: [PROPERTY], additionalProperties: false },
  };
  if (!isObject(schema)) return around;
  const named = ["$defs", "definitions"].filter((name) => isObject(schema[name]));
  return { ...around, ...Object.fromEntries(named.map((name) => [name, schema[name]!])) };
}
