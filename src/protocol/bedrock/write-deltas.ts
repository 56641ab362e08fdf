import { argsText } from "../ir/args.ts";
import type { Block, MediaBlock } from "../ir/block.ts";
import type { Delta } from "../ir/event.ts";
import { compact, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { LossCode, Report } from "../ir/loss.ts";
import { writeCitation } from "./cite.ts";
import { DocumentNames } from "./document-names.ts";
import { inside } from "./rest.ts";
import { sealOf, writeResultContent } from "./write-blocks.ts";
import { writeMedia } from "./write-media.ts";

export interface DeltaContext {
  readonly path: string;
  readonly report: Report;
  readonly own: boolean;
}

/** What begins a block. */
export interface WrittenStart {
  /** Undefined where the wire has none: text and reasoning. */
  readonly start: JsonObject | undefined;
  /** What stood in the block already when it began. */
  readonly deltas: readonly JsonObject[];
}

/** How a block begins; undefined, and reported, where a stream of this wire cannot hold it. */
export function writeStart(block: Block, context: DeltaContext): WrittenStart | undefined {
  const { path } = context;
  switch (block.type) {
    case "text":
    case "refusal":
    case "reasoning":
      return { start: undefined, deltas: writeSkeleton(block, context) };
    case "tool_call": {
      const toolUseId = block.callId ?? `tooluse_${path.replace(/\W+/g, "_")}`;
      const left = inside(inside(block.ext?.bedrock, "start"), "toolUse");
      const start = { toolUse: compact({ toolUseId, name: block.name }, left) };
      return { start, deltas: writeSkeleton(block, context) };
    }
    case "hosted_call":
      if (block.vendor !== "bedrock") return lost("L-HOSTED", context);
      return { start: { toolUse: block.raw }, deltas: [] };
    case "hosted_result":
      if (block.vendor !== "bedrock") return lost("L-HOSTED", context);
      return { start: { toolResult: block.raw }, deltas: [] };
    case "opaque":
      if (block.vendor !== "bedrock") return lost("L-UNKNOWN-BLOCK", context);
      return { start: Object.keys(block.raw).length === 0 ? undefined : block.raw, deltas: [] };
    case "media":
      return writeImage(block, context);
    case "tool_result":
    case "search_result":
    case "cache_mark":
    case "compaction":
      return lost("L-UNKNOWN-BLOCK", context);
  }
}

/** Of media, a stream holds images only. */
function writeImage(block: MediaBlock, context: DeltaContext): WrittenStart | undefined {
  if (block.kind !== "image") return lost("L-UNKNOWN-BLOCK", context);
  const image = writeMedia(block, { ...context, names: new DocumentNames(), textBefore: 0 })?.[
    "image"
  ];
  if (!isObject(image)) return undefined;
  const { format, source } = image;
  return {
    start: { image: compact({ format }) },
    deltas: source === undefined ? [] : [{ image: { source } }],
  };
}

function lost(code: LossCode, { path, report }: DeltaContext): undefined {
  report({ code, path, action: "dropped" });
  return undefined;
}

function writeSkeleton(block: Block, context: DeltaContext): readonly JsonObject[] {
  return skeletonDeltas(block).flatMap((delta) => writeDelta(delta, context));
}

/** A delta as the wire's; nothing, and reported, where it has none. */
export function writeDelta(delta: Delta, context: DeltaContext): readonly JsonObject[] {
  const { path, report, own } = context;
  switch (delta.k) {
    case "text":
    case "refusal":
      return [{ text: delta.text }];
    case "args":
      return [{ toolUse: { input: delta.text } }];
    case "reasoning":
      return [{ reasoningContent: { text: delta.text } }];
    case "summary":
      return [{ reasoningContent: { text: delta.text } }];
    case "signature":
      return [{ reasoningContent: { signature: delta.signed.value } }];
    case "sealed":
      return [{ reasoningContent: { redactedContent: sealOf(delta.signed) } }];
    case "citation":
      return [{ citation: writeCited(delta.citation, context) }];
    case "result": {
      const inner = { own, report, names: new DocumentNames(), path, textBefore: 0 };
      return [{ toolResult: delta.content.flatMap((part) => writeResultContent(part, inner)) }];
    }
    case "raw":
      return own && isObject(delta.data) ? [delta.data] : [];
    case "logprobs":
      if (delta.tokens.length > 0) report({ code: "L-LOGPROBS", path, action: "dropped" });
      return [];
    case "proof":
      report({ code: "L-REASONING-FOREIGN", path, action: "dropped" });
      return [];
    case "audio":
      report({ code: "L-MODALITY", path, action: "dropped" });
      return [];
  }
}

/** A citation of a stream is of its whole block: the text of a span is on its way already. */
function writeCited(
  citation: (Delta & { readonly k: "citation" })["citation"],
  context: DeltaContext,
): JsonObject {
  if (citation.span !== undefined && !context.own) {
    context.report({ code: "L-CITE", path: context.path, action: "approximated" });
  }
  return writeCitation(citation, context);
}

function skeletonDeltas(block: Block): readonly Delta[] {
  switch (block.type) {
    case "text": {
      const cited = (block.citations ?? []).map(
        (citation) => ({ k: "citation", citation }) as const,
      );
      return block.text === "" ? cited : [{ k: "text", text: block.text }, ...cited];
    }
    case "refusal":
      return block.text === "" ? [] : [{ k: "refusal", text: block.text }];
    case "reasoning": {
      const { text, summary, signature, sealed } = block;
      const said = text ?? summary?.join("\n\n");
      return [
        ...(said === undefined || said === "" ? [] : [{ k: "reasoning", text: said } as const]),
        ...(signature === undefined ? [] : [{ k: "signature", signed: signature } as const]),
        ...(sealed === undefined ? [] : [{ k: "sealed", signed: sealed } as const]),
      ];
    }
    case "tool_call": {
      const isSaid = (block.args ?? "") !== "" || block.argsValue !== undefined;
      return isSaid ? [{ k: "args", text: argsText(block) }] : [];
    }
    case "tool_result":
    case "media":
    case "search_result":
    case "hosted_call":
    case "hosted_result":
    case "cache_mark":
    case "compaction":
    case "opaque":
      return [];
  }
}
