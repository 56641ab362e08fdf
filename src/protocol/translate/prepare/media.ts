import type { Block, MediaBlock, MediaSource } from "../../ir/block.ts";
import { asTarget } from "./documents.ts";
import type { Fit } from "./fit.ts";
import { mimeOf, takesMime } from "./media-types.ts";
import { bare, fitProof, fitText, pathOf } from "./text.ts";

/** Wires whose images may be data URLs, so that one nobody could read stands as it came. */
const READS_DATA_URLS: ReadonlySet<string> = new Set(["openai", "responses", "cohere"]);

/** What a medium becomes at the target; nothing where it is lost or the request is refused. */
export function fitMedia(block: MediaBlock, fit: Fit): readonly Block[] {
  return formsOf(block, fit).flatMap((form): readonly Block[] => {
    if (form.type !== "media") return spoken(form, fit);
    const why = objection(form, fit);
    if (why === undefined) return [fitted(form, fit)];
    fit.refuse(pathOf(form, fit), why);
    return [];
  });
}

/** Media of an assistant's turn, which most targets take from the user only. */
export interface AssistantMedia {
  readonly blocks: readonly Block[];
  /** For the user's turn that comes next. */
  readonly aside: readonly Block[];
}

export function fitAssistantMedia(block: MediaBlock, fit: Fit): AssistantMedia {
  if (fit.capabilities.assistantMedia) return { blocks: fitMedia(block, fit), aside: [] };
  const path = pathOf(block, fit);
  const { transcript, at } = block;
  if (transcript !== undefined) {
    fit.lose("L-ASSISTANT-MEDIA", path, { action: "approximated" });
    return { blocks: spoken({ type: "text", text: transcript, at }, fit), aside: [] };
  }
  const forms = formsOf(block, fit);
  const isTaken = forms.every(
    (form) => form.type !== "media" || objection(form, fit) === undefined,
  );
  if (forms.length > 0) {
    fit.lose("L-ASSISTANT-MEDIA", path, { action: isTaken ? "moved" : "dropped" });
  }
  const aside = isTaken
    ? forms.flatMap((form) => (form.type === "media" ? [fitted(form, fit)] : spoken(form, fit)))
    : [];
  return { blocks: [], aside };
}

function spoken(block: Block, fit: Fit): readonly Block[] {
  const text = block.type === "text" ? fitText(block, fit) : block;
  return text === undefined ? [] : [text];
}

/** The block without what only its vendor can read, in the target's forms. */
function formsOf(block: MediaBlock, fit: Fit): readonly Block[] {
  const { source } = block;
  if (source.kind === "reference" && source.vendor !== fit.target) {
    fit.lose("L-FILEID", pathOf(block, fit));
    return [];
  }
  const forms = block.kind === "document" ? asTarget(block, fit) : [block];
  return forms.filter((form) => {
    const isKnown = form.type === "media" || form.type === "text";
    if (!isKnown) fit.lose("L-UNKNOWN-BLOCK", pathOf(form, fit));
    return isKnown;
  });
}

/** Why the target cannot take it, in words for the caller; undefined when it can. */
export function objection(block: MediaBlock, fit: Fit): string | undefined {
  const { kind, source } = block;
  const { media, mediaUrls } = fit.capabilities;
  if (!media.includes(kind)) return `it takes no ${kind}.`;
  const mime = mimeOf(block);
  if (!takesMime(block, mime, fit)) return `it takes no ${kind} of this type.`;
  if (source.kind !== "url") return undefined;
  if (isDataUrl(source)) {
    return READS_DATA_URLS.has(fit.target) ? undefined : "its data URL cannot be read.";
  }
  const isRead = mediaUrls && (fit.target !== "openai" || kind === "image");
  return isRead ? undefined : `it reads no ${kind} from a URL. Send the data itself.`;
}

function isDataUrl(source: Extract<MediaSource, { readonly kind: "url" }>): boolean {
  return /^data:/i.test(source.url);
}

function fitted(block: MediaBlock, fit: Fit): MediaBlock {
  const { detail, proof, source } = block;
  const own = bare(block, fit);
  const mime = source.kind === "base64" ? (mimeOf(block) ?? block.mime) : block.mime;
  const hasExtras =
    own !== block || mime !== block.mime || (detail ?? proof ?? block.transcript) !== undefined;
  if (!hasExtras && block.kind !== "document") return block;
  if (detail !== undefined && detail !== "auto" && !fit.capabilities.imageDetail) {
    fit.lose("L-DETAIL", pathOf(block, fit));
  }
  return {
    ...own,
    ...(block.kind === "document" ? named(block, fit) : undefined),
    mime,
    detail: fit.capabilities.imageDetail ? detail : undefined,
    transcript: undefined,
    proof: proof === undefined ? undefined : fitProof(proof, block, fit),
  };
}

type Naming = Pick<MediaBlock, "title" | "filename" | "context" | "citations">;

/** Two wires have titles and contexts; the others a file's name at most: protocols.md §3.4. */
function named(block: MediaBlock, fit: Fit): Naming {
  const { title, filename, context, citations } = block;
  const path = pathOf(block, fit);
  if (title !== undefined && filename !== undefined) fit.lose("L-DOCNAME", path);
  if (fit.capabilities.documentContext) {
    return { title: title ?? filename, filename: undefined, context, citations };
  }
  if (context !== undefined) fit.lose("L-DOCCONTEXT", path);
  if (citations === true) fit.lose("L-CITE", path);
  const name = filename ?? title;
  // Google's own API refuses names; Vertex alone takes them.
  const isNameless = fit.target === "gemini";
  if (isNameless && name !== undefined) fit.lose("L-DOCNAME", path);
  return {
    title: undefined,
    filename: isNameless ? undefined : name,
    context: undefined,
    citations: undefined,
  };
}
