import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DialectId } from "../../../src/core/ids.ts";
import { fixture, haveRecordings } from "../../faultd/recordings.ts";
import type { Answer } from "../../faultd/script.ts";

/** One recorded answer of a vendor, ready to be played. */
export interface Traffic {
  readonly name: string;
  readonly backend: DialectId;
  readonly stream: boolean;
  readonly status: number;
  readonly script: Answer;
  readonly body: Uint8Array;
}

const FOLDERS: Readonly<Record<DialectId, string>> = {
  openai: "openai-chat",
  responses: "openai-responses",
  anthropic: "anthropic",
  gemini: "gemini",
  bedrock: "bedrock-converse",
  cohere: "cohere",
};
const EVENT_STREAM = "application/vnd.amazon.eventstream";

interface Meta {
  readonly status: number;
  readonly streamed: boolean;
  readonly responseHeaders?: Readonly<Record<string, string>>;
}

/** The recorded answers of one protocol; those of 300 and above when `errors` is asked for. */
export function readTraffic(backend: DialectId, errors = false): readonly Traffic[] {
  if (!haveRecordings) return [];
  const folder = fixture(FOLDERS[backend]);
  return readdirSync(folder)
    .filter((file) => file.endsWith(".meta.json"))
    .toSorted()
    .flatMap((file) => load(backend, folder, file.slice(0, -".meta.json".length)) ?? [])
    .filter(({ status }) => status >= 300 === errors);
}

function load(backend: DialectId, folder: string, name: string): Traffic | undefined {
  const meta: Meta = JSON.parse(readFileSync(join(folder, `${name}.meta.json`), "utf8"));
  const { streamed: stream, status } = meta;
  const endings = stream ? ["stream.bin", "stream.txt"] : ["response.json"];
  const file = endings
    .map((end) => join(folder, `${name}.${end}`))
    .find((path) => existsSync(path));
  if (file === undefined) return undefined;
  const body = new Uint8Array(readFileSync(file));
  const events = backend === "bedrock" ? EVENT_STREAM : "text/event-stream";
  const type = stream && status < 300 ? events : "application/json";
  const extra = Object.entries(meta.responseHeaders ?? {}).filter(([header]) =>
    /^(?:x-amzn-errortype|retry-after|x-should-retry)$/i.test(header),
  );
  const headers = [["content-type", type] as const, ...extra];
  const framing = stream ? "chunked" : "content-length";
  return { name, backend, stream, status, body, script: { status, headers, body, framing } };
}
