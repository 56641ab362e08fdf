import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { familyOf } from "../../../src/config/model-families.ts";
import type { Capabilities } from "../../../src/core/capabilities.ts";
import { DIALECT_IDS, type DialectId } from "../../../src/core/ids.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import type { Severity } from "../../../src/protocol/ir/loss.ts";
import { dialects } from "../../../src/protocol/dialects.ts";
import { createProofs } from "../../../src/protocol/translate/proofs.ts";
import { translate, type Translation } from "../../../src/protocol/translate/translate.ts";

const FOLDER = join(import.meta.dir, "../../../../shared/fixtures");
export const haveFixtures = existsSync(join(FOLDER, "index.json"));
export const SKIPPED = haveFixtures ? "" : " (skipped: ../shared/fixtures is not here)";

export const FOLDERS: Readonly<Record<DialectId, string>> = {
  openai: "openai-chat",
  responses: "openai-responses",
  anthropic: "anthropic",
  gemini: "gemini",
  bedrock: "bedrock-converse",
  cohere: "cohere",
};
/** A name of each vendor, so that its family's record applies. */
export const MODELS: Readonly<Record<DialectId, string>> = {
  openai: "gpt-4o",
  responses: "gpt-5",
  anthropic: "claude-sonnet-4-5",
  gemini: "gemini-3-pro",
  bedrock: "anthropic.claude-sonnet-4-5-v1:0",
  cohere: "command-a-reasoning-08-2025",
};

export interface RecordedRequest {
  readonly name: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly stream: boolean;
}

/** The requests of one protocol that its vendor accepted. */
export function requestsOf(dialect: DialectId): readonly RecordedRequest[] {
  if (!haveFixtures) return [];
  const folder = join(FOLDER, FOLDERS[dialect]);
  return readdirSync(folder)
    .filter((file) => file.endsWith(".request.json"))
    .toSorted()
    .flatMap((file) => {
      const name = file.slice(0, -".request.json".length);
      const meta = JSON.parse(readFileSync(join(folder, `${name}.meta.json`), "utf8"));
      if (meta.status >= 300) return [];
      return [
        { name, body: new Uint8Array(readFileSync(join(folder, file))), stream: meta.streamed },
      ];
    });
}

/** Every ordered pair of two different protocols. */
export const PAIRS = DIALECT_IDS.flatMap((from) =>
  DIALECT_IDS.filter((to) => to !== from).map((to) => [from, to] as const),
);

export const proofs = createProofs(new TextEncoder().encode("a key for tests"));

export function capabilitiesFor(to: DialectId): Capabilities {
  return { ...dialects[to].codec.capabilities, ...familyOf(MODELS[to])?.capabilities };
}

export interface Pair {
  readonly from: DialectId;
  readonly to: DialectId;
  readonly stream?: boolean;
  readonly refuse?: Severity;
}

export function translated(
  body: Uint8Array<ArrayBuffer>,
  { from, to, stream = false, refuse }: Pair,
): Translation | Rejection {
  return translate(body, {
    ...{ from: dialects[from], to: dialects[to], model: MODELS[to], proofs },
    head: { model: "asked", stream },
    capabilities: capabilitiesFor(to),
    requestId: "req_0123456789ab",
    createdAt: 1_700_000_000,
    framing: "events",
    refuse,
  });
}

export interface RecordedAnswer {
  readonly name: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Answers of one protocol as its vendor sent them: whole ones, or streams. */
export function answersOf(dialect: DialectId, streamed: boolean): readonly RecordedAnswer[] {
  if (!haveFixtures) return [];
  const folder = join(FOLDER, FOLDERS[dialect]);
  const stream = dialect === "bedrock" ? ".stream.bin" : ".stream.txt";
  const end = streamed ? stream : ".response.json";
  return readdirSync(folder)
    .filter((file) => file.endsWith(end))
    .toSorted()
    .flatMap((file) => {
      const name = file.slice(0, -end.length);
      const meta = JSON.parse(readFileSync(join(folder, `${name}.meta.json`), "utf8"));
      if (meta.status >= 300) return [];
      return [{ name, body: new Uint8Array(readFileSync(join(folder, file))) }];
    });
}

/** What brings answers of `backend` back to a client that asked it a plain question. */
export function translatorOf(client: DialectId, backend: DialectId, stream = false): Translation {
  const done = translated(QUESTIONS[client], { from: client, to: backend, stream });
  if (done instanceof Rejection) throw new Error(JSON.stringify(done.reason));
  return done;
}

const messages = [{ role: "user", content: "hi" }];
const contents = [{ role: "user", parts: [{ text: "hi" }] }];
const QUESTIONS: Readonly<Record<DialectId, Uint8Array<ArrayBuffer>>> = {
  openai: bytesOf({ model: "m", messages, stream_options: { include_usage: true } }),
  responses: bytesOf({ model: "m", input: "hi" }),
  anthropic: bytesOf({ model: "m", max_tokens: 99, messages }),
  gemini: bytesOf({
    contents,
    generationConfig: { thinkingConfig: { includeThoughts: true } },
  }),
  bedrock: bytesOf({ messages: [{ role: "user", content: [{ text: "hi" }] }] }),
  cohere: bytesOf({ model: "m", messages }),
};

function bytesOf(value: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}
