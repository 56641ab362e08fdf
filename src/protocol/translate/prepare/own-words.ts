import { DIALECT_IDS } from "../../../core/ids.ts";
import { isObject } from "../../ir/fields.ts";
import type { Json, JsonObject } from "../../ir/json.ts";
import type { Ext, Node } from "../../ir/node.ts";
import { type NodeKind, type Rule, ruleOf } from "./own-word-rules.ts";
import type { Fit } from "./fit.ts";

export interface OwnWords {
  readonly kind: NodeKind;
  /** Where the node stands; empty for the body itself. */
  readonly path: string;
  readonly fit: Fit;
}

/** The node without what only its own protocol knows, each word of it reported by its rule. */
export function dropExt<T extends Node>(node: T, words: OwnWords): T {
  const { ext } = node;
  if (ext === undefined) return node;
  const { target } = words.fit;
  const kept: Ext | undefined = ext[target] && { [target]: ext[target] };
  for (const dialect of DIALECT_IDS) {
    const own = ext[dialect];
    if (own !== undefined && dialect !== target) reportAll(own, "", words);
  }
  return { ...node, ext: kept };
}

/** How Responses' reader marks what stood in the item around a block, not in the block. */
const OF_ITEM = "$";

/** `inside` is where `own` stands within its node, with a dot behind it. */
function reportAll(own: JsonObject, inside: string, words: OwnWords): void {
  const { kind, path, fit } = words;
  for (const key of Object.keys(own)) {
    const value = own[key]!;
    if (isNothing(value)) continue;
    const name = kind === "request" || !key.startsWith(OF_ITEM) ? key : key.slice(OF_ITEM.length);
    const rule = ruleOf(kind, { origin: fit.origin, name: inside + name });
    if (rule === "inside" && isObject(value)) reportAll(value, `${inside}${name}.`, words);
    else reportOne(value, { rule, path: joined(path, inside + name), fit });
  }
}

interface OneWord {
  readonly rule: Rule;
  readonly path: string;
  readonly fit: Fit;
}

function reportOne(value: Json, { rule, path, fit }: OneWord): void {
  if (rule === "quiet") return;
  if (rule === "inside") fit.lose("L-UNKNOWN-FIELD", path);
  else if (typeof rule === "string") fit.lose(rule, path);
  else if (!rule.quiet?.includes(value)) fit.lose(rule.code, path, { severity: rule.severity });
}

/** Null and what is empty say nothing that could be lost. */
function isNothing(value: Json): boolean {
  if (typeof value !== "object") return false;
  if (value === null) return true;
  return Array.isArray(value) ? value.length === 0 : isObject(value) && isEmpty(value);
}

function isEmpty(value: JsonObject): boolean {
  for (const _name in value) return false;
  return true;
}

function joined(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
