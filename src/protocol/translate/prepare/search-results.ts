import { printJson } from "../../../wire/exact-json.ts";
import type { SearchResultBlock, TextBlock } from "../../ir/block.ts";
import { isObject } from "../../ir/fields.ts";
import type { Json, JsonObject } from "../../ir/json.ts";
import type { DocumentRef } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";
import { dropExt } from "./own-words.ts";
import { bare, fitText, pathOf } from "./text.ts";

/** What a document of Cohere's may call its text. */
const TEXT_NAMES = ["text", "snippet", "content"] as const;

/** A search result as itself, or as plain text where the target has no such block. */
export function fitSearchResult(
  block: SearchResultBlock,
  fit: Fit,
): SearchResultBlock | TextBlock | undefined {
  const own = { ...bare(block, fit), content: textsOf(block, fit) };
  if (fit.capabilities.searchResults) return own;
  fit.lose("L-DOCCONTEXT", pathOf(block, fit), { action: "approximated" });
  if (block.citations === true) fit.lose("L-CITE", pathOf(block, fit));
  return fitText({ type: "text", text: wordsOf(own), cache: own.cache, at: own.at }, fit);
}

function textsOf({ content }: SearchResultBlock, fit: Fit): readonly TextBlock[] {
  return content.flatMap((text) => fitText(text, fit, "inner") ?? []);
}

function wordsOf({ title, source, content }: SearchResultBlock): string {
  const head = title === undefined || title === "" ? source : `${title}\n${source}`;
  return [head, ...content.map(({ text }) => text)].join("\n\n");
}

/** A search result beside the messages, where the target has its documents there. */
export function asDocument(block: SearchResultBlock, fit: Fit): DocumentRef {
  const { title, source, at } = bare(block, fit);
  const text = textsOf(block, fit)
    .map((part) => part.text)
    .join("\n\n");
  const data: Record<string, Json> = { text };
  if (title !== undefined) data["title"] = title;
  if (source !== "") data["url"] = source;
  return { data, at };
}

/** Documents that stood beside the messages, as search results, or as text, among them. */
export function asBlocks(
  documents: readonly DocumentRef[],
  fit: Fit,
): readonly (SearchResultBlock | TextBlock)[] {
  return documents.map((document, index) => {
    const path = document.at ?? `${fit.paths.documents}[${index}]`;
    const { id, data } = dropExt(document, { kind: "document", path, fit });
    fit.lose("L-DOCCONTEXT", path, { action: "moved" });
    const text = textOf(data);
    const title = isObject(data) ? textAt(data, "title") : undefined;
    const source =
      (isObject(data) ? textAt(data, "url") : undefined) ?? id ?? `document ${index + 1}`;
    const content: readonly TextBlock[] = [{ type: "text", text }];
    const block: SearchResultBlock = { type: "search_result", source, title, content, at: path };
    if (fit.capabilities.searchResults) return block;
    return { type: "text", text: wordsOf(block), at: path };
  });
}

/** Its text alone only where it holds nothing else but a title and an address. */
function textOf(data: Json): string {
  if (typeof data === "string") return data;
  if (isObject(data)) {
    const name = TEXT_NAMES.find((each) => typeof data[each] === "string");
    const isWhole = Object.keys(data).every(
      (key) => key === name || key === "title" || key === "url",
    );
    if (name !== undefined && isWhole) return String(data[name]);
  }
  return printJson(data);
}

function textAt(data: JsonObject, name: string): string | undefined {
  const value = data[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}
