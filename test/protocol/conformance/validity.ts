import type { DialectId } from "../../../src/core/ids.ts";
import { at, has, list, number, text } from "../../binary/scenarios/ask.ts";
import { problemsOfRequest } from "../cohere/validity.ts";
import { anthropicRules, bedrockRules, geminiRules } from "./object-rules.ts";

/** A request's body and what is wrong with it, in the words of its vendor's rules. */
export type Rules = (body: unknown) => string[];

/** What a vendor's server would refuse: protocols.md §3; each rule names its section. */
export const RULES: Readonly<Record<DialectId, Rules>> = {
  openai: openaiRules,
  responses: responsesRules,
  anthropic: anthropicRules,
  gemini: geminiRules,
  bedrock: bedrockRules,
  cohere: cohereRules,
};

const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** How long each vendor keeps what is marked: §3.11. Gemini and Cohere have no marks. */
const LIFETIMES: Readonly<Partial<Record<DialectId, readonly string[]>>> = {
  openai: ["30m", "12h"],
  responses: ["30m", "12h"],
  anthropic: ["5m", "1h"],
  bedrock: ["5m", "1h"],
};
const MARKS: ReadonlySet<string> = new Set([
  "prompt_cache_breakpoint",
  "cache_control",
  "cachePoint",
]);

/** The lifetimes of marks that the vendor does not know. */
export function lifetimesIn(dialect: DialectId, body: unknown): string[] {
  if (Array.isArray(body)) return body.flatMap((each) => lifetimesIn(dialect, each));
  if (typeof body !== "object" || body === null) return [];
  return Object.entries(body).flatMap(([name, value]) => {
    const ttl = MARKS.has(name) ? text(value, "ttl") : "";
    const isKnown = ttl === "" || LIFETIMES[dialect]?.includes(ttl) === true;
    return isKnown ? lifetimesIn(dialect, value) : [`lifetime of a mark (§3.11) ${ttl}`];
  });
}

/** Collects what does not hold. */
export function checker() {
  const broken: string[] = [];
  const must = (holds: boolean, rule: string, what: unknown = ""): void => {
    if (!holds) broken.push(`${rule} ${JSON.stringify(what) ?? ""}`.slice(0, 200));
  };
  return { broken, must };
}

function openaiRules(body: unknown): string[] {
  const { broken, must } = checker();
  const messages = list(body, "messages");
  must(messages.length > 0, "no messages");
  must(!(has(body, "max_tokens") && has(body, "max_completion_tokens")), "two caps");
  must(list(body, "stop").length <= 4, "stop ≤ 4 (§3.1)", at(body, "stop"));
  checkChatTools(body, must);
  let due = new Set<string>();
  for (const message of messages) {
    const role = text(message, "role");
    must(["system", "developer", "user", "assistant", "tool"].includes(role), "role", role);
    const content = at(message, "content");
    if (role === "tool") {
      const id = text(message, "tool_call_id");
      must(due.delete(id), "a result of no call (§3.7)", id);
      must(
        list(content).every((part) => text(part, "type") === "text"),
        "text only in a result",
      );
      continue;
    }
    must(due.size === 0, "calls without results (§3.7)", [...due]);
    const calls = list(message, "tool_calls");
    if (calls.length === 0 && role !== "assistant") {
      must(typeof content === "string" || list(content).length > 0, "empty content", message);
    }
    for (const call of calls) checkChatCall(call, must);
    due = new Set(calls.map((call) => text(call, "id")));
    must(due.size === calls.length, "call ids are unique", calls);
  }
  must(due.size === 0, "calls without results (§3.7)", [...due]);
  return broken;
}

type Must = ReturnType<typeof checker>["must"];

function checkChatCall(call: unknown, must: Must): void {
  const id = text(call, "id");
  must(id.length > 0 && id.length <= 64, "call id ≤ 64 (§3.7)", id);
  if (text(call, "type") === "custom") return must(has(call, "custom", "input"), "custom input");
  must(NAME.test(text(call, "function", "name")), "call name (§3.5)", call);
  must(text(call, "function", "arguments") !== "", "arguments are never empty (§3.7)", call);
}

