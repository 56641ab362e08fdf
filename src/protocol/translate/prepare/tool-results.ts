import { printJson } from "../../../wire/exact-json.ts";
import type {
  Block,
  JsonBlock,
  MediaBlock,
  ResultContent,
  TextBlock,
  ToolResultBlock,
} from "../../ir/block.ts";
import { isObject } from "../../ir/fields.ts";
import type { Fit } from "./fit.ts";
import { fitMedia } from "./media.ts";
import { dropExt } from "./own-words.ts";
import type { PairedResult } from "./pairing.ts";
import { fitSearchResult } from "./search-results.ts";
import { bare, fitText, pathOf } from "./text.ts";
import type { ToolNames } from "./tool-names.ts";

/** What stands in a result for a medium that had to go elsewhere. */
const MOVED = "(in the next user message)";
const ERROR_PREFIX = "Error: ";
const SAYS_ERROR = /^\s*error\b/i;

export interface FittedResult {
  readonly result: ToolResultBlock;
  /** Media for a user message behind the results of the same turn. */
  readonly aside: readonly Block[];
}

/** A tool result in the target's form: protocols.md §3.7. */
export function fitResult({ block, call }: PairedResult, names: ToolNames, fit: Fit): FittedResult {
  const { capabilities: can } = fit;
  const aside: Block[] = [];
  const path = pathOf(block, fit);
  const own = dropExt(block, { kind: "block", path, fit });
  const parts = block.content.flatMap((part) => fitContent(part, aside, fit));
  const { isError, said } = withError(block, parts, fit);
  const content = filled(oneText(said, fit), fit);
  // Without an id only the name tells whose it is.
  const isNamed = can.resultNeedsName || !can.toolIds;
  const name = isNamed ? names.fit(call.block.name, path) : undefined;
  if (own === block && isPlain(block) && call.id === block.callId && name === block.name) {
    const isSame = content.length === block.content.length && content.every(isAt, block.content);
    if (isSame) return { result: block, aside };
  }
  const result: ToolResultBlock = {
    ...own,
    id: undefined,
    group: undefined,
    phase: undefined,
    status: undefined,
    callId: call.id,
    name,
    content,
    isError,
    freeform: can.freeformTools ? block.freeform : undefined,
  };
  return { result, aside };
}

/** Nothing in it that some target might not take. */
function isPlain({ id, group, phase, status, isError, freeform }: ToolResultBlock): boolean {
  return (id ?? group ?? phase ?? status ?? isError ?? freeform) === undefined;
}

function isAt(this: readonly ResultContent[], part: ResultContent, index: number): boolean {
  return this[index] === part;
}

function fitContent(part: ResultContent, aside: Block[], fit: Fit): readonly ResultContent[] {
  switch (part.type) {
    case "text":
      return listed(fitText(part, fit, "inner"));
    case "media":
      return fitResultMedia(part, aside, fit);
    case "search_result":
      return listed(fitSearchResult(part, fit));
    case "json":
      return [fitJson(part, fit)];
    case "cache_mark":
      fit.lose("L-CACHE", pathOf(part, fit));
      return [];
    case "opaque":
      if (part.vendor === fit.target) return [part];
      fit.lose("L-UNKNOWN-BLOCK", pathOf(part, fit));
      return [];
  }
}

function listed<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

/** Media stay where the target reads them there, and else move behind the results. */
function fitResultMedia(block: MediaBlock, aside: Block[], fit: Fit): readonly ResultContent[] {
  const content: ResultContent[] = [];
  for (const form of fitMedia(block, fit)) {
    if (form.type === "text") content.push(form);
    if (form.type !== "media") continue;
    if (fit.capabilities.resultMedia.includes(form.kind)) {
      content.push(form);
    } else {
      fit.lose("L-TOOLIMG-MOVED", pathOf(form, fit), { action: "moved" });
      content.push({ type: "text", text: MOVED, at: form.at });
      aside.push(form);
    }
  }
  return content;
}

/** Gemini's own wrapping of plain text is taken off; any other value goes as JSON text. */
function fitJson(block: JsonBlock, fit: Fit): JsonBlock | TextBlock {
  // Cohere's documents have ids, which nothing else refers to elsewhere.
  if (block.id !== undefined) fit.lose("L-DOCNAME", pathOf(block, fit));
  const own = bare(block, fit);
  if (fit.capabilities.resultJson) return own;
  const { value, cache, at } = own;
  const isWrapped = fit.origin === "gemini" && isObject(value) && Object.keys(value).length === 1;
  const wrapped = isWrapped ? value["output"] : undefined;
  const text = typeof wrapped === "string" ? wrapped : printJson(value);
  return { type: "text", text, cache, at };
}

interface Said {
  readonly isError: boolean | undefined;
  readonly said: readonly ResultContent[];
}

/** Three wires have no flag for a failure, so the text says it. */
function withError(
  { isError, at }: ToolResultBlock,
  content: readonly ResultContent[],
  fit: Fit,
): Said {
  if (fit.capabilities.resultErrors) return { isError, said: content };
  if (isError !== true) return { isError: undefined, said: content };
  fit.lose("L-ISERROR", at ?? fit.paths.messages, { action: "emulated" });
  const index = content.findIndex(({ type }) => type === "text");
  const text = content[index];
  if (text?.type !== "text") {
    return { isError: undefined, said: [{ type: "text", text: ERROR_PREFIX.trim() }, ...content] };
  }
  if (SAYS_ERROR.test(text.text)) return { isError: undefined, said: content };
  const said = content.with(index, { ...text, text: ERROR_PREFIX + text.text });
  return { isError: undefined, said };
}

/** Many hosts of OpenAI's wire take nothing but a string here: protocols.md §3.3. */
function oneText(content: readonly ResultContent[], { target }: Fit): readonly ResultContent[] {
  if (target !== "openai" || content.length < 2) return content;
  const texts = content.filter((part) => part.type === "text").filter(isPlainText);
  if (texts.length < content.length) return content;
  const cache = texts.findLast((text) => text.cache !== undefined)?.cache;
  const text = texts.map((each) => each.text).join("\n");
  return [{ type: "text", text, cache, at: texts[0]?.at }];
}

function isPlainText({ citations, proof, ext }: TextBlock): boolean {
  return (citations ?? proof ?? ext) === undefined;
}

/** Where a result is a message of its own, it has a content. */
function filled(
  content: readonly ResultContent[],
  { capabilities }: Fit,
): readonly ResultContent[] {
  if (content.length > 0 || capabilities.toolResults === "user") return content;
  return [{ type: "text", text: capabilities.refusesEmptyText ? "." : "" }];
}
