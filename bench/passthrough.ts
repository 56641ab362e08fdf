// What passthrough costs in each of the six protocols, as a ratio to OpenAI's in the same run:
// `bun bench/passthrough.ts [--seconds N]`. The compiled binary on one core, the mock upstream and
// the load on another; windows rotate through the protocols, so a slow moment is everybody's. Of a
// stream also as a ratio to OpenAI's protocol carrying as many bytes in as many chunks.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DIALECT_IDS, type DialectId } from "../src/core/ids.ts";
import type { Chunk } from "../src/core/units.ts";
import { dialects } from "../src/protocol/dialects.ts";
import { conversationIn, translated } from "./conversation.ts";
import { openaiLike, streamIn } from "./streams.ts";

const ROUNDS = Number(argument("--rounds") ?? 5);
const CONNECTIONS = 8;
const seconds = Number(argument("--seconds") ?? 1);
const decoder = new TextDecoder();

function argument(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at === -1 ? undefined : process.argv[at + 1];
}

interface Case {
  readonly id: DialectId;
  readonly path: string;
  readonly streamPath: string;
  readonly body: string;
  readonly streamBody: string;
  readonly answer: Uint8Array<ArrayBuffer>;
  readonly stream: readonly Chunk[];
}

const PATHS: Readonly<Record<DialectId, readonly [whole: string, stream: string]>> = {
  openai: ["/v1/chat/completions", "/v1/chat/completions"],
  responses: ["/v1/responses", "/v1/responses"],
  anthropic: ["/v1/messages", "/v1/messages"],
  gemini: [
    "/v1beta/models/on-gemini:generateContent",
    "/v1beta/models/on-gemini:streamGenerateContent?alt=sse",
  ],
  bedrock: ["/model/on-bedrock/converse", "/model/on-bedrock/converse-stream"],
  cohere: ["/v2/chat", "/v2/chat"],
};
const MOUNTS: { readonly [D in DialectId]?: string } = {
  openai: "/v1",
  responses: "/v1",
  gemini: "/v1beta",
};

/** OpenAI's whole answer as a vendor of each protocol would have sent it. */
function answerIn(id: DialectId): Uint8Array<ArrayBuffer> {
  const openai = new TextEncoder().encode(
    JSON.stringify({
      ...{ id: "chatcmpl-1", object: "chat.completion", created: 1, model: "m" },
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "All signals are green. ".repeat(40) },
          finish_reason: "stop",
        },
      ],
      usage: { prompt_tokens: 300, completion_tokens: 200, total_tokens: 500 },
    }),
  );
  if (id === "openai") return openai;
  return translated(conversationIn(id), id, "openai").answer(openai)!;
}

function caseOf(id: DialectId): Case {
  const [path, streamPath] = PATHS[id];
  const asked = JSON.parse(decoder.decode(conversationIn(id))) as Record<string, unknown>;
  const named = "model" in asked || id === "cohere";
  const body = { ...asked, ...(named && { model: `on-${id}` }) };
  const says = "stream" in asked;
  return {
    ...{ id, path, streamPath, answer: answerIn(id), stream: streamIn(id) },
    body: JSON.stringify({ ...body, ...(says && { stream: false }) }),
    streamBody: JSON.stringify({ ...body, ...(says && { stream: true }) }),
  };
}

const cases = DIALECT_IDS.map(caseOf);
let current = cases[0]!;
let streaming = false;
const upstream = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  idleTimeout: 0,
  async fetch(http) {
    await http.arrayBuffer();
    if (!streaming) {
      return new Response(current.answer, { headers: { "content-type": "application/json" } });
    }
    const { stream, id } = current;
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const chunk = stream[at++];
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    });
    return new Response(body, { headers: { "content-type": dialects[id].streamType } });
  },
});

