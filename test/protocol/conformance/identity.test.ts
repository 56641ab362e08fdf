import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { DIALECT_IDS, type DialectId } from "../../../src/core/ids.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import type { AnswerContext } from "../../../src/protocol/codec.ts";
import { dialects } from "../../../src/protocol/dialects.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { isRawNumber, parseJson, printJson } from "../../../src/wire/exact-json.ts";
import { dataOf, framesOf, messageOf } from "../../binary/frames.ts";
import { fixture } from "../../faultd/recordings.ts";
import { answersOf, haveFixtures, requestsOf, SKIPPED } from "./pairs.ts";

/** How many recordings of each sort there are: a lost one is noticed. */
const COUNTS: Readonly<Record<DialectId, Counts>> = {
  openai: { requests: 130, sdk: 6, answers: 66, streams: 67 },
  responses: { requests: 101, sdk: 3, answers: 61, streams: 42 },
  anthropic: { requests: 91, sdk: 3, answers: 52, streams: 44 },
  gemini: { requests: 85, sdk: 2, answers: 50, streams: 43 },
  bedrock: { requests: 70, sdk: 3, answers: 40, streams: 33 },
  cohere: { requests: 44, sdk: 2, answers: 26, streams: 21 },
};
interface Counts {
  readonly requests: number;
  readonly sdk: number;
  readonly answers: number;
  readonly streams: number;
}
/** Requests as the official SDKs send them, by their file's name. */
const SDK_FILES: Readonly<Record<DialectId, RegExp>> = {
  openai: /^(?:openai-chat|azure-openai-chat|groq|mistral)/,
  responses: /^(?:openai-responses|azure-openai-responses)/,
  anthropic: /^anthropic(?!-count)/,
  gemini: /^gemini(?!-count)/,
  bedrock: /^bedrock-converse/,
  cohere: /^cohere/,
};
/** Not of their protocols: what a client's test made up, a stream that starts over, a chat answer. */
const UNREAL: ReadonlySet<string> = new Set([
  "vercel-ai--amazon-bedrock-json-with-tool.1",
  "vercel-ai--spliced-message-start",
  "vercel-ai--azure-deepseek-reasoning.1",
]);

describe.skipIf(!haveFixtures)(`what is read and written again is itself${SKIPPED}`, () => {
  for (const dialect of DIALECT_IDS) {
    const { codec } = dialects[dialect];
    const head = { model: "m", stream: false };

    test(`${dialect}: requests`, () => {
      const bodies = [
        ...requestsOf(dialect).map(({ name, body, stream }) => ({
          name,
          json: parse(body),
          stream,
        })),
        ...sdkRequests(dialect),
      ];
      const losses: Loss[] = [];
      const wrong = bodies.flatMap(({ name, json, stream }) => {
        const read = codec.readRequest(json, { ...head, stream });
        if (read instanceof Rejection) return [`${name}: ${JSON.stringify(read.reason)}`];
        const model = read.model;
        const { capabilities } = codec;
        const all = codec.writeRequest(read, { model, capabilities, report });
        // Vertex has the model in the path, for every vendor's body.
        const { model: _, ...rest } = all;
        const written = json["model"] === undefined ? rest : all;
        return same(json, written) ? [] : [`${name}: ${difference(json, written)}`];
      });
      expect(wrong).toEqual([]);
      expect(losses).toEqual([]);
      expect(requestsOf(dialect).length).toBe(COUNTS[dialect].requests);
      expect(bodies.length - requestsOf(dialect).length).toBe(COUNTS[dialect].sdk);

      function report(loss: Loss): void {
        losses.push(loss);
      }
    });

    test(`${dialect}: whole answers`, () => {
      const losses: Loss[] = [];
      const answers = answersOf(dialect, false);
      const wrong = answers.filter(isReal).flatMap(({ name, body }) => {
        const json = parse(body);
        const written = codec.writeAnswer(codec.readAnswer(json), contextOf(dialect, losses));
        if (same(json, written)) return [];
        return [`${name}: ${difference(json, written)}`];
      });
      expect(wrong).toEqual([]);
      expect(losses).toEqual([]);
      expect(answers.length).toBe(COUNTS[dialect].answers);
    });

    test(`${dialect}: streams`, () => {
      const losses: Loss[] = [];
      const streams = answersOf(dialect, true);
      const wrong = streams.filter(isReal).flatMap(({ name, body }) => {
        const reader = codec.streamReader();
        const writer = codec.streamWriter(contextOf(dialect, losses));
        const events = [...reader.feed(body), ...reader.end()];
        const out = Buffer.concat([
          ...events.map((event) => writer.write(event).slice()),
          writer.end(),
        ]);
        const [before, after] = [eventsOf(dialect, body), eventsOf(dialect, new Uint8Array(out))];
        const at = before.findIndex((event, index) => event !== after[index]);
        if (at === -1 && before.length === after.length) return [];
        return [
          `${name}: event ${at} of ${before.length}/${after.length}: ${before[at]} became ${after[at]}`,
        ];
      });
      expect(wrong).toEqual([]);
      expect(losses).toEqual([]);
      expect(streams.length).toBe(COUNTS[dialect].streams);
    });
  }
});

