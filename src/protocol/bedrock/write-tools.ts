import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import type { FunctionTool, IrRequest, Tool, ToolChoice } from "../ir/request.ts";
import { inside, unlessEmpty } from "./rest.ts";
import { cachePoint } from "./write-blocks.ts";

/** `toolConfig`; undefined where a request has no tools, for an empty list is refused. */
export function writeTools(
  { tools, toolChoice, ext, origin }: IrRequest,
  report: Report,
): JsonObject | undefined {
  const left = inside(ext?.bedrock, "toolConfig");
  const own = origin === "bedrock";
  const list = tools?.flatMap((tool, index) =>
    writeTool(tool, { own, report, path: `tools[${index}]` }),
  );
  const isThere = list !== undefined && (list.length > 0 || own);
  const members = isThere ? { tools: list, toolChoice: choiceOf(toolChoice) } : {};
  return unlessEmpty(compact(members, left), left);
}

interface ToolContext {
  /** Whether it was read from this wire: then it is spelled as it was. */
  readonly own: boolean;
  readonly report: Report;
  readonly path: string;
}

function writeTool(tool: Tool, { own, report, path }: ToolContext): readonly JsonObject[] {
  switch (tool.kind) {
    case "function":
      return [functionOf(tool, own), ...(tool.cache === undefined ? [] : [cachePoint(tool.cache)])];
    case "cache_mark": {
      const left = tool.ext?.bedrock;
      const inner = inside(left, "cachePoint");
      const mark = compact({ type: inner?.["type"] ?? "default", ttl: tool.cache.ttl }, inner);
      return [compact({ cachePoint: mark }, left)];
    }
    case "hosted":
      if (tool.vendor === "bedrock") return [tool.raw];
      report({ code: "L-HOSTED", path: tool.at ?? path, action: "dropped", detail: tool.type });
      return [];
    case "freeform":
      report({ code: "L-FREEFORM", path: tool.at ?? path, action: "dropped" });
      return [];
  }
}

/** The type wants a schema, and a schema wants to be an object's. */
function functionOf(tool: FunctionTool, own: boolean): JsonObject {
  const { name, description, parameters, strict, ext } = tool;
  const left = ext?.bedrock;
  const spec = inside(left, "toolSpec");
  const schema = inside(spec, "inputSchema");
  const json = own ? parameters : (parameters ?? { type: "object", properties: {} });
  const inputSchema = unlessEmpty(compact({ json }, schema), schema);
  const members = { name, description, inputSchema, strict };
  return compact({ toolSpec: compact(members, spec) }, left);
}

function choiceOf(choice: ToolChoice | undefined): JsonObject | undefined {
  switch (choice?.kind) {
    case "auto":
      return { auto: {} };
    case "required":
      return { any: {} };
    case "tool":
      return { tool: { name: choice.name } };
    // There is no word for these: `prepare` has said what becomes of them.
    case "validated":
    case "none":
    case "allowed":
    case undefined:
      return undefined;
  }
}
