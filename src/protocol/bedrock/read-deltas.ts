import type { Block } from "../ir/block.ts";
import type { Delta } from "../ir/event.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { isVendorRun, opaque, readResultContent, seal, sign } from "./read-blocks.ts";
import { leftOf } from "./rest.ts";
import { readCitation } from "./cite.ts";

/** The block that a `contentBlockStart` begins; undefined when it holds no object. */
export function readStart(start: JsonObject): Block | undefined {
  const { toolUse, toolResult } = start;
  if (Object.keys(start).length !== 1) return opaque(start);
  if (isObject(toolUse)) return readCallStart(toolUse) ?? opaque(start);
  if (isObject(toolResult)) return readResultStart(toolResult) ?? opaque(start);
  return opaque(start);
}

/** The block that a delta begins where nothing else did. */
export function skeletonOf(delta: Delta): Block {
  switch (delta.k) {
    case "text":
      return { type: "text", text: "" };
    case "citation":
      return { type: "text", text: "", citations: [] };
    case "reasoning":
    case "signature":
    case "sealed":
      return { type: "reasoning" };
    case "refusal":
    case "summary":
    case "proof":
    case "args":
    case "logprobs":
    case "audio":
    case "result":
    case "raw":
      return { type: "opaque", vendor: "bedrock", wireType: "delta", raw: {} };
  }
}

/** What a delta adds; undefined where it is no delta this build knows, even as an unknown one. */
export function readDelta(wire: JsonObject): Delta | undefined {
  const { text, toolUse, toolResult, reasoningContent, citation } = wire;
  if (Object.keys(wire).length !== 1) return { k: "raw", data: wire };
  if (typeof text === "string") return { k: "text", text };
  const input = isObject(toolUse) ? onlyText(toolUse, "input") : undefined;
  if (input !== undefined) return { k: "args", text: input };
  if (isObject(citation)) return { k: "citation", citation: readCitation(citation) };
  if (isList(toolResult) && toolResult.every(isObject)) {
    return { k: "result", content: toolResult.filter(isObject).map(readResultPiece) };
  }
  const reasoning = isObject(reasoningContent) ? readReasoning(reasoningContent) : undefined;
  return reasoning ?? { k: "raw", data: wire };
}

function readReasoning(wire: JsonObject): Delta | undefined {
  const text = onlyText(wire, "text");
  if (text !== undefined) return { k: "reasoning", text };
  const signature = onlyText(wire, "signature");
  if (signature !== undefined) return { k: "signature", signed: sign(signature) };
  const sealed = onlyText(wire, "redactedContent");
  return sealed === undefined ? undefined : { k: "sealed", signed: seal(sealed) };
}

function readResultPiece(wire: JsonObject): ReturnType<typeof readResultContent> {
  const { json } = wire;
  const isJson = json !== undefined && Object.keys(wire).length === 1;
  return isJson ? { type: "json", value: json } : readResultContent(wire);
}

function readCallStart(wire: JsonObject): Block | undefined {
  const fields = new Fields(wire);
  const callId = fields.text("toolUseId");
  const name = fields.text("name");
  if (callId === undefined || name === undefined) return undefined;
  if (isVendorRun(wire["type"])) {
    return { type: "hosted_call", vendor: "bedrock", toolType: name, callId, raw: wire };
  }
  const left = leftOf(wire, fields);
  const ext = left && { bedrock: { start: { toolUse: left } } };
  return { type: "tool_call", callId, name, args: "", ext };
}

function readResultStart(wire: JsonObject): Block | undefined {
  const { toolUseId, type } = wire;
  if (typeof toolUseId !== "string") return undefined;
  const toolType = typeof type === "string" ? type : "";
  return { type: "hosted_result", vendor: "bedrock", toolType, callId: toolUseId, raw: wire };
}

/** The one member of an object, if it is a text. */
function onlyText(wire: JsonObject, name: string): string | undefined {
  const value = wire[name];
  return typeof value === "string" && Object.keys(wire).length === 1 ? value : undefined;
}
