import type { DialectId } from "../../../src/core/ids.ts";
import { dataOf, framesOf, messageOf } from "../../binary/frames.ts";
import { at, has, list, number, text } from "../../binary/scenarios/ask.ts";

/** One event of a stream of any wire. */
interface Said {
  readonly name: string;
  readonly data: unknown;
}
type Grammar = (events: readonly Said[], must: Must) => void;
type Must = (holds: boolean, rule: string, what?: unknown) => void;

/** What each client's SDK needs of a stream: protocols.md 5.3. */
const GRAMMARS: Readonly<Record<DialectId, Grammar>> = {
  openai: chatGrammar,
  responses: responsesGrammar,
  anthropic: anthropicGrammar,
  gemini: geminiGrammar,
  bedrock: bedrockGrammar,
  cohere: cohereGrammar,
};

/** What is wrong with a whole stream that ended well. */
export function brokenGrammar(client: DialectId, body: Uint8Array): string[] {
  const broken = new Map<string, string>();
  const must: Must = (holds, rule, what = "") => {
    if (!holds) broken.set(rule, `${rule} ${JSON.stringify(what) ?? ""}`.slice(0, 160));
  };
  GRAMMARS[client](eventsOf(client, body, must), must);
  return [...broken.values()];
}

/** The events that end a stream well: none of them may stand in one that broke. */
export function endsWell(client: DialectId, body: Uint8Array): boolean {
  const said = eventsOf(client, body, () => {});
  const last = said.at(-1);
  switch (client) {
    case "openai":
      return said.some(({ name }) => name === "[DONE]");
    case "responses":
      return said.some(({ name }) => /^response\.(?:completed|incomplete)$/.test(name));
    case "anthropic":
      return said.some(({ name }) => name === "message_stop");
    case "gemini":
      // There is no other end than the last chunk's own word.
      return has(last?.data, "candidates", 0, "finishReason");
    case "bedrock":
      return said.some(({ name }) => name === "metadata");
    case "cohere":
      return said.some(({ data }) => {
        const word = text(data, "delta", "finish_reason");
        return word !== "" && word !== "ERROR";
      });
  }
}

/** Whether a stream says in its own protocol that it broke. */
export function saysError(client: DialectId, body: Uint8Array): boolean {
  const { name, data } = eventsOf(client, body, () => {}).at(-1) ?? { name: "", data: undefined };
  switch (client) {
    case "openai":
    case "gemini":
      return has(data, "error");
    case "responses":
      return name === "response.failed";
    case "anthropic":
      return name === "error";
    case "bedrock":
      return /Exception$/.test(name);
    case "cohere":
      return text(data, "delta", "finish_reason") === "ERROR";
  }
}

function eventsOf(client: DialectId, body: Uint8Array, must: Must): Said[] {
  return framesOf(client, body).flatMap((frame): Said[] => {
    if (client === "bedrock") {
      const { name, payload } = messageOf(frame);
      return [{ name, data: payload }];
    }
    const said = Buffer.from(frame).toString();
    if (/^: /.test(said)) return []; // A comment stands alone: protocols.md finding 19.
    const lines = said.split(/\r?\n/).filter((line) => line !== "");
    if (client === "gemini") must(lines.length === 1, "one data line for each event", said);
    if (lines.at(-1) === "data: [DONE]") return [{ name: "[DONE]", data: undefined }];
    const data = dataOf(frame);
    must(data !== undefined, "JSON in every event", said);
    const [first = ""] = lines;
    const name = first.startsWith("event: ") ? first.slice("event: ".length) : "";
    const isNamed = client === "anthropic" || client === "responses";
    must(!isNamed || name === text(data, "type"), "an event is named by its type", said);
    return [{ name, data }];
  });
}

function chatGrammar(events: readonly Said[], must: Must): void {
  must(events.at(-1)?.name === "[DONE]", "[DONE] is last");
  const chunks = events.slice(0, -1).map(({ data }) => data);
  must(chunks.length > 0 && !events.slice(0, -1).some(({ name }) => name === "[DONE]"), "one end");
  for (const name of ["id", "created", "model", "object"]) {
    must(new Set(chunks.map((chunk) => at(chunk, name))).size === 1, `the same ${name} everywhere`);
  }
  const calls = new Map<string, number>();
  const finished = new Set<unknown>();
  const begun = new Set<unknown>();
  for (const [place, chunk] of chunks.entries()) {
    const isUsage = list(chunk, "choices").length === 0;
    must(!isUsage || place === chunks.length - 1, "usage comes last", chunk);
    for (const choice of list(chunk, "choices")) {
      const index = at(choice, "index");
      must(!finished.has(index), "nothing after the finish", choice);
      must(
        begun.has(index) || text(choice, "delta", "role") === "assistant",
        "a role first",
        choice,
      );
      begun.add(index);
      for (const call of list(choice, "delta", "tool_calls")) {
        const count = calls.get(String(index)) ?? 0;
        const isNew = number(call, "index") === count;
        must(isNew || (number(call, "index") ?? -1) < count, "dense call indexes", call);
        if (isNew) calls.set(String(index), count + 1);
        must(has(call, "id") === isNew && has(call, "type") === isNew, "an id once", call);
      }
      if (typeof at(choice, "finish_reason") === "string") finished.add(index);
    }
  }
  must(finished.size === begun.size, "a finish for each choice");
}

