import { makeBackend } from "../../src/config/resolve.ts";
import type { FailoverConfig, RelayConfig } from "../../src/config/config.ts";
import type { AnyBackend, BackendFields } from "../../src/core/backend.ts";
import type { AnyLane, Lane } from "../../src/core/pool.ts";
import type { Placement, Privacy } from "../../src/core/privacy.ts";
import type { Operation } from "../../src/core/ids.ts";
import { Rejection } from "../../src/core/rejection.ts";
import type { AnyRequest, CallHead } from "../../src/core/request.ts";
import type { Chunk } from "../../src/core/units.ts";
import { classify } from "../../src/ingress/classify.ts";
import { dialects } from "../../src/protocol/dialects.ts";
import { openai } from "../../src/protocol/openai/dialect.ts";
import { createProofs } from "../../src/protocol/translate/proofs.ts";
import type { AttemptContext } from "../../src/upstream/context.ts";
import type { Reply } from "../../src/upstream/answer.ts";
import { Call } from "../../src/upstream/call.ts";
import type { ChunkReader } from "../../src/upstream/committed.ts";
import { createEgress, type Dialled, type Egress } from "../../src/upstream/egress.ts";
import { SimClock } from "../sim/clock.ts";
import { seededRandom } from "../sim/gateway.ts";
import { type Sent, simNetwork } from "../sim/network.ts";

export const DEADLINES = {
  connectMs: 5_000,
  firstEventMs: 600_000,
  stallMs: 360_000,
  totalMs: 3_600_000,
};

export type FieldsGiven = Partial<Omit<BackendFields, "baseUrl">> & { readonly url?: string };

/** A backend made as the configuration makes one, local unless told otherwise. */
export function backendOf(given: FieldsGiven = {}, placement: Placement = "local"): AnyBackend {
  const { url = "http://127.0.0.1:8000/v1", ...rest } = given;
  const fields: BackendFields = {
    name: "gpu",
    dialect: "openai",
    baseUrl: new URL(url),
    credential: undefined,
    auth: "none",
    unix: undefined,
    proxy: undefined,
    operatorControlled: false,
    deadlines: DEADLINES,
    terminal: "done",
    also: [],
    modelPath: undefined,
    query: undefined,
    headers: {},
    capabilities: {},
    ...rest,
  };
  return makeBackend({ placement, fields });
}

export function laneOf(backend: AnyBackend, given: Partial<Lane<Placement>> = {}): AnyLane {
  const lane = {
    ...{ model: "m", upstreamModel: undefined, priority: 0, weight: 1, contextMax: undefined },
    capabilities: {},
    ...given,
  };
  return { ...lane, backend };
}

export function bytesOf(text: string): Chunk {
  return new TextEncoder().encode(text);
}

/** A call by its own path, as ingress reads the request line. */
export function headOf(operation: Operation): CallHead {
  const tails: { readonly [O in Operation]?: string } = { chat: "/chat/completions" };
  const tail = tails[operation] ?? `/${operation}`;
  return { operation, tail, query: "", model: undefined, stream: undefined };
}

/** A request as ingress seals one. */
export function sealed(body: object, privacy: Privacy = "private"): AnyRequest {
  const bytes = bytesOf(JSON.stringify(body));
  const read = openai.readEnvelope(headOf("chat"), bytes, { depthMax: 64 });
  if (read instanceof Rejection) throw new Error(JSON.stringify(read.reason));
  const signals = { fallback: privacy, key: undefined, target: undefined } as const;
  return classify({ ...read, body: bytes }, { ...signals, header: null, body: undefined });
}

/** What one lane's far end does, told how often it was asked before. */
export type Behaviour = (sent: Sent, before: number) => Response | Promise<Response>;

export interface RigOptions {
  readonly stream?: boolean;
  readonly privacy?: Privacy;
  readonly failover?: Partial<FailoverConfig>;
  readonly relay?: Partial<RelayConfig>;
  readonly headers?: Record<string, string>;
  readonly lanes?: readonly AnyLane[];
  readonly resolve?: (host: string) => readonly string[];
  readonly reach?: () => boolean;
}

/** Everything one attempt needs, with one local lane for each behaviour. */
export function attemptRig(behaviours: readonly Behaviour[], options: RigOptions = {}) {
  const clock = new SimClock();
  const client = new AbortController();
  const lanes =
    options.lanes ??
    behaviours.map((_, at) =>
      laneOf(backendOf({ name: `b${at}`, url: `http://127.0.0.${at + 1}:8000/v1` })),
    );
  const asked = lanes.map(() => 0);
  const tried: string[] = [];
  const network = simNetwork({
    resolve: options.resolve ?? (() => []),
    reach: options.reach ?? (() => true),
    answer(sent) {
      const at = lanes.findIndex((lane) => sessionOf.get(lane.backend.name) === sent.session);
      tried.push(lanes[at]!.backend.name);
      return abortable(sent, () => behaviours[at]!(sent, asked[at]!++));
    },
  });
  // Sessions tell lanes apart, since two of them may stand at one address.
  const sessionOf = new Map<string, Sent["session"]>();
  const egresses = new Map<string, Egress>();
  for (const { backend } of lanes) {
    const session = network.session.bind(network);
    const noting = {
      ...network,
      session(given: Sent["session"]) {
        sessionOf.set(backend.name, given);
        return session(given);
      },
    };
    egresses.set(backend.name, createEgress(backend, { network: noting, clock }));
  }
  const context: AttemptContext = {
    clock,
    random: seededRandom(1),
    dialect: openai,
    dialects,
    requestId: "r1",
    translation: {
      proofs: createProofs(new Uint8Array(32).fill(7)),
      framing: "events",
      refuse: undefined,
    },
    egressOf: (lane) => egresses.get(lane.backend.name)!,
    failover: { attemptsMax: 3, deadlineMs: 120_000, ...options.failover },
    relay: {
      streamFailure: "surface",
      heartbeatMs: 15_000,
      clientStallMs: 60_000,
      bufferBytesMax: 16 * 1024 * 1024,
      injectIncludeUsage: false,
      onLoss: "warn",
      onRevoked: "cut",
      ...options.relay,
    },
    userAgent: "interlock/test",
    clientHeaders: new Headers(options.headers),
    own: undefined,
    method: "POST",
    client: client.signal,
    facts: [],
  };
  return { clock, client, lanes, network, context, tried };
}
export type Rig = ReturnType<typeof attemptRig>;

