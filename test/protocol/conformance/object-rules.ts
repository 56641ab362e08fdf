import { at, has, list, number, text } from "../../binary/scenarios/ask.ts";
import { checker } from "./validity.ts";

type Must = ReturnType<typeof checker>["must"];

/** Anthropic's messages. */
export function anthropicRules(body: unknown): string[] {
  const { broken, must } = checker();
  const messages = list(body, "messages");
  const cap = number(body, "max_tokens");
  must(cap !== undefined && cap >= 1, "max_tokens is required (§3.1)", cap);
  must(messages.length > 0, "no messages");
  must(countMarks(body, "cache_control") <= 4, "at most 4 cache marks (§3.11)");
  checkThinking(body, must);
  const tools = list(body, "tools");
  for (const tool of tools) {
    const name = text(tool, "name");
    must(/^[a-zA-Z0-9_-]{1,128}$/.test(name), "tool name (§3.5)", name);
    if (has(tool, "input_schema")) {
      must(text(tool, "input_schema", "type") === "object", "a schema's root is an object", tool);
    }
  }
  checkPairs(messages, {
    must,
    call: "tool_use",
    result: "tool_result",
    hasTools: tools.length > 0,
  });
  for (const message of messages) {
    const role = text(message, "role");
    must(role === "user" || role === "assistant", "role (§3.3)", role);
    const content = at(message, "content");
    must(typeof content === "string" ? content !== "" : list(content).length > 0, "empty content");
    for (const block of list(content)) {
      const isText = text(block, "type") === "text";
      must(!isText || text(block, "text").trim() !== "", "blank text (§3.3)", block);
    }
  }
  return broken;
}

function checkThinking(body: unknown, must: Must): void {
  if (text(body, "thinking", "type") === "enabled") {
    const budget = number(body, "thinking", "budget_tokens") ?? 0;
    must(budget >= 1024, "a budget of at least 1024 (§3.8)", budget);
    must(budget < (number(body, "max_tokens") ?? 0), "a budget below max_tokens (§3.8)", budget);
  }
  if (!["enabled", "adaptive"].includes(text(body, "thinking", "type"))) return;
  const temperature = number(body, "temperature") ?? 1;
  must(temperature === 1, "no other temperature than 1 with thinking (§3.1)", temperature);
  must(!has(body, "top_k"), "no top_k with thinking (§3.8)");
  const choice = text(body, "tool_choice", "type");
  const isForced = choice === "any" || choice === "tool";
  const isManual = text(body, "thinking", "type") === "enabled";
  must(!isForced || !isManual, "no forced tool with manual thinking (§3.6)", choice);
}

function countMarks(value: unknown, name: string): number {
  if (Array.isArray(value)) return value.reduce((sum, each) => sum + countMarks(each, name), 0);
  if (typeof value !== "object" || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [key, each]) =>
      sum + (key === name ? 1 : key === "input_schema" ? 0 : countMarks(each, name)),
    0,
  );
}

interface Pairing {
  readonly must: Must;
  /** The type, or the member, of a call's block and of a result's. */
  readonly call: string;
  readonly result: string;
  readonly hasTools: boolean;
}

/** Each call has its result in the next message, at its beginning: §3.7. */
function checkPairs(messages: readonly unknown[], { must, call, result, hasTools }: Pairing): void {
  const idOf = (block: unknown): string =>
    text(block, "id") ||
    text(block, "tool_use_id") ||
    text(block, call, "toolUseId") ||
    text(block, result, "toolUseId");
  const of = (message: unknown, kind: string): readonly unknown[] =>
    list(message, "content").filter((block) => text(block, "type") === kind || has(block, kind));
  let due: readonly string[] = [];
  for (const message of messages) {
    const results = of(message, result).map(idOf);
    must(
      results.toSorted().join() === due.toSorted().join(),
      "a result for each call of the message before, and no other (§3.7)",
      { due, results },
    );
    const content = list(message, "content").filter((block) => !has(block, "cachePoint"));
    const first = content.slice(0, results.length);
    must(
      first.every((block) => text(block, "type") === result || has(block, result)),
      "results stand first (§3.7)",
      message,
    );
    due = of(message, call).map(idOf);
    must(new Set(due).size === due.length, "call ids are unique", due);
    for (const id of due)
      must(/^[a-zA-Z0-9_.:-]{1,64}$/.test(id) || result === "tool_result", "call id (§3.7)", id);
    for (const id of due)
      must(result !== "tool_result" || /^[a-zA-Z0-9_-]+$/.test(id), "call id (§3.7)", id);
    must(due.length === 0 || hasTools, "calls in the history want a tool list (§3.7)");
  }
  must(due.length === 0, "calls without results (§3.7)", due);
}

