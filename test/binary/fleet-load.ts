import { connect, type Socket } from "node:net";
import type { Tree } from "./fleet.ts";

/** An upstream that says in every answer and every event which model and which key it was asked with. */
export interface Echo extends Disposable {
  readonly baseUrl: string;
}

const EVENTS = 6;
const GAP_MS = 4;

export function startEcho(): Echo {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const asked = (await request.json()) as { model: string; stream?: boolean; slow?: boolean };
      const key = request.headers.get("authorization")?.slice("Bearer ".length) ?? "";
      const mark = `${asked.model} ${key}`;
      if (asked.stream !== true) return Response.json(completion(asked.model, mark));
      const gap = asked.slow === true ? 400 : GAP_MS;
      const headers = { "content-type": "text/event-stream" };
      return new Response(events(asked.model, mark, gap), { headers });
    },
  });
  return {
    baseUrl: `http://127.0.0.1:${server.port}/v1`,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

function completion(model: string, content: string): object {
  const message = { role: "assistant", content };
  const choices = [{ index: 0, message, finish_reason: "stop" }];
  const usage = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 };
  return { id: "chatcmpl-1", object: "chat.completion", created: 1, model, choices, usage };
}

async function* events(model: string, content: string, gapMs: number) {
  const event = (delta: object, finish: string | null): string => {
    const choices = [{ index: 0, delta, finish_reason: finish }];
    const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model };
    return `data: ${JSON.stringify({ ...head, choices })}\n\n`;
  };
  for (let at = 0; at < EVENTS; at++) {
    yield event({ content }, null);
    await Bun.sleep(gapMs);
  }
  yield event({}, "stop");
  yield "data: [DONE]\n\n";
}

/** A configuration whose every part that an answer shows carries one number. */
export function numbered(baseUrl: string, number: number): Tree {
  const provider = { protocol: "openai", base_url: baseUrl, placement: "local" };
  return {
    providers: { [`p${number}`]: { ...provider, api_key: `key-${number}` } },
    models: { m: { provider: `p${number}`, upstream_model: `u${number}` } },
  };
}

/** What became of the requests so far. */
export interface Tally {
  answered: number;
  /** One sentence for each request that was lost or wrong, up to a few. */
  readonly failures: string[];
  failed: number;
  /** Connections the gateway closed between two requests without having said so. */
  closedIdle: number;
  /** Requests by the number of the configuration that served them. */
  readonly byNumber: Map<number, number>;
}

export interface Load {
  readonly tally: Tally;
  /** Lets every request under way end, and sends no more. */
  stop(): Promise<Tally>;
}

export interface LoadOptions {
  readonly port: number;
  /** Connections that ask all the time. */
  readonly busy?: number;
  /** Callers that take a new connection for each request. */
  readonly fresh?: number;
  /** Connections that are idle most of the time. */
  readonly lazy?: number;
  readonly lazyMs?: number;
  /** Callers of streams, on kept connections. */
  readonly streams?: number;
}

/**
 * Asks from many raw connections. Nothing is ever tried again: a connection that was told to close
 * is replaced, one that breaks is a lost request.
 */
export function startLoad(options: LoadOptions): Load {
  const { port, busy = 0, fresh = 0, lazy = 0, streams = 0, lazyMs = 1700 } = options;
  const tally: Tally = { answered: 0, failures: [], failed: 0, closedIdle: 0, byNumber: new Map() };
  let over = false;
  const isOver = (): boolean => over;
  const loops = [
    ...many(busy, () => loop({ port, tally, isOver })),
    ...many(fresh, () => loop({ port, tally, isOver, fresh: true })),
    ...many(lazy, (at) => loop({ port, tally, isOver, pauseMs: lazyMs + at * 37 })),
    ...many(streams, () => loop({ port, tally, isOver, stream: true })),
  ];
  return {
    tally,
    async stop() {
      over = true;
      await Promise.all(loops);
      return tally;
    },
  };
}

function many<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_none, at) => make(at));
}

interface Loop {
  readonly port: number;
  readonly tally: Tally;
  readonly isOver: () => boolean;
  readonly fresh?: boolean;
  readonly pauseMs?: number;
  readonly stream?: boolean;
}