function responsesGrammar(events: readonly Said[], must: Must): void {
  must(events[0]?.name === "response.created", "created is first");
  must(/^response\.(?:completed|incomplete)$/.test(events.at(-1)?.name ?? ""), "the end is last");
  const open = new Map<string, string>();
  let items = 0;
  for (const [place, { name, data }] of events.entries()) {
    must(number(data, "sequence_number") === place, "sequence numbers without gaps", data);
    const index = number(data, "output_index");
    if (name === "response.output_item.added") {
      must(index === items++, "dense output indexes", data);
      open.set(String(index), text(data, "item", "id"));
    } else if (index !== undefined) {
      must(open.has(String(index)), "nothing outside of its item", data);
      const id = text(data, "item_id") || text(data, "item", "id");
      must(id === open.get(String(index)), "one id for each item", data);
    }
    const part = `${index}/${name.includes("summary") ? "s" : "c"}${number(data, "content_index") ?? number(data, "summary_index")}`;
    if (/part\.added$/.test(name)) open.set(part, "");
    if (/part\.done$/.test(name)) must(open.delete(part), "a part ends once", data);
    if (name === "response.output_item.done") must(open.delete(String(index)), "an item ends once");
  }
  must(open.size === 0, "everything that was added is done", [...open]);
  const whole = list(events.at(-1)?.data, "response", "output");
  must(whole.length === items, "the end holds every item", [whole.length, items]);
}

function anthropicGrammar(events: readonly Said[], must: Must): void {
  const said = events.filter(({ name }) => name !== "ping");
  must(said[0]?.name === "message_start", "message_start is first");
  must(said.at(-1)?.name === "message_stop", "message_stop is last");
  must(said.at(-2)?.name === "message_delta", "the stop comes before it");
  let open: number | undefined;
  let next = 0;
  for (const { name, data } of said.slice(1, -2)) {
    const index = number(data, "index");
    if (name === "content_block_start") {
      must(open === undefined && index === next, "blocks one after another, dense", data);
      open = index;
      next++;
    } else if (name === "content_block_delta")
      must(index === open, "deltas of the open block", data);
    else if (name === "content_block_stop") {
      must(index === open, "the open block stops", data);
      open = undefined;
    } else must(false, "no other event", name);
  }
  must(open === undefined, "every block stops");
  must(has(said.at(-2)?.data, "usage", "output_tokens"), "usage with the stop");
}

function geminiGrammar(events: readonly Said[], must: Must): void {
  const ends = events.filter(({ data }) => has(data, "candidates", 0, "finishReason"));
  const isBlocked = events.some(({ data }) => has(data, "promptFeedback", "blockReason"));
  must(ends.length > 0 || isBlocked, "a finish reason");
  const after = events.slice(events.indexOf(ends[0] ?? events.at(-1)!) + 1);
  must(
    after.every(({ data }) => has(data, "candidates", 0, "finishReason")),
    "the finish is last",
  );
  for (const { data } of events) {
    for (const part of list(data, "candidates", 0, "content", "parts")) {
      const call = at(part, "functionCall");
      must(call === undefined || (has(call, "name") && has(call, "args")), "whole calls", part);
    }
  }
}

function bedrockGrammar(events: readonly Said[], must: Must): void {
  must(events[0]?.name === "messageStart", "messageStart is first");
  must(events.at(-2)?.name === "messageStop", "messageStop before the end");
  must(has(events.at(-1)?.data, "usage", "totalTokens"), "usage in the metadata, last");
  must(has(events.at(-1)?.data, "metrics", "latencyMs"), "metrics in the metadata");
  let next = 0;
  let isOpen = false;
  for (const { name, data } of events.slice(1, -2)) {
    const index = number(data, "contentBlockIndex");
    if (name === "contentBlockStart") {
      must(!isOpen && index === next, "blocks one after another, dense", data);
      isOpen = true;
    } else if (name === "contentBlockDelta") {
      must(index === next, "deltas of the open block", data);
      isOpen = true;
    } else if (name === "contentBlockStop") {
      must(isOpen && index === next, "the open block stops", data);
      isOpen = false;
      next++;
    } else must(false, "no other event", name);
  }
  must(!isOpen, "every block stops");
}

function cohereGrammar(events: readonly Said[], must: Must): void {
  must(events.at(-1)?.name === "[DONE]", "[DONE] is last");
  const said = events.slice(0, -1).map(({ data }) => data);
  must(text(said[0], "type") === "message-start", "message-start is first");
  must(text(said.at(-1), "type") === "message-end", "message-end is last");
  const open = new Set<string>();
  for (const data of said.slice(1, -1)) {
    const [, thing = "", what = ""] =
      /^(content|tool-call|citation)-(\w+)$/.exec(text(data, "type")) ?? [];
    const key = `${thing} ${number(data, "index")}`;
    if (what === "start") {
      must(!open.has(key), "a block starts once", data);
      const isAlone =
        thing !== "tool-call" || ![...open].some((each) => each.startsWith("tool-call"));
      must(isAlone, "one call after another", data);
    }
    if (what === "start") open.add(key);
    if (what === "delta") must(open.has(key), "deltas of an open block", data);
    if (what === "end") must(open.delete(key), "a block ends once", data);
    const calls = at(data, "delta", "message", "tool_calls");
    must(!Array.isArray(calls), "a call is an object, not a list (§5.3)", data);
  }
  must(open.size === 0, "every block ends", [...open]);
}
