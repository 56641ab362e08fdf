import Anthropic1 from "@anthropic-ai/sdk";
import Anthropic0 from "anthropic-0";

/** What a client made of an answer: the message, or the name and type of what it threw. */
export interface Seen {
  readonly message?: unknown;
  readonly error?: unknown;
}

/** One official SDK, answered by us: nothing leaves the process. */
export interface Client {
  readonly name: string;
  readonly errors: Readonly<Record<string, unknown>>;
  /** The whole message, as the SDK's own accumulator puts a stream together. */
  stream(body: Uint8Array<ArrayBuffer>): Promise<Seen>;
  create(response: Response): Promise<Seen>;
  list(body: string): Promise<unknown[]>;
}

const ASK = { model: "m", max_tokens: 16, messages: [{ role: "user", content: "hi" }] } as const;
const EVENTS = { headers: { "content-type": "text/event-stream" } };
const JSON_TYPE = { headers: { "content-type": "application/json" } };

/** SDK 0.137, of `x-api-key` and 2023-06-01; and SDK 1.10, of Bearer and 2026-10-21. */
export const CLIENTS: readonly Client[] = [
  {
    name: "SDK 0.137",
    errors: Anthropic0 as unknown as Record<string, unknown>,
    stream: (body) =>
      seen(() => client0(new Response(body, EVENTS)).messages.stream(asked()).finalMessage()),
    create: (response) => seen(() => client0(response).messages.create(asked())),
    list: async (body) => {
      const models: unknown[] = [];
      const page = client0(new Response(body, JSON_TYPE)).models.list();
      for await (const model of page) models.push(model);
      return models;
    },
  },
  {
    name: "SDK 1.10",
    errors: Anthropic1 as unknown as Record<string, unknown>,
    stream: (body) =>
      seen(() => client1(new Response(body, EVENTS)).messages.stream(asked()).finalMessage()),
    create: (response) => seen(() => client1(response).messages.create(asked())),
    list: async (body) => {
      const models: unknown[] = [];
      const page = client1(new Response(body, JSON_TYPE)).models.list();
      for await (const model of page) models.push(model);
      return models;
    },
  },
];

function client0(response: Response): Anthropic0 {
  return new Anthropic0(options(response));
}
function client1(response: Response): Anthropic1 {
  return new Anthropic1(options(response));
}

function options(response: Response) {
  const logLevel = "off" as const;
  const fetch = async () => response;
  return { apiKey: "k", baseURL: "http://gateway.test", maxRetries: 0, logLevel, fetch };
}

function asked() {
  return { ...ASK, messages: [...ASK.messages] };
}

async function seen(ask: () => PromiseLike<unknown>): Promise<Seen> {
  try {
    return { message: JSON.parse(JSON.stringify(await ask())) };
  } catch (error) {
    return { error };
  }
}
