import { CohereClientV2 } from "cohere-ai";
import type { ErrorAnswer } from "../../../src/protocol/dialect.ts";

/** What the official SDK makes of one answer: what it gave out, and what it threw. */
export interface Seen<T> {
  readonly values: readonly T[];
  readonly error: unknown;
}
type StreamEvent =
  Awaited<ReturnType<CohereClientV2["chatStream"]>> extends AsyncIterable<infer T> ? T : never;
type Answer = Awaited<ReturnType<CohereClientV2["chat"]>>;
const REQUEST = { model: "m", messages: [{ role: "user" as const, content: "hi" }] };

/** A server that answers everything alike, and the SDK in front of it. */
async function against<T>(response: () => Response, ask: (client: CohereClientV2) => Promise<T>) {
  using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: response });
  return await ask(clientOf(server.url.origin));
}

function clientOf(origin: string): CohereClientV2 {
  return new CohereClientV2({ token: "k", environment: origin, maxRetries: 0 });
}

/** The events of a streamed chat. */
export function streamed(body: string): Promise<Seen<StreamEvent>> {
  const headers = { "content-type": "text/event-stream" };
  return against(() => new Response(body, { headers }), readStream);
}

/** The same where the connection is reset behind the body. */
export async function streamedAndReset(body: string): Promise<Seen<StreamEvent>> {
  const bytes = Buffer.byteLength(body).toString(16);
  const head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked";
  using server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      async data(socket) {
        socket.write(`${head}\r\n\r\n${bytes}\r\n${body}\r\n`);
        await Bun.sleep(20);
        socket.terminate();
      },
    },
  });
  return await readStream(clientOf(`http://127.0.0.1:${server.port}`));
}

async function readStream(client: CohereClientV2): Promise<Seen<StreamEvent>> {
  const values: StreamEvent[] = [];
  try {
    for await (const event of await client.chatStream(REQUEST)) values.push(event);
    return { values, error: undefined };
  } catch (error) {
    return { values, error };
  }
}

/** A whole answer. */
export function answered(body: unknown): Promise<Answer> {
  return against(
    () => Response.json(body),
    (client) => client.chat(REQUEST),
  );
}

/** What the SDK throws on an error answer. */
export function thrown({ status, headers, body }: ErrorAnswer): Promise<unknown> {
  return against(
    () => new Response(body, { status, headers }),
    (client) =>
      client.chat(REQUEST).then(
        () => undefined,
        (error: unknown) => error,
      ),
  );
}

/** The list of models, as the SDK reads it. */
export function listed(list: string, one: string) {
  const type = { headers: { "content-type": "application/json" } };
  let count = 0;
  return against(
    () => new Response(count++ === 0 ? list : one, type),
    async (client) => ({
      list: await client.models.list(),
      one: await client.models.get("m"),
    }),
  );
}