const home = mkdtempSync(join(tmpdir(), "interlock-bench-"));
const file = join(home, "interlock.yaml");
const port = 20_000 + (process.pid % 10_000);
writeFileSync(
  file,
  JSON.stringify({
    providers: Object.fromEntries(
      DIALECT_IDS.map((protocol) => [
        `p-${protocol}`,
        {
          ...{ protocol, placement: "local", api_key: "k-0123456789" },
          base_url: `http://127.0.0.1:${upstream.port}${MOUNTS[protocol] ?? ""}`,
        },
      ]),
    ),
    models: Object.fromEntries(
      DIALECT_IDS.map((id) => [`on-${id}`, { provider: `p-${id}`, upstream_model: "renamed" }]),
    ),
  }),
);
const binary = join(import.meta.dir, "../dist/interlock");
const ports = ["-p", String(port), "--metrics-port", String(port + 1)];
const start = [binary, "start", "-c", file, ...ports];
const gateway = Bun.spawn(["taskset", "-c", "0", ...start], {
  env: { HOME: home, PATH: "/usr/bin:/bin" },
  stdout: "ignore",
  stderr: "ignore",
});
const origin = `http://127.0.0.1:${port}`;
while (
  !(await fetch(`${origin}/livez`).then(
    ({ ok }) => ok,
    () => false,
  ))
)
  await Bun.sleep(5);

/** CPU time of the gateway so far, in clock ticks of 10 ms: proc(5). */
function ticks(): number {
  const [, rest = ""] = readFileSync(`/proc/${gateway.pid}/stat`, "utf8").split(") ");
  const fields = rest.split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

interface Window {
  readonly requests: number;
  readonly cpuUs: number;
}

async function measure(each: Case, stream: boolean): Promise<Window> {
  current = each;
  streaming = stream;
  const before = ticks();
  const until = performance.now() + seconds * 1000;
  let requests = 0;
  const url = origin + (stream ? each.streamPath : each.path);
  const init = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: stream ? each.streamBody : each.body,
  };
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      const answer = await fetch(url, init);
      const bytes = await answer.arrayBuffer();
      if (answer.status !== 200 || bytes.byteLength === 0) {
        throw new Error(`${each.id}: ${answer.status} ${decoder.decode(bytes).slice(0, 200)}`);
      }
      requests++;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, caller));
  return { requests, cpuUs: ((ticks() - before) * 10_000) / requests };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** The same bytes in OpenAI's protocol, measured right behind each. */
const twins = new Map(
  cases.map((each) => [each.id, { ...cases[0]!, stream: openaiLike(each.stream) }] as const),
);

for (const stream of [false, true]) {
  const windows = new Map(cases.map(({ id }) => [id, [] as Window[]]));
  const beside = new Map(cases.map(({ id }) => [id, [] as Window[]]));
  for (const each of cases) await measure(each, stream);
  for (let round = 0; round < ROUNDS; round++) {
    for (const each of cases) {
      windows.get(each.id)!.push(await measure(each, stream));
      if (stream) beside.get(each.id)!.push(await measure(twins.get(each.id)!, stream));
    }
  }
  const costs = (id: DialectId) => windows.get(id)!.map(({ cpuUs }) => cpuUs);
  console.log(stream ? "\nstreams of 64 deltas" : "buffered, 33 KiB up, 1 KiB down");
  for (const { id } of cases) {
    const ratios = costs(id).map((cost, round) => cost / costs("openai")[round]!);
    const perSecond = median(windows.get(id)!.map(({ requests }) => requests / seconds));
    const cells = [id.padEnd(10), `${median(costs(id)).toFixed(0)} µs CPU`.padEnd(14)];
    cells.push(`${median(ratios).toFixed(2)} of openai`, `${perSecond.toFixed(0)}/s`);
    const alike = beside.get(id)!.map(({ cpuUs }, round) => costs(id)[round]! / cpuUs);
    if (stream) cells.push(`${median(alike).toFixed(2)} of openai with the same bytes`);
    console.log(cells.join("  "));
  }
}
gateway.kill();
void upstream.stop(true);
process.exit(0);
