import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import type { FunctionTool, HostedTool, Tool, ToolChoice } from "../ir/request.ts";
import { type ToolGroups, usualGroups } from "./tool-groups.ts";

export interface ToolWriting {
  /** How the caller had cut the list, when it came in this protocol. */
  readonly groups: ToolGroups | undefined;
  readonly report: Report;
}

/** The list of tools; what the wire cannot say is left out and reported. */
export function writeTools(
  tools: readonly Tool[],
  { groups, report }: ToolWriting,
): readonly JsonObject[] {
  const declared: FunctionTool[] = [];
  const hosted: HostedTool[] = [];
  for (const [index, tool] of tools.entries()) {
    const path = tool.at ?? `tools[${index}]`;
    if (tool.kind === "function") declared.push(tool);
    else if (tool.kind === "hosted" && tool.vendor === "gemini") hosted.push(tool);
    else report({ code: LOSSES[tool.kind], path, action: "dropped" });
  }
  const declarations = declared.map(writeDeclaration);
  let taken = 0;
  let hostedTaken = 0;
  return (groups ?? usualGroups([...tools.filter(isWritten)])).map((group) => {
    const entry: Record<string, JsonObject[string]> = Object.create(null);
    for (const [name, count] of group) {
      if (count < 0) entry[name] = hosted[hostedTaken++]?.raw[name] ?? {};
      else entry[name] = declarations.slice(taken, (taken += count));
    }
    return entry;
  });
}

const LOSSES = {
  freeform: "L-FREEFORM",
  hosted: "L-HOSTED",
  cache_mark: "L-CACHE",
} as const;

function isWritten(tool: Tool): boolean {
  return tool.kind === "function" || (tool.kind === "hosted" && tool.vendor === "gemini");
}

function writeDeclaration(tool: FunctionTool): JsonObject {
  const { name, description, parameters, schemaDialect, ext } = tool;
  const slot = schemaDialect === "openapi" ? "parameters" : "parametersJsonSchema";
  return compact({ name, description, [slot]: parameters }, ext?.gemini);
}

/** The `functionCallingConfig` of a choice. */
export function writeToolChoice(choice: ToolChoice): JsonObject {
  return compact(modeOf(choice), choice.ext?.gemini);
}

function modeOf(choice: ToolChoice): JsonObject {
  switch (choice.kind) {
    case "auto":
      return { mode: "AUTO" };
    case "none":
      return { mode: "NONE" };
    case "required":
      return { mode: "ANY" };
    case "validated":
      return { mode: "VALIDATED" };
    case "tool":
      return { mode: "ANY", allowedFunctionNames: [choice.name] };
    case "allowed": {
      // With VALIDATED the model may still answer in words.
      const mode = choice.mode === "required" ? "ANY" : "VALIDATED";
      return { mode, allowedFunctionNames: choice.names };
    }
  }
}
