import type { Block, JsonBlock, ResultContent, TextBlock, ToolResultBlock } from "../ir/block.ts";
import { compact, Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { partExt, readMedia } from "./media.ts";
import { readProof } from "./proof.ts";

/** The members of which a part has exactly one: what it is. */
const KINDS = [
  "text",
  "inlineData",
  "fileData",
  "functionCall",
  "functionResponse",
  "executableCode",
  "codeExecutionResult",
  "toolCall",
  "toolResponse",
] as const;
type Kind = (typeof KINDS)[number];

/** One part of a content. What it holds beside its kind stays with its block. */
export function readPart(part: JsonObject, at?: string): Block {
  const block = readKnown(part) ?? {
    type: "opaque",
    vendor: "gemini",
    wireType: Object.keys(part).find((name) => !BESIDE.has(name)) ?? "empty",
    raw: part,
  };
  return at === undefined ? block : { ...block, at };
}

/** Members that say nothing of what a part is. */
const BESIDE: ReadonlySet<string> = new Set(["thought", "thoughtSignature"]);

function readKnown(part: JsonObject): Block | undefined {
  const kinds = KINDS.filter((name) => part[name] !== undefined);
  const [kind] = kinds;
  if (kinds.length > 1) return undefined;
  if (kind === undefined) return readBareThought(part);
  const fields = new Fields(part);
  switch (kind) {
    case "text":
      return readText(fields);
    case "inlineData":
    case "fileData":
      // A picture of a thought is not for the answer.
      return part["thought"] === true ? undefined : withProof(readMedia, fields);
    case "functionCall":
      return withProof(readCall, fields);
    case "functionResponse":
      return withProof(readResult, fields);
    case "executableCode":
    case "codeExecutionResult":
    case "toolCall":
    case "toolResponse":
      return readHosted(part, kind);
  }
}

type Readable = Extract<Block, { type: "media" | "tool_call" | "tool_result" }>;

/** The proof is taken first, so that it is not left over for `ext`. */
function withProof(
  read: (part: Fields) => Readable | undefined,
  part: Fields,
): Readable | undefined {
  const signature = part.peek("thoughtSignature");
  const isProof = typeof signature === "string" && part.peek("functionResponse") === undefined;
  if (!isProof) return read(part);
  const proof = readProof(part.text("thoughtSignature"));
  const block = read(part);
  return block?.type === "tool_result" ? undefined : block && { ...block, proof };
}

function readText(fields: Fields): Block | undefined {
  const text = fields.text("text");
  if (text === undefined) return undefined;
  const signed = readProof(fields.text("thoughtSignature"));
  if (fields.peek("thought") !== true) {
    return { type: "text", text, proof: signed, ext: fields.ext("gemini") };
  }
  fields.skip("thought");
  return { type: "reasoning", text, signature: signed, ext: fields.ext("gemini") };
}

/** A thought that is nothing but its proof. */
function readBareThought(part: JsonObject): Block | undefined {
  const fields = new Fields(part);
  const signature = readProof(fields.text("thoughtSignature"));
  if (part["thought"] !== true || signature === undefined) return undefined;
  fields.skip("thought");
  return { type: "reasoning", signature, ext: fields.ext("gemini") };
}

function readCall(part: Fields): Readable | undefined {
  const fields = new Fields(part.object("functionCall") ?? {});
  const name = fields.text("name");
  if (name === undefined) return undefined;
  const callId = fields.text("id");
  const argsValue = fields.object("args");
  return {
    type: "tool_call",
    callId,
    name,
    argsValue,
    ext: partExt(part, "functionCall", fields),
  };
}

function readResult(part: Fields): Readable | undefined {
  const fields = new Fields(part.object("functionResponse") ?? {});
  const name = fields.text("name");
  if (name === undefined) return undefined;
  const callId = fields.text("id");
  const response = fields.object("response");
  const said = response === undefined ? { content: [] } : readResponse(response);
  const media = readResultParts(fields.peek("parts"));
  if (media.length > 0) fields.skip("parts");
  return {
    type: "tool_result",
    callId,
    name,
    ...said,
    content: [...said.content, ...media],
    ext: partExt(part, "functionResponse", fields),
  };
}

type Said = Pick<ToolResultBlock, "content" | "isError" | "bareString">;

/** `{"output": text}` and `{"error": text}` are how a plain text is spelled: protocols.md 3.7. */
function readResponse(response: JsonObject): Said {
  const names = Object.keys(response);
  const isError = response["error"] !== undefined && response["error"] !== null;
  const only = names.length === 1 ? (response["output"] ?? response["error"]) : undefined;
  if (typeof only === "string") {
    const content: TextBlock = { type: "text", text: only };
    return { content: [content], bareString: true, ...(isError ? { isError } : {}) };
  }
  const content: JsonBlock = { type: "json", value: response };
  return { content: [content], ...(isError ? { isError } : {}) };
}

/** Media of a result; none of them when not every one can be read. */
function readResultParts(parts: Json | undefined): ResultContent[] {
  if (!isList(parts)) return [];
  const blocks = parts.map((part) => {
    if (!isObject(part)) return undefined;
    const raw = { type: "opaque", vendor: "gemini", wireType: "functionResponsePart", raw: part };
    return readMedia(new Fields(part)) ?? (raw as ResultContent);
  });
  return blocks.every((block) => block !== undefined) ? blocks : [];
}

/** Tools that Google runs: code, search and their results, carried whole. */
function readHosted(part: JsonObject, kind: Exclude<Kind, "text">): Block | undefined {
  const inner = part[kind];
  if (!isObject(inner)) return undefined;
  const fields = new Fields(part);
  const proof = readProof(fields.text("thoughtSignature"));
  const raw = fields.ext("gemini")?.gemini ?? compact({});
  const id = inner["id"];
  const named = inner["toolType"];
  return {
    type: kind === "executableCode" || kind === "toolCall" ? "hosted_call" : "hosted_result",
    vendor: "gemini",
    toolType: typeof named === "string" ? named : "code_execution",
    callId: typeof id === "string" ? id : undefined,
    raw,
    proof,
  };
}
