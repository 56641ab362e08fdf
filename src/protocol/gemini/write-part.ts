import { argsObject } from "../ir/args.ts";
import type {
  Block,
  MediaBlock,
  ReasoningBlock,
  ToolCallBlock,
  ToolResultBlock,
} from "../ir/block.ts";
import { compact, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { LossCode, Report } from "../ir/loss.ts";
import { inside, writeMedia } from "./media.ts";
import { writeProof } from "./proof.ts";

export interface PartWriting {
  /** It came in this protocol: nothing is filled in and nothing is lost. */
  readonly own: boolean;
  readonly report: Report;
  /** Where the block stands, for a report; a block of a request knows it itself. */
  readonly path: string;
}

/** The part a block becomes; undefined, and reported, for what the wire cannot say. */
export function writePart(block: Block, writing: PartWriting): JsonObject | undefined {
  switch (block.type) {
    case "text": {
      const { text, proof, ext } = block;
      return compact({ text, thoughtSignature: writeProof(proof) }, ext?.gemini);
    }
    case "refusal":
      return { text: block.text };
    case "reasoning":
      return writeThought(block, writing);
    case "tool_call":
      return writeCall(block, writing);
    case "tool_result":
      return writeResult(block, writing);
    case "media":
      return writeMediaPart(block, writing);
    case "hosted_call":
    case "hosted_result":
      if (block.vendor !== "gemini") return lost("L-HOSTED", block, writing);
      return compact({ thoughtSignature: writeProof(block.proof) }, block.raw);
    case "opaque":
      return block.vendor === "gemini" ? block.raw : lost("L-UNKNOWN-BLOCK", block, writing);
    case "cache_mark":
      return lost("L-CACHE", block, writing);
    case "search_result":
    case "compaction":
      return lost("L-UNKNOWN-BLOCK", block, writing);
  }
}

function lost(code: LossCode, block: Block, { report, path }: PartWriting): undefined {
  report({ code, path: block.at ?? path, action: "dropped" });
  return undefined;
}

function writeThought(block: ReasoningBlock, { own }: PartWriting): JsonObject {
  const { text, summary, signature, sealed, ext } = block;
  const said = text ?? summary?.join("\n\n");
  const thoughtSignature = writeProof(signature, sealed);
  return compact({ text: own ? text : (said ?? ""), thought: true, thoughtSignature }, ext?.gemini);
}

function writeCall(block: ToolCallBlock, { own, report }: PartWriting): JsonObject {
  const { callId, name, args, argsValue, proof, ext } = block;
  const isSilent = own && (args ?? "") === "" && argsValue === undefined;
  const call = {
    id: callId,
    name,
    args: isSilent ? undefined : argsObject(block, report),
  };
  return compact(
    {
      functionCall: compact(call, inside(ext?.gemini, "functionCall")),
      thoughtSignature: writeProof(proof),
    },
    ext?.gemini,
  );
}

function writeMediaPart(block: MediaBlock, writing: PartWriting): JsonObject | undefined {
  const part = writeMedia(block, writing);
  if (part === undefined) {
    return lost(block.source.kind === "reference" ? "L-FILEID" : "L-UNKNOWN-BLOCK", block, writing);
  }
  if (block.transcript !== undefined) {
    writing.report({ code: "L-MODALITY", path: writing.path, action: "approximated" });
  }
  return compact({ thoughtSignature: writeProof(block.proof) }, part);
}

function writeResult(block: ToolResultBlock, writing: PartWriting): JsonObject {
  const { callId, name, content, ext } = block;
  const parts: JsonObject[] = [];
  const said: Json[] = [];
  for (const each of content) {
    if (each.type === "text") said.push(each.text);
    else if (each.type === "json") said.push(each.value);
    else {
      const part = writePart(each, writing);
      if (part !== undefined) parts.push(part);
    }
  }
  const isSilent = writing.own && said.length === 0;
  const result = {
    id: callId,
    name: name ?? callId ?? "",
    response: isSilent ? undefined : responseOf(said, block),
    parts: parts.length === 0 ? undefined : parts,
  };
  const functionResponse = compact(result, inside(ext?.gemini, "functionResponse"));
  return compact({ functionResponse }, ext?.gemini);
}

/** The wire takes an object only, with `output` and `error` for its keys: protocols.md 3.7. */
function responseOf(said: readonly Json[], { isError }: ToolResultBlock): JsonObject {
  const [only] = said;
  if (said.length === 1 && isObject(only) && (isError !== true || "error" in only)) return only;
  const isText = said.every((each) => typeof each === "string");
  const value = isText ? said.join("\n") : said.length === 1 ? only! : said;
  return isError === true ? { error: value } : { output: value };
}
