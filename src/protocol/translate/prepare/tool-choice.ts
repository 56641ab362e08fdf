import type { IrRequest, Tool, ToolChoice } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";
import { dropExt } from "./own-words.ts";
import type { ToolNames } from "./tool-names.ts";

export interface Choice {
  readonly tools: readonly Tool[] | undefined;
  readonly toolChoice: ToolChoice | undefined;
  readonly parallelToolCalls: boolean | undefined;
}
export interface ChoiceContext {
  readonly tools: readonly Tool[] | undefined;
  readonly names: ToolNames;
  /** The history has tool calls. */
  readonly hasHistory: boolean;
  /** Thinking bars a forced tool. */
  readonly isBarred: boolean;
  readonly fit: Fit;
}

/** Which tools the model may or must call, and how many at once: protocols.md §3.6. */
export function fitChoice(request: IrRequest, context: ChoiceContext): Choice {
  const { tools, fit } = context;
  const { toolChoice } = request;
  if (tools === undefined || tools.length === 0) {
    if (toolChoice !== undefined && toolChoice.kind !== "auto" && toolChoice.kind !== "none") {
      fit.lose("L-TOOLFILTER", fit.paths.toolChoice);
    }
    return { tools, toolChoice: undefined, parallelToolCalls: undefined };
  }
  const parallelToolCalls = fitParallel(request, fit);
  const choice = toolChoice && named(toolChoice, request, context);
  const fitted: Chosen =
    choice === undefined
      ? { tools, toolChoice: switchOnly(parallelToolCalls, fit) }
      : chosen(unforced(choice, context), context);
  return {
    ...fitted,
    parallelToolCalls: fitted.tools === undefined ? undefined : parallelToolCalls,
  };
}

function fitParallel({ parallelToolCalls }: IrRequest, fit: Fit): boolean | undefined {
  if (fit.capabilities.parallelSwitch) return parallelToolCalls;
  if (parallelToolCalls === false) fit.lose("L-PARALLEL", fit.paths.parallelToolCalls);
  return undefined;
}

/** Anthropic's switch is a part of the choice, so there must be one. */
function switchOnly(
  parallelToolCalls: boolean | undefined,
  { target }: Fit,
): ToolChoice | undefined {
  return parallelToolCalls === false && target === "anthropic" ? { kind: "auto" } : undefined;
}

/** The choice with the tools' names on the wire; undefined when its tool is the vendor's own. */
function named(
  given: ToolChoice,
  { tools: asked }: IrRequest,
  { tools, names, fit }: ChoiceContext,
): ToolChoice | undefined {
  const path = fit.paths.toolChoice;
  const choice = dropExt(given, { kind: "choice", path, fit });
  if (choice.kind === "allowed") {
    return { ...choice, names: choice.names.map((name) => names.fit(name, path)) };
  }
  if (choice.kind !== "tool") return choice;
  const isOurs = asked?.some((tool) => tool.kind !== "hosted" && nameOf(tool) === choice.name);
  const isHosted = asked?.some((tool) => tool.kind === "hosted" && !tools?.includes(tool));
  if (isOurs !== true && isHosted === true) {
    fit.lose("L-HOSTED", path);
    return undefined;
  }
  const toolType = fit.capabilities.freeformTools ? choice.toolType : undefined;
  return { ...choice, name: names.fit(choice.name, path), toolType };
}

function nameOf(tool: Tool): string | undefined {
  return tool.kind === "cache_mark" ? undefined : tool.name;
}

function unforced(choice: ToolChoice, { isBarred, fit }: ChoiceContext): ToolChoice {
  if (!isBarred || choice.kind === "auto" || choice.kind === "none") return choice;
  if (choice.kind === "validated") return choice;
  if (choice.kind === "allowed" && choice.mode === "auto") return choice;
  fit.lose("L-TOOLCHOICE-THINKING", fit.paths.toolChoice, { action: "approximated" });
  return choice.kind === "allowed" ? { ...choice, mode: "auto" } : { kind: "auto" };
}

type Chosen = Pick<Choice, "tools" | "toolChoice">;

function chosen(choice: ToolChoice, context: ChoiceContext): Chosen {
  const { tools, fit } = context;
  const can = fit.capabilities;
  const path = fit.paths.toolChoice;
  switch (choice.kind) {
    case "auto":
    case "required":
      return { tools, toolChoice: choice };
    case "none":
      return can.toolChoiceNone ? { tools, toolChoice: choice } : none(context);
    case "validated":
      if (fit.target === "gemini") return { tools, toolChoice: choice };
      fit.lose("L-STRICT", path, { action: "approximated" });
      return { tools, toolChoice: { kind: "auto" } };
    case "tool":
      if (can.toolChoiceNamed) return { tools, toolChoice: choice };
      return filtered(choice, { names: [choice.name], mode: "required", context });
    case "allowed":
      if (can.toolChoiceSet) return { tools, toolChoice: choice };
      return filtered(choice, { names: choice.names, mode: choice.mode, context });
  }
}

/** Without a word for it, no tools are no calls; but a history with calls wants its list. */
function none({ tools, hasHistory, fit }: ChoiceContext): Chosen {
  if (hasHistory && fit.capabilities.toolsWithHistory) {
    fit.lose("L-TOOLNONE", fit.paths.toolChoice);
    return { tools, toolChoice: undefined };
  }
  fit.lose("L-TOOLFILTER", fit.paths.tools, { action: "emulated" });
  return { tools: undefined, toolChoice: undefined };
}

interface Filter {
  readonly names: readonly string[];
  readonly mode: "auto" | "required";
  readonly context: ChoiceContext;
}

/** Only the tools that may be called; the same in meaning, though the cache begins anew. */
function filtered(choice: ToolChoice, { names, mode, context }: Filter): Chosen {
  const { tools, fit } = context;
  const allowed = new Set(names);
  const kept = (tools ?? []).filter(
    (tool) => tool.kind === "cache_mark" || allowed.has(nameOf(tool) ?? ""),
  );
  if (!kept.some(({ kind }) => kind !== "cache_mark")) {
    const path = choice.at ?? fit.paths.toolChoice;
    fit.malformed(path, "The tool choice names no tool of the list.");
  }
  if (kept.length < (tools ?? []).length) {
    fit.lose("L-TOOLFILTER", fit.paths.tools, { action: "emulated" });
  }
  return { tools: kept, toolChoice: { kind: mode } };
}