/** An answer whose head is here, as the attempt hands it to be read. */
export function replyTo(response: Response, options: RigOptions = {}) {
  const { clock, client, context, lanes } = attemptRig([], {
    lanes: [laneOf(backendOf())],
    ...options,
  });
  const lane = lanes[0]!;
  const egress = context.egressOf(lane);
  const { deadlines } = lane.backend;
  const dialled = egress.dial() as Dialled;
  const call = new Call({ clock, client: client.signal, deadlines, egress, dialled });
  const { stream: streamed = false } = options;
  const reply: Reply = {
    ...{ response, lane, context, call, streamed, asksUsage: false },
    ...{ operation: "chat", verbatim: false, wire: openai, translation: undefined },
  };
  return { reply, clock, call };
}

/** As `fetch` does: an aborted request's answer is the abort, while it is awaited and while it comes. */
export async function abortable(
  { init: { signal } }: Sent,
  answer: () => Response | Promise<Response>,
): Promise<Response> {
  if (!signal) return await answer();
  signal.throwIfAborted();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  aborted.catch(() => {}); // Mostly nobody waits when it happens.
  const response = await Promise.race([answer(), aborted]);
  if (response.body === null) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await Promise.race([reader.read(), aborted]);
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => reader.cancel(),
    },
    { highWaterMark: 0 },
  );
  const { status, headers } = response;
  return new Response(body, { status, headers });
}

/** A transport error as Bun throws them. */
export function lost(code: string): Error {
  return Object.assign(new Error("the network said no"), { code });
}

export const COMPLETION = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
});

/** A buffered answer with a length, as a server sends one. */
export function whole(body: string, headers: Record<string, string> = {}, status = 200): Response {
  const length = String(Buffer.byteLength(body));
  const all = { "content-type": "application/json", "content-length": length, ...headers };
  return new Response(body, { status, headers: all });
}

/** An error answer in OpenAI's form. */
export function refusal(status: number, error: object = {}): Response {
  const words = { message: "no", type: "some_error", param: null, code: null, ...error };
  return whole(JSON.stringify({ error: words }), {}, status);
}

export interface FlowOptions {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** What stands behind the last chunk: the end, nothing ever, or a lost connection. */
  readonly then?: "end" | "silence" | "reset";
  /** Told when the reader goes away. */
  readonly onCancel?: () => void;
}

/** A body in the given pieces, one for each read. */
export function flow(pieces: readonly (string | Chunk)[], options: FlowOptions = {}): Response {
  const { status = 200, then = "end" } = options;
  let at = 0;
  const body = new ReadableStream<Chunk>(
    {
      pull(controller) {
        const piece = pieces[at++];
        if (piece !== undefined) {
          return controller.enqueue(typeof piece === "string" ? bytesOf(piece) : piece);
        }
        if (then === "silence") return new Promise<void>(() => {});
        if (then === "reset") controller.error(lost("ECONNRESET"));
        else controller.close();
        return undefined;
      },
      cancel: () => options.onCancel?.(),
    },
    { highWaterMark: 0 },
  );
  const headers = { "content-type": "text/event-stream", ...options.headers };
  return new Response(body, { status, headers });
}

/** One event of a chat stream. */
export function delta(content: string, finish: string | null = null): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: finish }];
  const chunk = { id: "c1", object: "chat.completion.chunk", created: 1, model: "m", choices };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
export const STREAM = [delta("he"), delta("llo"), delta("", "stop"), "data: [DONE]\n\n"].join("");

/** The text cut into pieces at the given places, taken modulo its length. */
export function cutAt(text: string, places: readonly number[]): Chunk[] {
  const bytes = bytesOf(text);
  const cuts = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b);
  const ends = [...cuts.filter((cut) => cut > 0), bytes.length];
  let from = 0;
  return ends.map((end) => {
    const piece = bytes.slice(from, end);
    from = end;
    return piece;
  });
}

/** Everything a committed stream holds and its reader still gives, as text. */
export async function restOf(held: readonly Chunk[], reader: ChunkReader): Promise<string> {
  const chunks = [...held];
  for (let read = await reader.read(); !read.done; read = await reader.read())
    chunks.push(read.value);
  return Buffer.concat(chunks).toString();
}
