import type { RequestContext } from "../codec.ts";
import { compact, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { IrRequest } from "../ir/request.ts";
import { inside } from "./media.ts";
import { SPELLING, TOOL_GROUPS } from "./read-request.ts";
import { respelled } from "./spelling.ts";
import type { ToolGroups } from "./tool-groups.ts";
import { writeConfig } from "./write-config.ts";
import { writeMessages, writeSystem } from "./write-messages.ts";
import { writeToolChoice, writeTools } from "./write-tools.ts";

/** The body of a request for content; its model stands in the path. */
export function writeRequest(request: IrRequest, context: RequestContext): JsonObject {
  const { report, capabilities } = context;
  const { tools, metadata, tier } = request;
  const rest = request.ext?.gemini;
  const own = request.origin === "gemini";
  const groups = own ? (rest?.[TOOL_GROUPS] as ToolGroups | undefined) : undefined;
  const body = compact(
    {
      contents: writeContents(request, { own, report }),
      systemInstruction: writeInstruction(request, { own, report }),
      tools: tools && writeTools(tools, { groups, report }),
      toolConfig: writeToolConfig(request, own),
      generationConfig: writeConfig(request, { capabilities, report }),
      labels: metadata,
      serviceTier: tier,
    },
    rest && withoutMarks(rest),
  );
  const spelling = own ? rest?.[SPELLING] : undefined;
  return isObject(spelling) ? respelled(body, spelling) : body;
}

interface Writing {
  readonly own: boolean;
  readonly report: RequestContext["report"];
}

function writeContents({ messages, inputBareString }: IrRequest, writing: Writing): Json {
  const block = messages[0]?.blocks[0];
  const isBare = writing.own && inputBareString === true && block?.type === "text";
  return isBare ? block.text : writeMessages(messages, writing);
}

function writeInstruction(request: IrRequest, writing: Writing): Json | undefined {
  const { system, systemBareString, ext } = request;
  const [first] = system;
  if (writing.own && systemBareString === true && first?.type === "text") return first.text;
  const written = writeSystem(system, writing);
  return written && compact(written, inside(ext?.gemini, "systemInstruction"));
}

/** A choice among no tools is refused: features.md b-R54. */
function writeToolConfig(request: IrRequest, own: boolean): JsonObject | undefined {
  const { tools, toolChoice, ext } = request;
  const rest = inside(ext?.gemini, "toolConfig");
  const hasTools = own || (tools !== undefined && tools.length > 0);
  if (toolChoice === undefined || !hasTools) return rest;
  return compact({ functionCallingConfig: writeToolChoice(toolChoice) }, rest);
}

function withoutMarks(rest: JsonObject): JsonObject {
  const kept: Record<string, Json> = Object.create(null);
  for (const name of Object.keys(rest)) {
    if (name !== SPELLING && name !== TOOL_GROUPS) kept[name] = rest[name]!;
  }
  return kept;
}
