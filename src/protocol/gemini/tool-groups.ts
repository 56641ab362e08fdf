import type { Tool } from "../ir/request.ts";

/**
 * How a list of tools is cut into objects: for each, its members in their order, with the number of
 * declarations, or -1 for a tool that Google runs.
 */
export type ToolGroups = readonly (readonly (readonly [string, number])[])[];

/** All declarations in one object where the first stands, every other tool in its own. */
export function usualGroups(tools: readonly Tool[]): ToolGroups {
  const groups: (readonly (readonly [string, number])[])[] = [];
  const count = tools.filter(({ kind }) => kind === "function").length;
  let isDeclared = false;
  for (const tool of tools) {
    if (tool.kind === "hosted") groups.push([[tool.type, -1]]);
    if (tool.kind !== "function" || isDeclared) continue;
    isDeclared = true;
    groups.push([["functionDeclarations", count]]);
  }
  return groups;
}
