import type {
  Block,
  CompactionBlock,
  HostedCallBlock,
  HostedResultBlock,
  OpaqueBlock,
  TextBlock,
} from "../../ir/block.ts";
import { isObject } from "../../ir/fields.ts";
import type { LossCode } from "../../ir/loss.ts";
import type { Message } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";
import { pathOf } from "./text.ts";

type VendorBlock = HostedCallBlock | HostedResultBlock | CompactionBlock | OpaqueBlock;

/** Blocks whose vendor is not the target, by the wire's word for them; the rest are unknown. */
const CODES: ReadonlyMap<string, LossCode> = new Map([
  ["item_reference", "L-STATE"],
  ["container_upload", "L-FILEID"],
  ["additional_tools", "L-TOOLS-CHANGED"],
  ["configuration_update", "L-TOOLS-CHANGED"],
  ["tool_addition", "L-TOOLS-CHANGED"],
  ["tool_removal", "L-TOOLS-CHANGED"],
  ["toolAddition", "L-TOOLS-CHANGED"],
  ["toolRemoval", "L-TOOLS-CHANGED"],
]);

/** What only its vendor can read stays with that vendor: ir.md §1, protocols.md §8. */
export function fitVendorBlock(block: VendorBlock, fit: Fit): Block | undefined {
  if (block.vendor === fit.target) return block;
  const path = pathOf(block, fit);
  if (block.type === "opaque") {
    const guarded = guardedText(block);
    fit.lose(guarded === undefined ? codeOf(block) : "L-SAFETY", path);
    return guarded;
  }
  if (block.type === "compaction") fit.lose("L-UNKNOWN-BLOCK", path);
  // What a tool did before is less than a tool that is asked for, which refuses by default.
  else fit.lose("L-HOSTED", path, { severity: "semantic" });
  return undefined;
}

/** Where the history refers to a part of itself that lies elsewhere. */
export function referencePath(messages: readonly Message[]): string | undefined {
  for (const { blocks } of messages) {
    const reference = blocks.find(
      (block) => block.type === "opaque" && codeOf(block) === "L-STATE",
    );
    if (reference !== undefined) return reference.at;
  }
  return undefined;
}

function codeOf({ wireType }: OpaqueBlock): LossCode {
  return CODES.get(wireType) ?? "L-UNKNOWN-BLOCK";
}

/** The guard of Bedrock's `guardContent` is lost, but not the text in it. */
function guardedText({ raw, at }: OpaqueBlock): TextBlock | undefined {
  const guard = raw["guardContent"];
  const inner = isObject(guard) ? guard["text"] : undefined;
  const text = isObject(inner) ? inner["text"] : undefined;
  return typeof text === "string" ? { type: "text", text, at } : undefined;
}