function isReal({ name }: { readonly name: string }): boolean {
  return !UNREAL.has(name);
}

function parse(body: Uint8Array): JsonObject {
  return parseJson(body) as JsonObject;
}

function sdkRequests(dialect: DialectId) {
  return readdirSync(fixture("sdk-requests"))
    .filter((file) => SDK_FILES[dialect].test(file))
    .map((file) => {
      const { body } = JSON.parse(readFileSync(fixture(`sdk-requests/${file}`), "utf8"));
      const text = typeof body === "string" ? body : JSON.stringify(body);
      return {
        name: file,
        json: parse(new TextEncoder().encode(text)),
        stream: /stream/.test(file),
      };
    });
}

/** To the last digit; the order of keys aside. */
function same(before: unknown, after: unknown): boolean {
  return printJson(sorted(before)) === printJson(sorted(after));
}

function sorted(value: unknown): JsonObject {
  const text = printJson(value as JsonObject);
  return parseSorted(parseJson(new TextEncoder().encode(text))) as JsonObject;
}

function parseSorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(parseSorted);
  if (typeof value !== "object" || value === null || isRawNumber(value)) return value;
  const names = Object.keys(value).toSorted();
  return Object.fromEntries(
    names.map((name) => [name, parseSorted((value as Record<string, unknown>)[name])]),
  );
}

function difference(before: unknown, after: unknown): string {
  const [one, other] = [before, after].map((value) => printJson(sorted(value)));
  let at = 0;
  while (one![at] === other![at]) at++;
  return `${one!.slice(Math.max(0, at - 60), at + 60)} became ${other!.slice(Math.max(0, at - 60), at + 60)}`;
}

/**
 * The events of a stream, without padding and comments. Two wires have `[DONE]` only by habit, and
 * OpenAI's Responses come without their event's name from some hosts: protocols.md finding 4.
 */
function eventsOf(dialect: DialectId, body: Uint8Array): string[] {
  return framesOf(dialect, body).flatMap((frame) => {
    const said = dialect === "bedrock" ? messageOf(frame) : { name: "", payload: dataOf(frame) };
    const text = Buffer.from(frame).toString();
    const isDone = dialect === "openai" && /^data: ?\[DONE\]/m.test(text);
    if (said.payload === undefined) return isDone ? ["[DONE]"] : [];
    const { p, obfuscation, ...payload } = said.payload as Record<string, unknown>;
    const named = said.name || /^event: ?(.*?)\r?$/m.exec(text)?.[1];
    const name = named || (dialect === "responses" ? payload["type"] : "");
    return [`${name} ${JSON.stringify(parseSorted(payload))}`];
  });
}

const ASKED: IrRequest = {
  ...{ origin: "openai", model: "m", system: [], messages: [], tools: undefined, sampling: {} },
  ...{ stream: true, streamUsage: true },
};
function contextOf(dialect: DialectId, losses: Loss[]): AnswerContext {
  return {
    asked: { ...ASKED, origin: dialect },
    ...{ requestId: "req_0123456789ab", createdAt: 1_700_000_000, framing: "events" },
    report: (loss) => void losses.push(loss),
  };
}
