import type { Block, MediaBlock, ReasoningBlock, Signed, ToolCallBlock } from "../ir/block.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { readCacheMark } from "./cache-mark.ts";
import { readAnnotations } from "./citations.ts";
import { opaquePart, readParts } from "./read-parts.ts";
import { readDetails } from "./reasoning-details.ts";
import { restOf } from "./rest.ts";
import { spelled } from "./spelling.ts";

/** Members hosts put reasoning in as one text: protocols.md 3.9. The first is DeepSeek's. */
export const REASONING_SLOTS = ["reasoning_content", "reasoning"] as const;

/** What an assistant's message says, in a history and in an answer alike. */
export interface AssistantRead {
  readonly blocks: readonly Block[];
  readonly bareString: boolean;
  /** Reasoning once more, as one text beside its details. */
  readonly beside: JsonObject | undefined;
}

export interface AssistantPlace {
  /** The message's path; undefined in an answer. */
  readonly at: string | undefined;
  /** An empty text says something: in a history, where it may be refused. */
  readonly keepsEmpty: boolean;
}

/** Takes what is modelled out of `fields`; the caller takes care of the rest. */
export function readAssistant(fields: Fields, place: AssistantPlace): AssistantRead {
  const { at } = place;
  const calls = readCalls(fields, at);
  const { blocks: reasoning, beside } = readReasoning(fields, { calls, at });
  const { parts, bareString } = readContent(fields, place);
  const refusal = readRefusal(fields, at);
  const cited = withAnnotations(fields, parts);
  const audio = readAudio(fields, at);
  const blocks = [...reasoning, ...cited, ...refusal, ...audio, ...calls];
  return { blocks, bareString, beside };
}

/** `content`, as a text or as a list; null and what is not readable stay where they are. */
export function readContent(
  fields: Fields,
  { at, keepsEmpty }: AssistantPlace,
): { readonly parts: readonly Block[]; readonly bareString: boolean } {
  const content = fields.peek("content");
  const path = at && `${at}.content`;
  if (typeof content === "string" && (content !== "" || keepsEmpty)) {
    fields.skip("content");
    return { parts: [{ type: "text", text: content, at: path }], bareString: true };
  }
  const parts = isList(content) && content.length > 0 ? readParts(content, path) : undefined;
  if (parts !== undefined) fields.skip("content");
  return { parts: parts ?? [], bareString: false };
}

function readReasoning(
  fields: Fields,
  { calls, at }: { readonly calls: readonly Block[]; readonly at: string | undefined },
): { readonly blocks: readonly Block[]; readonly beside: JsonObject | undefined } {
  const detailed = detailsOf(fields, calls);
  const hasText = detailed.some((block) => block.type === "reasoning" && saysSomething(block));
  const flat = REASONING_SLOTS.filter((slot) => isText(fields.peek(slot)));
  const [slot] = hasText ? [] : flat;
  const said: Record<string, Json> = Object.create(null);
  for (const name of flat) {
    const repeats = hasText || fields.peek(name) === fields.peek(slot!);
    if (name !== slot && repeats) said[name] = fields.text(name)!;
  }
  const beside = Object.keys(said).length === 0 ? undefined : said;
  if (slot === undefined) return { blocks: detailed, beside };
  const text = fields.text(slot);
  const block: ReasoningBlock = { type: "reasoning", text, at: at && `${at}.${slot}` };
  return { blocks: [spelled(block, { slot }), ...detailed], beside };
}

function detailsOf(fields: Fields, calls: readonly Block[]): readonly Block[] {
  const list = fields.peek("reasoning_details");
  const ids = calls.flatMap((call) => (call.type === "tool_call" ? (call.callId ?? []) : []));
  const blocks = isList(list) ? readDetails(list, new Set(ids)) : undefined;
  if (blocks !== undefined) fields.skip("reasoning_details");
  return blocks ?? [];
}

function saysSomething({ text = "", summary = [] }: ReasoningBlock): boolean {
  return text !== "" || summary.length > 0;
}

function isText(value: Json | undefined): boolean {
  return typeof value === "string" && value !== "";
}

function readRefusal(fields: Fields, at: string | undefined): readonly Block[] {
  if (!isText(fields.peek("refusal"))) return [];
  return [{ type: "refusal", text: fields.text("refusal")!, at: at && `${at}.refusal` }];
}

