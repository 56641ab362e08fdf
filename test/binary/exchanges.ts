import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DialectId } from "../../src/core/ids.ts";
import { fixture, haveRecordings } from "../faultd/recordings.ts";
import type { Answer, HeaderLine } from "../faultd/script.ts";

/** The six protocols, and the bodies of models' own vendors inside Bedrock. */
export const SURFACES = [
  "openai",
  "responses",
  "anthropic",
  "gemini",
  "bedrock",
  "invoke",
  "cohere",
] as const satisfies readonly (DialectId | "invoke")[];
export type Surface = (typeof SURFACES)[number];

/** One recorded call and its answer, both as bytes: conformance.md §1.1. */
export interface Exchange {
  readonly name: string;
  readonly surface: Surface;
  readonly provider: string;
  /** The name the caller gave the model, in the body or in the path. */
  readonly model: string;
  /** As its caller sends it here; for a source that kept only the answer, one like it. */
  readonly path: string;
  readonly query: string;
  readonly request: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly status: number;
  readonly streamed: boolean;
  readonly response: Uint8Array;
  readonly responseHeaders: readonly HeaderLine[];
}

const FOLDERS: Readonly<Record<Surface, string>> = {
  openai: "openai-chat",
  responses: "openai-responses",
  anthropic: "anthropic",
  gemini: "gemini",
  bedrock: "bedrock-converse",
  invoke: "bedrock-invoke",
  cohere: "cohere",
};
/** Calls whose path says it all; the others' has the model in it. */
const FIXED_PATHS: { readonly [S in Surface]?: string } = {
  openai: "/v1/chat/completions",
  responses: "/v1/responses",
  anthropic: "/v1/messages",
  cohere: "/v2/chat",
};
export const EVENT_STREAM = "application/vnd.amazon.eventstream";

interface Row {
  readonly name: string;
  readonly protocol: string;
  readonly provider: string;
  readonly url: string | null;
  readonly status: number;
  readonly streamed: boolean;
  readonly requestHeaders: Readonly<Record<string, string>> | null;
  readonly responseHeaders: Readonly<Record<string, string>> | null;
}

const rows: readonly Row[] = haveRecordings
  ? JSON.parse(readFileSync(fixture("index.json"), "utf8"))
  : [];

/** Every recorded call of a surface, in the order of the index. */
export function exchangesOf(surface: Surface): readonly Exchange[] {
  return rows
    .filter(({ protocol }) => protocol === FOLDERS[surface])
    .map((row) => load(surface, row));
}

/** The protocol of a surface, as configurations call it. */
export function dialectOf(surface: Surface): DialectId {
  return surface === "invoke" ? "bedrock" : surface;
}

/** The recorded answer as faultd plays it. */
export function played(exchange: Exchange, how: Answer = {}): Answer {
  const { status, response: body, streamed, responseHeaders, surface } = exchange;
  const type = typeOf(surface, streamed && status < 300);
  const others = responseHeaders.filter(([name]) => name !== "content-type");
  const said = responseHeaders.find(([name]) => name === "content-type");
  const headers: readonly HeaderLine[] = [said ?? ["content-type", type], ...others];
  return { status, headers, body, framing: streamed ? "chunked" : "content-length", ...how };
}

function typeOf(surface: Surface, isStream: boolean): string {
  if (!isStream) return "application/json";
  return dialectOf(surface) === "bedrock" ? EVENT_STREAM : "text/event-stream";
}

function load(surface: Surface, row: Row): Exchange {
  const { name, provider, status, streamed } = row;
  const base = join(fixture(FOLDERS[surface]), name);
  const kept = existsSync(`${base}.request.json`)
    ? readFileSync(`${base}.request.json`, "utf8")
    : undefined;
  const { model, ...call } = callOf(surface, { row, kept });
  return {
    ...{ name, surface, provider, status, streamed, model, ...call },
    requestHeaders: row.requestHeaders ?? {},
    response: new Uint8Array(readFileSync(answerFile(base, streamed))),
    responseHeaders: Object.entries(row.responseHeaders ?? {}).filter(
      ([, value]) => !value.includes("REDACTED"),
    ),
  };
}

function answerFile(base: string, streamed: boolean): string {
  const endings = streamed ? ["stream.bin", "stream.txt"] : ["response.json"];
  const file = endings.map((end) => `${base}.${end}`).find((path) => existsSync(path));
  if (file === undefined) throw new Error(`${base} has no answer`);
  return file;
}

interface Kept {
  readonly row: Row;
  readonly kept: string | undefined;
}
type Call = Pick<Exchange, "model" | "path" | "query" | "request">;

function callOf(surface: Surface, { row, kept }: Kept): Call {
  const fixed = FIXED_PATHS[surface];
  const [, path = "", search = ""] = /^\w*:\/\/[^/]+([^?]*)\??(.*)$/.exec(row.url ?? "") ?? [];
  if (fixed !== undefined) {
    const said = kept === undefined ? undefined : JSON.parse(kept).model;
    const like = JSON.stringify({ model: "recorded", messages: [], stream: row.streamed });
    const isOwn = kept !== undefined && typeof said === "string";
    const query = surface === "anthropic" ? search : "";
    return { path: fixed, query, request: isOwn ? kept : like, model: isOwn ? said : "recorded" };
  }
  const request = kept ?? "{}";
  if (surface === "gemini") return geminiCall(path, { request, streamed: row.streamed });
  const [, model = "recorded", method] = /\/model\/([^/]+)\/([a-z-]+)$/.exec(path) ?? [];
  const own = surface === "invoke" ? INVOKES : CONVERSES;
  const call = `/model/${model}/${method ?? own[row.streamed ? 1 : 0]}`;
  return { path: call, query: "", request, model: decodeURIComponent(model) };
}
const INVOKES = ["invoke", "invoke-with-response-stream"] as const;
const CONVERSES = ["converse", "converse-stream"] as const;

function geminiCall(
  recorded: string,
  { request, streamed }: { readonly request: string; readonly streamed: boolean },
): Call {
  const [, model = "recorded"] = /\/models\/([^/:]+):\w+$/.exec(recorded) ?? [];
  const method = streamed ? "streamGenerateContent" : "generateContent";
  const query = streamed ? "alt=sse" : "";
  return { path: `/v1beta/models/${model}:${method}`, query, request, model };
}

/** The same call under another name: in the body where it stands there, else in the path. */
export function renamed(exchange: Exchange, model: string): Exchange {
  const { path, request } = exchange;
  const inPath = /^\/(?:model\/([^/]+)|v1beta\/models\/([^/:]+))/
    .exec(path)
    ?.slice(1)
    .find(Boolean);
  if (inPath !== undefined) {
    const written = dialectOf(exchange.surface) === "bedrock" ? encodeURIComponent(model) : model;
    return { ...exchange, model, path: path.replace(inPath, () => written) };
  }
  return { ...exchange, model, request: withModel(request, model) };
}

/** The one replacement of a `"model"` that changes nothing else of what the body says. */
function withModel(request: string, model: string): string {
  const value: Record<string, unknown> = JSON.parse(request);
  const due = { ...value, model };
  const literal = /"model"(\s*:\s*)"(?:[^"\\]|\\.)*"/g;
  for (const { index, 0: whole, 1: colon } of request.matchAll(literal)) {
    const text = `${request.slice(0, index)}"model"${colon}${JSON.stringify(model)}${request.slice(index + whole.length)}`;
    if (Bun.deepEquals(JSON.parse(text), due)) return text;
  }
  throw new Error("the request names no model");
}
