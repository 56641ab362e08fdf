import type { OpaqueBlock, ProofFamily, ReasoningBlock, Signed } from "../ir/block.ts";
import { isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { spelled } from "./spelling.ts";

/** One entry of `reasoning_details`, OpenRouter's list of reasoning and its proofs. */
export interface Detail {
  readonly kind: "text" | "summary" | "sealed";
  readonly text: string;
  readonly signature: Signed | undefined;
  readonly sealed: Signed | undefined;
  readonly id: string | undefined;
  /** Entries of one key are pieces of one block. */
  readonly key: string;
  /** The call, or the text, whose proof the entry is. */
  readonly carries: ReasoningBlock["carries"];
}

const KINDS: ReadonlyMap<string, Detail["kind"]> = new Map([
  ["reasoning.text", "text"],
  ["reasoning.summary", "summary"],
  ["reasoning.encrypted", "sealed"],
]);
const FORMATS: Readonly<Record<ProofFamily, string>> = {
  anthropic: "anthropic-claude-v1",
  openai: "openai-responses-v1",
  google: "google-gemini-v1",
  other: "unknown",
};

/** An entry's meaning; undefined where this build knows none. `callIds` are its message's calls. */
export function readDetail(entry: Json, callIds: ReadonlySet<string>): Detail | undefined {
  if (!isObject(entry)) return undefined;
  const kind = KINDS.get(textOf(entry["type"]));
  if (kind === undefined) return undefined;
  const id = textOf(entry["id"]) || undefined;
  const isOfCall = id !== undefined && callIds.has(id);
  const family = familyOf(entry["format"], isOfCall);
  const proof = kind === "sealed" && (isOfCall || family === "google");
  const value = signedOf(entry[kind === "sealed" ? "data" : "signature"], family);
  return {
    kind,
    text: textOf(entry[kind === "summary" ? "summary" : "text"]),
    signature: kind === "sealed" && !proof ? undefined : value,
    sealed: kind === "sealed" && !proof ? value : undefined,
    id: proof ? undefined : id,
    key: id ?? String(entry["index"]),
    carries: proof ? { proofOf: id === undefined ? "text" : "call", callId: id } : undefined,
  };
}

/**
 * The blocks of a list: neighbours of one key are one block, as a summary and its seal. Undefined
 * where the list holds nothing readable.
 */
export function readDetails(
  list: readonly Json[],
  callIds: ReadonlySet<string>,
): readonly (ReasoningBlock | OpaqueBlock)[] | undefined {
  if (list.length === 0 || !list.every(isObject)) return undefined;
  const blocks: (ReasoningBlock | OpaqueBlock)[] = [];
  let open:
    { readonly key: string; readonly entries: JsonObject[]; block: ReasoningBlock } | undefined;
  for (const entry of list) {
    const detail = readDetail(entry, callIds);
    if (detail === undefined) {
      const wireType = textOf(entry["type"]);
      const opaque: OpaqueBlock = { type: "opaque", vendor: "openai", wireType, raw: entry };
      blocks.push(spelled(opaque, { slot: "reasoning_details" }));
      open = undefined;
    } else if (open !== undefined && joins(open, detail)) {
      open.entries.push(entry);
      open.block = grown(open.block, detail);
      blocks[blocks.length - 1] = open.block;
    } else {
      const block = grown({ type: "reasoning" }, detail);
      open =
        detail.carries === undefined ? { key: detail.key, entries: [entry], block } : undefined;
      blocks.push(block);
      if (open === undefined) spelled(block, { slot: "reasoning_details", raw: [entry] });
    }
    if (open !== undefined) {
      spelled(open.block, { slot: "reasoning_details", raw: [...open.entries] });
    }
  }
  return blocks;
}

function joins(
  { key, block }: { readonly key: string; readonly block: ReasoningBlock },
  detail: Detail,
): boolean {
  return detail.carries === undefined && detail.key === key && block.sealed === undefined;
}

/** The block with one more entry in it. */
export function grown(block: ReasoningBlock, detail: Detail): ReasoningBlock {
  const { kind, text, signature, sealed, id, carries } = detail;
  return {
    ...block,
    id: block.id ?? id,
    text: kind === "text" ? (block.text ?? "") + text : block.text,
    summary: kind === "summary" ? [...(block.summary ?? []), text] : block.summary,
    signature: signature ?? block.signature,
    sealed: sealed ?? block.sealed,
    carries: carries ?? block.carries,
  };
}

/** The entries that say a block; the block's place in the list keeps them together. */
export function writeDetails(block: ReasoningBlock, index: number): readonly JsonObject[] {
  const { text, summary = [], signature, sealed, carries, id } = block;
  const entries: JsonObject[] = [];
  const own: Record<string, Json> = id === undefined ? {} : { id };
  const proof = signature ?? sealed;
  if (carries !== undefined) {
    if (proof === undefined) return [];
    const of: Record<string, Json> = carries.callId === undefined ? {} : { id: carries.callId };
    return [{ type: "reasoning.encrypted", data: plainOf(proof), ...of, ...tail(proof, index) }];
  }
  if (text !== undefined || (signature !== undefined && summary.length === 0)) {
    const signed: Record<string, Json> =
      signature === undefined ? {} : { signature: plainOf(signature) };
    entries.push({
      type: "reasoning.text",
      text: text ?? "",
      ...signed,
      ...own,
      ...tail(proof, index),
    });
  }
  for (const part of summary) {
    entries.push({ type: "reasoning.summary", summary: part, ...own, ...tail(proof, index) });
  }
  if (sealed !== undefined) {
    const data = plainOf(sealed);
    entries.push({ type: "reasoning.encrypted", data, ...own, ...tail(sealed, index) });
  }
  return entries;
}

function tail(proof: Signed | undefined, index: number): Record<string, Json> {
  return { format: FORMATS[proof?.family ?? "other"], index };
}

/** Without the layer of base64 that Bedrock puts round Anthropic's own: protocols.md finding 13. */
function plainOf({ value, encoding }: Signed): string {
  return encoding === "plain" ? value : Buffer.from(value, "base64").toString("latin1");
}

function signedOf(value: Json | undefined, family: ProofFamily): Signed | undefined {
  return typeof value === "string" && value !== ""
    ? { value, encoding: "plain", family }
    : undefined;
}

/** Without a format, a proof named by a call is Gemini's; OpenRouter's default is Anthropic's. */
function familyOf(format: Json | undefined, isOfCall: boolean): ProofFamily {
  if (typeof format !== "string") return isOfCall ? "google" : "anthropic";
  if (format.startsWith("anthropic")) return "anthropic";
  if (format.startsWith("google")) return "google";
  return format.startsWith("openai") || format.startsWith("azure-openai") ? "openai" : "other";
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