/** Web citations stand with the first text: their spans count from the message's beginning. */
function withAnnotations(fields: Fields, parts: readonly Block[]): readonly Block[] {
  const list = fields.peek("annotations");
  const citations = isList(list) ? readAnnotations(list) : undefined;
  const index = parts.findIndex(({ type }) => type === "text");
  const text = parts[index];
  if (citations === undefined || text?.type !== "text") return parts;
  fields.skip("annotations");
  return parts.with(index, { ...text, citations });
}

/** Spoken text: whole in an answer; in a history it is the id of one. */
function readAudio(fields: Fields, at: string | undefined): readonly Block[] {
  const given = fields.peek("audio");
  if (!isObject(given)) return [];
  const inner = new Fields(given);
  const data = inner.text("data");
  const id = inner.text("id");
  if ((data ?? "") === "" && (id ?? "") === "") return [];
  fields.skip("audio");
  const path = at && `${at}.audio`;
  if (data === undefined) {
    const source = { kind: "reference", vendor: "openai", raw: given } as const;
    return [
      spelled<MediaBlock>({ type: "media", kind: "audio", source, at: path }, { slot: "audio" }),
    ];
  }
  const transcript = inner.text("transcript");
  const source = { kind: "base64", data } as const;
  const audio = { type: "media", kind: "audio", id, source, transcript, at: path } as const;
  return [spelled<MediaBlock>({ ...audio, ext: restOf(inner) }, { slot: "audio" })];
}

function readCalls(fields: Fields, at: string | undefined): readonly Block[] {
  const list = fields.peek("tool_calls");
  const calls = isList(list) && list.every(isObject) ? list : [];
  if (calls.length > 0) fields.skip("tool_calls");
  const path = at && `${at}.tool_calls`;
  const blocks = calls.map((call, index) => readCall(call, path && `${path}[${index}]`));
  const legacy = readLegacyCall(fields, at);
  return legacy === undefined ? blocks : [...blocks, legacy];
}

function readCall(call: JsonObject, at: string | undefined): Block {
  const fields = new Fields(call);
  const isFreeform = call["type"] === "custom";
  const member = isFreeform ? "custom" : "function";
  const given = fields.object(member);
  const inner = given && new Fields(given);
  const name = inner?.text("name");
  if (inner === undefined || name === undefined) {
    return spelled(opaquePart(call, at), { slot: "tool_calls" });
  }
  const type = fields.text("type");
  const index = fields.number("index");
  const callId = call["id"] === "" ? undefined : fields.text("id");
  const cache = readCacheMark(fields);
  const { proof, extra } = readProof(fields);
  const block: ToolCallBlock = {
    type: "tool_call",
    callId,
    name,
    ...argsOf(inner, isFreeform ? "input" : "arguments"),
    freeform: isFreeform ? true : undefined,
    proof,
    cache,
    ext: restOf(fields, { [member]: inner, extra_content: extra }),
    at,
  };
  // Mistral leaves the type out; others repeat a call's place in the list, which says nothing.
  const slot = type === undefined ? "untyped" : undefined;
  return spelled(block, { slot, beside: index === undefined ? undefined : { index } });
}

/** Gemini's proof of a call, as its own OpenAI surface spells it. */
function readProof(fields: Fields): {
  readonly proof: Signed | undefined;
  readonly extra: Fields | undefined;
} {
  const google = (fields.peek("extra_content") as JsonObject | null | undefined)?.["google"];
  const value = isObject(google) ? google["thought_signature"] : undefined;
  if (typeof value !== "string" || Object.keys(google as JsonObject).length !== 1) {
    return { proof: undefined, extra: undefined };
  }
  const extra = new Fields(fields.object("extra_content")!);
  extra.skip("google");
  return { proof: { value, encoding: "plain", family: "google" }, extra };
}

function argsOf(inner: Fields, name: string): Pick<ToolCallBlock, "args" | "argsValue"> {
  const args = inner.text(name);
  if (args !== undefined) return { args };
  return isObject(inner.peek(name)) ? { argsValue: inner.object(name) } : {};
}

/** The single call of OpenAI's first tools, which had no id. */
function readLegacyCall(fields: Fields, at: string | undefined): ToolCallBlock | undefined {
  const given = fields.peek("function_call");
  if (!isObject(given) || (given["name"] ?? "") === "") return undefined;
  const inner = new Fields(given);
  const name = inner.text("name");
  if (name === undefined) return undefined;
  fields.skip("function_call");
  const path = at && `${at}.function_call`;
  const call = { type: "tool_call", name, ...argsOf(inner, "arguments") } as const;
  return spelled({ ...call, ext: restOf(inner), at: path }, { slot: "function_call" });
}