async function loop({ port, tally, isOver, fresh, pauseMs, stream = false }: Loop): Promise<void> {
  let kept: Socket | undefined;
  let used = 0;
  while (!isOver()) {
    try {
      if (kept?.readableEnded || kept?.destroyed) {
        tally.closedIdle++;
        kept = undefined;
      }
      if (kept === undefined) used = 0;
      kept ??= await dial(port);
      used++;
      const answer = await exchange(kept, requestText(port, stream));
      const problem = judge(answer, stream, tally);
      if (problem === undefined) tally.answered++;
      else fail(tally, problem);
      if (fresh || answer.closes) {
        kept.destroy();
        kept = undefined;
      }
    } catch (cause) {
      const kind = stream ? "stream" : fresh ? "fresh" : pauseMs === undefined ? "busy" : "lazy";
      fail(tally, `${kind}, request ${used} of its connection: ${String(cause)}`);
      kept?.destroy();
      kept = undefined;
    }
    if (pauseMs !== undefined) await Bun.sleep(pauseMs);
  }
  kept?.destroy();
}

function fail(tally: Tally, problem: string): void {
  tally.failed++;
  if (tally.failures.length < 10) tally.failures.push(problem);
}

/** Asks for one slow stream on a connection of its own; resolves to its whole answer. */
export async function askSlowly(port: number): Promise<string> {
  const socket = await dial(port);
  const { body } = await exchange(socket, requestText(port, true, { slow: true }));
  socket.destroy();
  return body;
}

function requestText(port: number, stream: boolean, rest: object = {}): string {
  const messages = [{ role: "user", content: "hi" }];
  const body = JSON.stringify({ model: "m", stream, messages, ...rest });
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
  return `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.off("error", refused);
      socket.setNoDelay(true);
      resolve(socket);
    });
    const refused = (cause: Error): void => reject(new Error(`no connection: ${cause.message}`));
    socket.once("error", refused);
  });
}

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  readonly closes: boolean;
}

/** One request, one whole answer. Rejects when the connection ends before it does. */
function exchange(socket: Socket, request: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let text = "";
    const done = (act: () => void): void => {
      socket.off("data", read).off("close", closed).off("error", broke);
      act();
    };
    const read = (bytes: Buffer): void => {
      text += bytes.toString("latin1");
      const answer = wholeAnswer(text);
      if (answer !== undefined) done(() => resolve(answer));
    };
    const lost = (how: string): void =>
      done(() => reject(new Error(`${how} after ${text.length} bytes of an answer`)));
    const closed = (): void => lost("closed");
    const broke = (cause: Error): void => lost(cause.message);
    socket.on("data", read).on("close", closed).on("error", broke);
    socket.write(request);
  });
}

function wholeAnswer(text: string): Answer | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = text.slice(0, end).toLowerCase();
  const rest = text.slice(end + 4);
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
  const isWhole = length === undefined ? rest.endsWith("0\r\n\r\n") : rest.length >= Number(length);
  if (!isWhole) return undefined;
  const status = Number(head.slice(9, 12));
  return { status, head, body: rest, closes: /\r\nconnection: close/.test(head) };
}

/** Whether the answer is whole and of one configuration in all its parts. */
function judge({ status, head, body }: Answer, stream: boolean, tally: Tally): string | undefined {
  if (status !== 200) return `status ${status}: ${body.slice(0, 200)}`;
  const numbers = new Set([
    ...[...head.matchAll(/x-interlock-route: \S+@p(\d+)/g)].map((match) => Number(match[1])),
    ...[...body.matchAll(/"model":"u(\d+)"/g)].map((match) => Number(match[1])),
    ...[...body.matchAll(/u\d+ key-(\d+)/g)].map((match) => Number(match[1])),
  ]);
  const [number] = numbers;
  if (numbers.size !== 1 || number === undefined) return `mixed: ${[...numbers]} in ${head}`;
  if (stream && !body.includes("data: [DONE]")) return "a stream without its end";
  tally.byNumber.set(number, (tally.byNumber.get(number) ?? 0) + 1);
  return undefined;
}
