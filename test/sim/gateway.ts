import type { Config } from "../../src/config/config.ts";
import { resolve } from "../../src/config/resolve.ts";
import { type Gateway, assemble } from "../../src/gateway/assemble.ts";
import { handle } from "../../src/gateway.ts";
import type { LogFields, Network, Random, Runtime } from "../../src/runtime/runtime.ts";
import { SimClock } from "./clock.ts";

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** A whole gateway on simulated time, chance and network. */
export interface SimGateway {
  readonly gateway: Gateway;
  readonly clock: SimClock;
  readonly lines: readonly LogLine[];
  ask(request: globalThis.Request): Promise<Response>;
}

/** Numbers in [0, 1) from a seed, so that a failing run replays (Numerical Recipes' generator). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const hex = (length: number): string =>
    Array.from({ length: length * 2 }, () => Math.floor(next() * 16).toString(16)).join("");
  return { next, hex };
}

/** @throws when the configuration has errors; the message lists them. */
export function configOf(yaml: string, env: Record<string, string> = {}): Config {
  const resolved = resolve(yaml, { path: "test.yaml", env });
  if (resolved.ok) return resolved.config;
  throw new Error(resolved.errors.map(({ path, reason }) => `${path}: ${reason}`).join("\n"));
}

export function simGateway(config: Config, network: Network, seed = 1): SimGateway {
  const clock = new SimClock();
  const lines: LogLine[] = [];
  const runtime: Runtime = {
    clock,
    network,
    random: seededRandom(seed),
    log: {
      line: (level, _target, message, fields) => void lines.push({ level, message, fields }),
      flush: () => Promise.resolve(),
    },
  };
  const gateway = assemble(config, runtime, { logLinesDropped: () => 0 });
  const front = { setIdleTimeout() {}, address: () => "127.0.0.1" };
  return { gateway, clock, lines, ask: (request) => handle(gateway, request, front) };
}

export interface ChatOptions {
  readonly model: string;
  readonly stream?: boolean;
  readonly headers?: Record<string, string>;
  readonly extra?: Record<string, unknown>;
}

/** A chat completion request as a client would send it. */
export function chat({ model, stream = false, headers = {}, extra = {} }: ChatOptions) {
  const messages = [{ role: "user", content: "the secret payload" }];
  const body = JSON.stringify({ model, stream, messages, ...extra });
  return new globalThis.Request("http://127.0.0.1:8080/v1/chat/completions", {
    method: "POST",
    headers: {
      host: "127.0.0.1:8080",
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      ...headers,
    },
    body,
  });
}

export const COMPLETION = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
};

/** An ordinary stream of two deltas, each an event of its own chunk. */
export function completionStream(): Response {
  const event = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [{ index: 0, delta, finish_reason: finish }],
    })}\n\n`;
  const parts = [event({ role: "assistant" }, null), event({ content: "hi" }, null)];
  parts.push(event({}, "stop"), "data: [DONE]\n\n");
  const body = new ReadableStream({
    pull(controller) {
      const part = parts.shift();
      if (part === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(part));
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
