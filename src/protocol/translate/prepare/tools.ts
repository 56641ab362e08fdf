import type { FunctionTool, HostedTool, IrRequest, Tool } from "../../ir/request.ts";
import { asFunction } from "./freeform.ts";
import type { Fit } from "./fit.ts";
import { dropExt } from "./own-words.ts";
import type { Pairs } from "./pairing.ts";
import { fitSchema } from "./schemas.ts";
import { fitWebSearch, type WebSearchContext } from "./web-search.ts";
import { type ToolNames, toolNames } from "./tool-names.ts";

/** The tool list for the target, and how to get back to the caller's. */
export interface FittedTools {
  readonly tools: readonly Tool[] | undefined;
  readonly names: ToolNames;
  /** By wire name: functions that stand for freeform tools. */
  readonly unwrapped: ReadonlySet<string>;
}

/** These wires want parameters of every tool: protocols.md §3.5. */
const WANTS_PARAMETERS: ReadonlySet<string> = new Set(["anthropic", "bedrock", "cohere"]);
const NO_PARAMETERS = { type: "object", properties: {} };

export function fitTools(request: IrRequest, pairs: Pairs, fit: Fit): FittedTools {
  const { tools } = request;
  const names = toolNames(knownNames(request, pairs), fit);
  const unwrapped = new Set<string>();
  const taken = new Set((tools ?? []).flatMap((tool) => ownName(tool) ?? []));
  const fitted: Tool[] = [];
  for (const tool of tools ?? []) {
    const one = fitTool(tool, { names, taken, unwrapped, fit });
    if (one !== undefined) fitted.push(one);
  }
  if (fitted.length > 0) return { tools: fitted, names, unwrapped };
  if (pairs.lastTurn >= 0 && fit.capabilities.toolsWithHistory) {
    return { tools: synthesised(pairs, names, fit), names, unwrapped };
  }
  return { tools: tools?.length === 0 ? tools : undefined, names, unwrapped };
}

function ownName(tool: Tool): string | undefined {
  return tool.kind === "function" || tool.kind === "freeform" ? tool.name : undefined;
}

/** Every name the request gives a tool, so that no renamed one meets another. */
function knownNames({ tools, toolChoice }: IrRequest, { calls }: Pairs): readonly string[] {
  const names: string[] = [];
  for (const tool of tools ?? [])
    if ("name" in tool && tool.name !== undefined) names.push(tool.name);
  for (const { name } of calls.keys()) names.push(name);
  if (toolChoice?.kind === "tool") names.push(toolChoice.name);
  if (toolChoice?.kind === "allowed") names.push(...toolChoice.names);
  return names;
}

interface Fitting {
  readonly names: ToolNames;
  readonly taken: ReadonlySet<string>;
  readonly unwrapped: Set<string>;
  readonly fit: Fit;
}

function fitTool(tool: Tool, { names, taken, unwrapped, fit }: Fitting): Tool | undefined {
  const path = tool.at ?? fit.paths.tools;
  switch (tool.kind) {
    case "function":
      return fitFunction(
        dropExt(tool, { kind: "tool", path, fit }),
        names.fit(tool.name, path),
        fit,
      );
    case "freeform": {
      const own = dropExt(tool, { kind: "tool", path, fit });
      const name = names.fit(tool.name, path);
      if (fit.capabilities.freeformTools) return name === own.name ? own : { ...own, name };
      unwrapped.add(name);
      return fitFunction(asFunction(own, name, fit), name, fit);
    }
    case "hosted":
      return tool.vendor === fit.target ? tool : fitHosted(tool, path, { taken, fit });
    case "cache_mark":
      return tool;
  }
}

function fitHosted(
  tool: HostedTool,
  path: string,
  context: WebSearchContext,
): HostedTool | undefined {
  const search = fitWebSearch(tool, context);
  if (search === undefined) context.fit.lose("L-HOSTED", path);
  return search;
}

function fitFunction(tool: FunctionTool, name: string, fit: Fit): FunctionTool {
  const path = tool.at ?? fit.paths.tools;
  const { parameters: given, schemaDialect: dialect } = tool;
  const wantsParameters = WANTS_PARAMETERS.has(fit.target);
  const isNone = given === undefined || (given === null && fit.target !== "responses");
  const none = wantsParameters ? NO_PARAMETERS : undefined;
  const { schema, schemaDialect } = isNone
    ? { schema: none, schemaDialect: fit.capabilities.schemas }
    : fitSchema(given, { dialect, path, fit });
  return { ...tool, name, parameters: schema, schemaDialect, strict: fitStrict(tool, path, fit) };
}

/** Responses takes an absent `strict` for true: protocols.md §3.5. */
function fitStrict({ strict }: FunctionTool, path: string, fit: Fit): boolean | undefined {
  if (fit.capabilities.strictTools) {
    return strict ?? (fit.target === "responses" ? false : undefined);
  }
  if (strict === true) fit.lose("L-STRICT", path);
  return undefined;
}

/** A history with tool blocks needs a list, even when the caller has none: protocols.md §3.7. */
function synthesised(pairs: Pairs, names: ToolNames, fit: Fit): readonly Tool[] | undefined {
  fit.lose("L-TOOLS-SYNTH", fit.paths.tools, { action: "defaulted" });
  const wires = new Set<string>();
  for (const { name, at } of pairs.calls.keys()) wires.add(names.fit(name, at ?? fit.paths.tools));
  return [...wires].map((name) => ({
    kind: "function",
    name,
    parameters: NO_PARAMETERS,
    schemaDialect: fit.capabilities.schemas,
  }));
}