/** Google's generateContent. */
export function geminiRules(body: unknown): string[] {
  const { broken, must } = checker();
  const contents = list(body, "contents");
  must(contents.length > 0, "no contents");
  const config = at(body, "generationConfig");
  must(list(config, "stopSequences").length <= 5, "stop ≤ 5 (§3.1)");
  const thinking = at(config, "thinkingConfig");
  must(!(has(thinking, "thinkingBudget") && has(thinking, "thinkingLevel")), "a budget or a level");
  if (has(config, "responseSchema") || has(config, "responseJsonSchema")) {
    must(text(config, "responseMimeType") === "application/json", "a schema's MIME type (§3.10)");
  }
  for (const tool of list(body, "tools").flatMap((each) => list(each, "functionDeclarations"))) {
    const name = text(tool, "name");
    must(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/.test(name), "tool name (§3.5)", name);
    must(!(has(tool, "parameters") && has(tool, "parametersJsonSchema")), "one schema of a tool");
  }
  let due: readonly string[] = [];
  for (const content of contents) {
    must(["user", "model"].includes(text(content, "role")), "role (§3.3)", content);
    const parts = list(content, "parts");
    must(parts.length > 0, "empty content", content);
    for (const part of parts) must(Object.keys(part as object).length > 0, "empty part", content);
    const results = parts.flatMap((part) => at(part, "functionResponse") ?? []);
    const names = results.map((each) => text(each, "name"));
    must(
      names.toSorted().join() === due.toSorted().join(),
      "a result for each call of the turn before (§3.7)",
      {
        due,
        names,
      },
    );
    for (const result of results) {
      const response = at(result, "response");
      const isObject =
        typeof response === "object" && response !== null && !Array.isArray(response);
      must(isObject, "a response is an object (§3.7)", result);
    }
    due = parts.flatMap((part) =>
      has(part, "functionCall") ? [text(part, "functionCall", "name")] : [],
    );
    for (const name of due) must(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/.test(name), "call name", name);
  }
  must(due.length === 0, "calls without results (§3.7)", due);
  return broken;
}

/** Bedrock's Converse. */
export function bedrockRules(body: unknown): string[] {
  const { broken, must } = checker();
  const messages = list(body, "messages");
  must(messages.length > 0, "no messages");
  must(countMarks(body, "cachePoint") <= 4, "at most 4 cache points (§3.11)");
  const tools = list(body, "toolConfig", "tools");
  for (const tool of tools) {
    if (!has(tool, "toolSpec")) continue;
    const name = text(tool, "toolSpec", "name");
    must(/^[a-zA-Z0-9_-]{1,64}$/.test(name), "tool name (§3.5)", name);
    must(
      text(tool, "toolSpec", "inputSchema", "json", "type") === "object",
      "a schema's root",
      tool,
    );
  }
  must(!has(body, "toolConfig") || tools.length > 0, "toolConfig without tools");
  checkPairs(messages, { must, call: "toolUse", result: "toolResult", hasTools: tools.length > 0 });
  const names = new Set<string>();
  for (const [index, message] of messages.entries()) {
    const wanted = index % 2 === 0 ? "user" : "assistant";
    must(text(message, "role") === wanted, "user and assistant take turns, the user first (§3.3)");
    const content = list(message, "content");
    must(
      content.some((block) => !has(block, "cachePoint")),
      "empty content",
      message,
    );
    for (const block of content) {
      if (has(block, "text")) must(text(block, "text").trim() !== "", "blank text (§3.3)", block);
      must(Object.keys(block as object).length === 1, "one member for each block", block);
    }
    const documents = content.filter((block) => has(block, "document"));
    const hasText = content.some((block) => has(block, "text"));
    must(documents.length === 0 || hasText, "a document comes with a text (§3.4)", documents[0]);
    for (const document of documents) {
      const name = text(document, "document", "name");
      must(/^[A-Za-z0-9\s\-()[\]]{1,200}$/.test(name) && !/\s\s/.test(name), "document name", name);
      must(!names.has(name), "document names are unique (§3.4)", name);
      names.add(name);
    }
  }
  return broken;
}
