import type { Rejection } from "../../core/rejection.ts";
import { malformed } from "../envelope-fields.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Tool, ToolChoice } from "../ir/request.ts";
import { readCachePoint } from "./read-blocks.ts";
import { extOf, leftOf } from "./rest.ts";

/** What a request's `toolConfig` says. */
export interface ReadTools {
  readonly tools: readonly Tool[] | undefined;
  readonly toolChoice: ToolChoice | undefined;
  readonly left: JsonObject | undefined;
}

/** The tools of a request and the choice among them. */
export function readTools(config: JsonObject): ReadTools | Rejection {
  const fields = new Fields(config);
  const list = fields.list("tools");
  const choice = fields.peek("toolChoice");
  // A choice among no tools is none.
  const toolChoice = list !== undefined && isObject(choice) ? readToolChoice(choice) : undefined;
  if (toolChoice !== undefined) fields.skip("toolChoice");
  const left = leftOf(config, fields);
  if (list === undefined) return { tools: undefined, toolChoice, left };
  const tools: Tool[] = [];
  for (const [index, wire] of list.entries()) {
    const at = `toolConfig.tools[${index}]`;
    if (!isObject(wire)) return malformed(at, `'${at}' must be an object`);
    tools.push(readTool(wire, at));
  }
  return { tools, toolChoice, left };
}

function readTool(wire: JsonObject, at: string): Tool {
  const fields = new Fields(wire);
  const spec = fields.object("toolSpec");
  if (spec !== undefined) return readSpec({ wire, fields, spec, at });
  const mark = fields.object("cachePoint");
  if (mark !== undefined) {
    const { block, left } = readCachePoint(mark);
    const ext = extOf(leftOf(wire, fields, { cachePoint: left }));
    return { kind: "cache_mark", cache: block.cache, at, ext };
  }
  const [member = ""] = Object.keys(wire);
  const inner = wire["systemTool"];
  const name = isObject(inner) && typeof inner["name"] === "string" ? inner["name"] : undefined;
  return { kind: "hosted", vendor: "bedrock", type: name ?? member, name, raw: wire, at };
}

interface SpecRead {
  readonly wire: JsonObject;
  readonly fields: Fields;
  readonly spec: JsonObject;
  readonly at: string;
}

function readSpec({ wire, fields, spec, at }: SpecRead): Tool {
  const inner = new Fields(spec);
  const name = inner.text("name");
  if (name === undefined)
    return { kind: "hosted", vendor: "bedrock", type: "toolSpec", raw: wire, at };
  const schema = inner.object("inputSchema");
  const schemaFields = schema && new Fields(schema);
  return {
    kind: "function",
    name,
    description: inner.text("description"),
    parameters: schemaFields?.any("json"),
    schemaDialect: "json-schema",
    strict: inner.flag("strict"),
    at,
    ext: extOf(
      leftOf(wire, fields, {
        toolSpec: leftOf(spec, inner, {
          inputSchema: schema && schemaFields && leftOf(schema, schemaFields),
        }),
      }),
    ),
  };
}

/** One of three members, two of them empty objects; any other shape is left where it stands. */
function readToolChoice(wire: JsonObject): ToolChoice | undefined {
  const [member = "", ...more] = Object.keys(wire);
  const value: Json | undefined = wire[member];
  if (more.length > 0 || !isObject(value)) return undefined;
  const { name } = value;
  const count = Object.keys(value).length;
  if (member === "auto" && count === 0) return { kind: "auto" };
  if (member === "any" && count === 0) return { kind: "required" };
  const isNamed = member === "tool" && count === 1 && typeof name === "string";
  return isNamed ? { kind: "tool", name } : undefined;
}

/** Whether a list is one of texts. */
export function isTexts(list: Json | undefined): list is readonly string[] {
  return isList(list) && list.every((text) => typeof text === "string");
}
