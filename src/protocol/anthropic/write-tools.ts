import { compact, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { FunctionTool, IrRequest, Tool, ToolChoice } from "../ir/request.ts";
import { writeCacheMark } from "./cache-mark.ts";
import { innerObject } from "./own-fields.ts";
import { spellingOf } from "./spelling.ts";
import type { Writing } from "./writing.ts";

export function writeTools(tools: readonly Tool[], writing: Writing): readonly JsonObject[] {
  const written: JsonObject[] = [];
  for (const tool of tools) {
    switch (tool.kind) {
      case "function":
        written.push(writeFunction(tool));
        break;
      case "hosted":
        if (tool.vendor === "anthropic") written.push(tool.raw);
        else lose(tool, { code: "L-HOSTED", writing });
        break;
      case "freeform":
        lose(tool, { code: "L-FREEFORM", writing });
        break;
      case "cache_mark":
        if (written.length > 0) {
          const cache_control = writeCacheMark(tool.cache);
          written.push(compact({ cache_control }, written.pop()));
        }
    }
  }
  return written;
}

function writeFunction(tool: FunctionTool): JsonObject {
  const members = {
    name: tool.name,
    description: tool.description,
    input_schema: schemaOf(tool.parameters),
    strict: tool.strict,
    cache_control: writeCacheMark(tool.cache),
  };
  return compact(compact(members, spellingOf(tool).beside), tool.ext?.anthropic);
}

/** The root must say that it is an object: protocols.md 3.5. */
function schemaOf(parameters: Json | undefined): Json {
  if (parameters === undefined || parameters === null) return { type: "object" };
  if (!isObject(parameters) || parameters["type"] !== undefined) return parameters;
  return compact({ type: "object" }, parameters);
}

/** `tool_choice`, which on this wire also says whether calls may be parallel. */
export function writeToolChoice(request: IrRequest): JsonObject | undefined {
  const { toolChoice, parallelToolCalls, tools } = request;
  const isSerial = parallelToolCalls === undefined ? undefined : !parallelToolCalls;
  if (toolChoice === undefined) {
    // The switch needs a choice to stand in, and a choice needs tools.
    const hasTools = tools !== undefined && tools.length > 0;
    return isSerial === true && hasTools ? choice({ kind: "auto" }, isSerial) : undefined;
  }
  const own = request.ext?.anthropic;
  return innerObject(choice(toolChoice, isSerial), { own, name: "tool_choice" });
}

function choice(toolChoice: ToolChoice, isSerial: boolean | undefined): JsonObject {
  const disable_parallel_tool_use = isSerial;
  switch (toolChoice.kind) {
    case "none":
      return { type: "none" };
    case "auto":
    case "validated":
      return compact({ type: "auto", disable_parallel_tool_use });
    case "required":
      return compact({ type: "any", disable_parallel_tool_use });
    case "tool":
      return compact({ type: "tool", name: toolChoice.name, disable_parallel_tool_use });
    case "allowed": {
      const type = toolChoice.mode === "required" ? "any" : "auto";
      return compact({ type, disable_parallel_tool_use });
    }
  }
}

function lose(
  tool: Tool,
  { code, writing }: { readonly code: "L-HOSTED" | "L-FREEFORM"; readonly writing: Writing },
): void {
  writing.report({ code, path: tool.at ?? "tools", action: "dropped" });
}
