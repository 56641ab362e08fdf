import { readFileSync } from "node:fs";
import type { Chunk } from "../../../src/core/units.ts";
import type { AnswerContext } from "../../../src/protocol/codec.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { Json, JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { codec } from "../../../src/protocol/responses/codec.ts";
import { parseJson, printJson } from "../../../src/wire/exact-json.ts";
import { parseSse } from "../../../src/wire/sse.ts";
import { fixture, haveRecordings, type Recording, recordingsOf } from "../../faultd/recordings.ts";

export const utf8 = (text: string): Chunk => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const objectOf = (bytes: Uint8Array): JsonObject => parseJson(bytes) as JsonObject;
/** As any other reader sees it: rawJSON numbers and objects without a prototype are gone. */
export const plain = (value: unknown): unknown => JSON.parse(printJson(value));
export const sse = (...events: object[]): string =>
  events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");

export const recordings: readonly Recording[] = recordingsOf("openai-responses");
export const streams = recordings.filter(({ streamed }) => streamed);
export const answers = recordings.filter(
  ({ streamed, response }) => !streamed && "output" in objectOf(response),
);
export const errors = recordings.filter(({ streamed, status }) => !streamed && status >= 400);
/** The requests as OpenAI's own SDK sends them. */
export const sdkRequests: readonly { name: string; body: JsonObject }[] = haveRecordings
  ? ["openai-responses", "openai-responses-stream", "azure-openai-responses"].map((name) => {
      const said = JSON.parse(readFileSync(fixture(`sdk-requests/${name}.json`), "utf8"));
      return { name, body: said.body as JsonObject };
    })
  : [];

export function askedOf(body: JsonObject = { model: "m", input: "x" }): IrRequest {
  const read = codec.readRequest(body, { model: "m", stream: false });
  if (!("origin" in read)) throw new Error(`refused: ${JSON.stringify(read)}`);
  return read;
}

export interface Told {
  readonly context: AnswerContext;
  readonly losses: Loss[];
}
export function telling(asked: IrRequest = askedOf()): Told {
  const losses: Loss[] = [];
  const report = (loss: Loss) => void losses.push(loss);
  const context = {
    requestId: "req_1",
    asked,
    createdAt: 1_700_000_000,
    framing: "events",
    report,
  } as const;
  return { context, losses };
}

export function eventsOf(...chunks: readonly Chunk[]): IrEvent[] {
  const reader = codec.streamReader();
  const events: IrEvent[] = [];
  for (const chunk of chunks) events.push(...reader.feed(chunk));
  events.push(...reader.end());
  return events;
}
/** As another protocol's reader would have told it: without anything of this wire's own. */
export function foreign(events: readonly IrEvent[]): IrEvent[] {
  return events.map(({ ext: _, ...event }) => event as IrEvent);
}
export function streamed(events: readonly IrEvent[], context: AnswerContext): string {
  const writer = codec.streamWriter(context);
  let text = "";
  for (const event of events) text += textOf(writer.write(event));
  return text + textOf(writer.end());
}

export interface WireEvent extends JsonObject {
  readonly type: string;
}
export function wireEvents(body: Uint8Array | string): WireEvent[] {
  const bytes = typeof body === "string" ? utf8(body) : utf8(textOf(body));
  const events = parseSse(bytes).filter(({ data }) => data !== "[DONE]");
  return events.map(({ data }) => JSON.parse(data) as WireEvent);
}
export function terminal(body: Uint8Array | string): JsonObject {
  return wireEvents(body).at(-1)?.["response"] as JsonObject;
}

/** The blocks that the events of a stream build up. */
export function accumulated(events: readonly IrEvent[]): Block[] {
  const blocks = new Map<number, Record<string, unknown>>();
  for (const event of events) {
    if (event.t === "block_start") {
      blocks.set(event.b, { ...event.block });
    } else if (event.t === "delta") {
      grow(blocks.get(event.b)!, event);
    }
  }
  return [...blocks.values()] as unknown as Block[];
}

function grow(block: Record<string, unknown>, { d }: Extract<IrEvent, { t: "delta" }>): void {
  const add = (name: string, text: string) => {
    block[name] = `${(block[name] as string | undefined) ?? ""}${text}`;
  };
  const push = (name: string, ...values: unknown[]) => {
    block[name] = [...((block[name] as unknown[] | undefined) ?? []), ...values];
  };
  if (d.k === "text" || d.k === "refusal" || d.k === "reasoning") add("text", d.text);
  else if (d.k === "args") add("args", d.text);
  else if (d.k === "citation") push("citations", d.citation);
  else if (d.k === "logprobs") push("logprobs", ...d.tokens);
  else if (d.k === "sealed") block["sealed"] = d.signed;
  else if (d.k === "summary") {
    const parts = [...(block["summary"] as string[])];
    parts[d.part] = (parts[d.part] ?? "") + d.text;
    block["summary"] = parts;
  }
}

/** What must be the same of a block however it was told. */
export function gist(block: Block): Json {
  switch (block.type) {
    case "text":
      return { text: block.text, id: block.id ?? null, cites: block.citations?.length ?? 0 };
    case "refusal":
      return { refusal: block.text };
    case "reasoning":
      return {
        thought: block.text ?? "",
        summary: block.summary ?? null,
        isSealed: block.sealed !== undefined,
        id: block.id ?? null,
      };
    case "tool_call":
      return { call: block.callId ?? null, name: block.name, args: block.args ?? "" };
    default:
      return { type: block.type };
  }
}
