import type { Block, ResultContent, TextBlock } from "../../ir/block.ts";
import type { IrRequest, Message } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";

/** Wires with a content beside a turn's calls and thoughts, which may be a string by itself. */
const HAS_CONTENT: ReadonlySet<string> = new Set(["openai", "cohere"]);

/** A string wherever one plain text is all there is: protocols.md §3.3. */
export function fitBareStrings(request: IrRequest, fit: Fit): IrRequest {
  return {
    ...request,
    systemBareString: isBare(request.system),
    messages: request.messages.map((message) => fitMessage(message, fit)),
    inputBareString: undefined,
    stopBareString: undefined,
  };
}

function fitMessage(message: Message, { target }: Fit): Message {
  const { blocks } = message;
  const content = HAS_CONTENT.has(target) && blocks.length > 1 ? blocks.filter(isContent) : blocks;
  const bareString = isBare(content);
  const isSame = message.bareString === bareString;
  if (!blocks.some(isMisspelled)) return isSame ? message : { ...message, bareString };
  return { ...message, blocks: blocks.map(fitResult), bareString };
}

function isMisspelled(block: Block): boolean {
  return block.type === "tool_result" && block.bareString !== isBare(block.content);
}

function fitResult(block: Block): Block {
  return block.type === "tool_result" ? { ...block, bareString: isBare(block.content) } : block;
}

function isContent({ type }: Block): boolean {
  return type !== "tool_call" && type !== "reasoning";
}

function isBare(blocks: readonly (Block | ResultContent)[]): true | undefined {
  const [only] = blocks;
  return blocks.length === 1 && only?.type === "text" && isPlain(only) ? true : undefined;
}

function isPlain({ cache, citations, proof, ext }: TextBlock): boolean {
  return (cache ?? citations ?? proof ?? ext) === undefined;
}
