import { askBody, BARE_FRAMES, STREAM_FRAMES } from "../src/cli/bench/payload.ts";
import { resolve } from "../src/config/resolve.ts";
import type { Config } from "../src/config/config.ts";
import { Rejection } from "../src/core/rejection.ts";
import type { CallHead, Envelope, Span } from "../src/core/request.ts";
import type { Chunk } from "../src/core/units.ts";
import { readEnvelope } from "../src/protocol/openai/envelope.ts";
import { buildRoutes, findTarget, type Routes, type Target } from "../src/router/routes.ts";

const encoder = new TextEncoder();

/** The same request at three sizes: a chat turn, a long conversation, a document in the prompt. */
export const BODIES: readonly { readonly name: string; readonly body: Chunk }[] = [
  { name: "1.3 KB chat", body: chatBody(0) },
  { name: "32 KB conversation", body: chatBody(24) },
  { name: "1 MB document", body: chatBody(800) },
];

/** A chat request with `turns` earlier exchanges of about 1.3 KB, escapes and non-ASCII in each. */
function chatBody(turns: number): Chunk {
  const base = JSON.parse(
    askBody({ model: "bench", stream: true, usage: true, pace: undefined }),
  ) as { messages: object[] };
  const said = 'She said: "Die Weiche 12 läuft in die Grundstellung."\n\t- noted\\signed — 確認 ';
  const history = Array.from({ length: turns }, (_, turn) => [
    { role: "user", content: `${turn}: ${said.repeat(7)}` },
    { role: "assistant", content: `${turn}: ${said.repeat(7)}` },
  ]);
  return encoder.encode(
    JSON.stringify({ ...base, messages: [...history.flat(), ...base.messages] }),
  );
}

const CHAT: CallHead = {
  operation: "chat",
  tail: "/chat/completions",
  query: "",
  model: undefined,
  stream: undefined,
};

/** Reads a body as ingress does. @throws when it is refused: then the input is no input. */
export function envelopeOf(body: Chunk): Envelope & { readonly modelSpan: Span } {
  const read = readEnvelope(CHAT, body, { depthMax: 64 });
  if (read instanceof Rejection) throw new Error(`refused: ${JSON.stringify(read.reason)}`);
  const { modelSpan } = read.envelope;
  if (modelSpan === undefined) throw new Error("no model stands in the body");
  return { ...read.envelope, modelSpan };
}

/** A streamed answer of 64 deltas as an upstream sends it: one event in each chunk. */
export const EVENT_CHUNKS: readonly Chunk[] = STREAM_FRAMES.map((frame) => encoder.encode(frame));
/** The same bytes as a busy network delivers them: everything at once. */
export const WHOLE_STREAM: Chunk = encoder.encode(STREAM_FRAMES.join(""));
/** The same bytes cut every 1,448, the payload of an Ethernet segment: most cuts inside an event. */
export const SEGMENT_CHUNKS: readonly Chunk[] = cut(WHOLE_STREAM, 1448);
/** A stream whose caller did not ask for usage. */
export const BARE_CHUNKS: readonly Chunk[] = BARE_FRAMES.map((frame) => encoder.encode(frame));

function cut(bytes: Chunk, length: number): readonly Chunk[] {
  const count = Math.ceil(bytes.length / length);
  return Array.from({ length: count }, (_, index) =>
    bytes.slice(index * length, (index + 1) * length),
  );
}

const MODELS = 50;
/** Opens the company's gateway; no real one. */
export const BENCH_KEY = "sk-bench-0123456789abcdef";

/** A configuration as a company has it: local and external backends, 50 models, pools, rules. */
export function companyConfig(): Config {
  const models = Array.from(
    { length: MODELS },
    (_, index) => `  m${index}: { provider: ${index % 2 === 0 ? "gpu" : "cloud"} }`,
  );
  const members = (count: number) =>
    Array.from({ length: count }, (_, index) => `{ model: m${index}, weight: ${1 + (index % 3)} }`);
  const text = `
server: { host: 127.0.0.1, port: 8080 }
privacy: { default: private }
providers:
  gpu: { protocol: openai, base_url: "http://127.0.0.1:8000/v1", placement: local }
  cloud: { protocol: openai, base_url: "https://api.example.com/v1", placement: external, api_key: k }
models:
${models.join("\n")}
pools:
  three: { strategy: priority, members: [${members(3).join(", ")}] }
  thirty: { strategy: priority, members: [${members(30).join(", ")}] }
keys:
  app: { key: ${BENCH_KEY}, allow: [m0, m1, three, thirty] }
routing:
  rules: [{ name: gpt, condition: "model starts_with 'gpt'", target_provider: cloud }]
`;
  const resolved = resolve(text, { path: "bench.yaml", env: {} });
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.errors));
  return resolved.config;
}

/** Its routes, as they are built once for each configuration. */
export function companyRoutes(): Routes {
  return buildRoutes(companyConfig());
}

/** The target a caller without restrictions gets for `model`. @throws when there is none. */
export function targetOf(routes: Routes, model: string): Target {
  const target = findTarget(routes, { model, key: { allow: undefined } });
  if (target instanceof Rejection) throw new Error(`no target for ${model}`);
  return target;
}
