import type { Capabilities } from "../../../src/core/capabilities.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { IrRequest, Message } from "../../../src/protocol/ir/request.ts";

/** What a vendor would refuse, in words. */
export function brokenRules(request: IrRequest, can: Capabilities): readonly string[] {
  const broken: string[] = [];
  const rule = (holds: boolean, name: string): void => void (holds || broken.push(name));
  const { messages, tools, sampling, stop, maxOutputTokens, reasoning } = request;
  const talk = messages.filter(({ role }) => role === "user" || role === "assistant");
  const name = new RegExp(`^(?:${can.toolNamePattern})$`);
  const id = can.toolIdPattern === undefined ? undefined : new RegExp(`^(?:${can.toolIdPattern})$`);
  const blocks = messages.flatMap((message) => message.blocks);
  if (can.alternation) {
    const spoken = ({ role }: Message): boolean => role === "user" || role === "assistant";
    const same = messages.some(
      (message, index) => spoken(message) && messages[index - 1]?.role === message.role,
    );
    rule(!same, "alternation");
  }
  if (can.toolResults === "user") rule(talk.length === 0 || talk[0]!.role === "user", "user first");
  rule(!can.outputCapRequired || maxOutputTokens !== undefined, "cap");
  rule((stop?.length ?? 0) <= can.stopMax, "stop");
  rule((sampling.temperature ?? 0) <= can.temperatureMax, "temperature");
  rule(can.topK || sampling.topK === undefined, "top-k");
  rule(marksOf(request) <= 4, "marks");
  rule(can.cacheMarks !== "none" || marksOf(request) === 0, "no marks");
  for (const tool of tools ?? []) if (tool.kind === "function") rule(name.test(tool.name), "name");
  for (const block of blocks) {
    if (block.type === "tool_call") {
      rule(name.test(block.name), "call name");
      rule(can.toolIds === (block.callId !== undefined), "id");
      rule(id === undefined || block.callId === undefined || id.test(block.callId), "id pattern");
    }
    if (block.type === "text" && can.refusesEmptyText && block.proof === undefined) {
      rule(block.text.trim() !== "", "empty text");
    }
  }
  const bars = can.thinkingBarsKnobs && reasoning !== undefined && reasoning.mode !== "off";
  rule(!bars || sampling.topK === undefined, "thinking and top-k");
  const budget = reasoning?.budgetTokens ?? 0;
  if (bars && budget > 0) rule(budget < (maxOutputTokens ?? Infinity), "budget below the cap");
  rule(arePaired(request, can), "pairs");
  return broken;
}

function marksOf({ tools, system, messages }: IrRequest): number {
  const of = (block: Block | { cache?: unknown; type?: string }): number =>
    Number("cache" in block && block.cache !== undefined) +
    ("content" in block && Array.isArray(block.content)
      ? block.content.map((each) => of(each as Block)).reduce((a, b) => a + b, 0)
      : 0);
  const all = [...(tools ?? []), ...system, ...messages.flatMap(({ blocks }) => blocks)];
  return all.map((each) => of(each as Block)).reduce((a, b) => a + b, 0);
}

/** Results stand right behind the turn that called, all of them, each once. */
function arePaired({ messages }: IrRequest, can: Capabilities): boolean {
  const seen = new Set<string>();
  const open: (string | undefined)[] = [];
  for (const { role, blocks } of messages) {
    if (role === "tool" && (blocks.length !== 1 || can.toolResults !== "tool")) return false;
    let isFirst = true;
    for (const block of blocks) {
      if (block.type === "tool_result") {
        const index = can.toolIds ? open.indexOf(block.callId) : 0;
        if (index === -1 || open.length === 0 || !isFirst) return false;
        if (can.toolResults === "tool" && role !== "tool") return false;
        open.splice(index, 1);
      } else if (block.type !== "cache_mark") {
        isFirst = false;
        if (open.length > 0 && block.type !== "tool_call" && role !== "assistant") return false;
      }
      if (block.type === "tool_call") {
        if (block.callId !== undefined && seen.has(block.callId)) return false;
        if (block.callId !== undefined) seen.add(block.callId);
        open.push(block.callId);
      }
    }
    if (role !== "assistant" && open.length > 0 && can.toolResults === "user") return false;
  }
  return open.length === 0;
}
