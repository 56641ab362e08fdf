import type { Clock, Network, Random, Session } from "../runtime/runtime.ts";
import { answerJson, readBody, refuse } from "./demo-body.ts";
import { answerChat, answerCompletion } from "./demo-chat.ts";
import { answerEmbeddings } from "./demo-embeddings.ts";
import { DEMO_MODEL } from "./demo-text.ts";

/** What the demo needs of the runtime: time to pace its words, chance for its identifiers. */
export interface DemoRuntime {
  readonly clock: Clock;
  readonly random: Random;
}

/** A network on which the demo is all there is: no name resolves elsewhere, no socket is opened. */
export function demoNetwork(runtime: DemoRuntime): Network {
  return {
    resolve: () => Promise.resolve(["127.0.0.1"]),
    session: () => demoSession(runtime),
    reach: () => Promise.resolve(true),
  };
}

/**
 * An upstream inside the process, in the OpenAI protocol: fixed words that say what they are. It
 * repeats nothing of a request, so it cannot be mistaken for a model.
 */
export function demoSession(runtime: DemoRuntime): Session {
  return {
    fetch: (url, init) => answer(runtime, url, init),
    close() {},
  };
}

async function answer(
  runtime: DemoRuntime,
  url: string,
  init: BunFetchRequestInit,
): Promise<Response> {
  const signal = init.signal ?? undefined;
  signal?.throwIfAborted(); // As fetch does: it rejects with the reason it was aborted for.
  const path = new URL(url).pathname;
  const method = init.method ?? "GET";
  if (method === "GET") return answerGet(path, runtime.clock);
  if (method !== "POST") return refuse(405, `Method ${method} is not served here.`);
  const route = ROUTES.find(({ suffix }) => path.endsWith(suffix));
  if (!route) return refuse(404, "The demo backend serves no such path.");
  const body = await readBody(init.body);
  signal?.throwIfAborted();
  if (body instanceof Response) return body;
  return route.answer(body, { ...runtime, signal });
}

/** Longest first: `/completions` ends `/chat/completions` too. */
const ROUTES = [
  { suffix: "/chat/completions", answer: answerChat },
  { suffix: "/completions", answer: answerCompletion },
  { suffix: "/embeddings", answer: answerEmbeddings },
] as const;

function answerGet(path: string, clock: Clock): Response {
  const created = Math.floor(clock.wall() / 1000);
  const model = { id: DEMO_MODEL, object: "model", created, owned_by: "interlock" };
  if (path.endsWith("/models")) return answerJson({ object: "list", data: [model] });
  if (path.endsWith(`/models/${DEMO_MODEL}`)) return answerJson(model);
  return refuse(404, "The demo backend serves no such path.");
}