function checkChatTools(body: unknown, must: Must): void {
  const tools = list(body, "tools");
  const names = tools.flatMap((tool) =>
    has(tool, "function") || has(tool, "custom")
      ? [text(tool, "function", "name") || text(tool, "custom", "name")]
      : [],
  );
  for (const name of names) must(NAME.test(name), "tool name (§3.5)", name);
  const chosen = text(body, "tool_choice", "function", "name");
  if (chosen !== "") must(names.includes(chosen), "choice of a tool that is not there", chosen);
  if (tools.length === 0) must(!has(body, "tool_choice"), "a choice without tools");
  const format = at(body, "response_format");
  if (text(format, "type") === "json_schema") {
    must(NAME.test(text(format, "json_schema", "name")), "name of a schema (§3.10)", format);
  }
}

function responsesRules(body: unknown): string[] {
  const { broken, must } = checker();
  for (const name of ["stop", "seed", "n", "logit_bias", "frequency_penalty"]) {
    must(!has(body, name), `no such field (§3.1): ${name}`);
  }
  const input = at(body, "input");
  const isElsewhere = has(body, "prompt") || has(body, "previous_response_id");
  must(typeof input === "string" || list(input).length > 0 || isElsewhere, "no input");
  for (const tool of list(body, "tools")) {
    const name = text(tool, "name");
    if (["function", "custom"].includes(text(tool, "type")))
      must(NAME.test(name), "tool name", name);
  }
  const format = at(body, "text", "format");
  if (text(format, "type") === "json_schema") must(NAME.test(text(format, "name")), "schema name");
  const called = new Set<string>();
  const answered = new Set<string>();
  const items = list(input);
  for (const [index, item] of items.entries()) {
    const type = text(item, "type");
    const id = text(item, "call_id");
    if (type === "function_call" || type === "custom_tool_call") {
      must(NAME.test(text(item, "name")), "call name", item);
      must(id.length > 0 && id.length <= 64, "call id ≤ 64 (§3.7)", id);
      must(!called.has(id), "call ids are unique", id);
      called.add(id);
    } else if (type === "function_call_output" || type === "custom_tool_call_output") {
      must(called.has(id) || isElsewhere, "a result of no call (§3.7)", id);
      answered.add(id);
    } else if (type === "reasoning") {
      must(Array.isArray(at(item, "summary")), "a summary, if only an empty one", item);
      const next = items[index + 1];
      const isOwn =
        text(next, "role") === "assistant" || !/^(?:|message|\w+_output)$/.test(text(next, "type"));
      must(next !== undefined && isOwn, "reasoning without its following item (§3.9)", item);
    } else if (has(item, "role")) {
      const content = at(item, "content");
      must(typeof content === "string" || list(content).length > 0, "empty content", item);
    }
  }
  for (const id of called) must(answered.has(id), "no tool output found (§3.7)", id);
  return broken;
}

/** Keys that the SDK's own schema of requests has in its words, and how many of each there may be. */
function cohereRules(body: unknown): string[] {
  const { broken, must } = checker();
  broken.push(...problemsOfRequest(body).slice(0, 3));
  must(list(body, "stop_sequences").length <= 5, "stop ≤ 5 (§3.1)");
  for (const name of ["temperature", "frequency_penalty", "presence_penalty"]) {
    const value = number(body, name) ?? 0;
    must(value >= 0 && value <= 1, `${name} between 0 and 1 (§3.1)`, value);
  }
  const isMixed = list(body, "tools").length + list(body, "documents").length > 0;
  must(!isMixed || !has(body, "response_format"), "a format beside tools or documents (§3.10)");
  for (const tool of list(body, "tools")) {
    const name = text(tool, "function", "name");
    must(/^[A-Za-z_][A-Za-z0-9_]*$/.test(name), "tool name (§3.5)", name);
  }
  let due = new Set<string>();
  for (const message of list(body, "messages")) {
    if (text(message, "role") === "tool") {
      must(due.delete(text(message, "tool_call_id")), "a result of no call (§3.7)", message);
      continue;
    }
    must(due.size === 0, "calls without results (§3.7)", [...due]);
    due = new Set(list(message, "tool_calls").map((call) => text(call, "id")));
    must(due.size === list(message, "tool_calls").length, "call ids are unique", message);
  }
  must(due.size === 0, "calls without results (§3.7)", [...due]);
  return broken;
}
