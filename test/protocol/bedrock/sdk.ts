import {
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandOutput,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { Chunk } from "../../../src/core/units.ts";

/** What a server of ours answers. */
export interface Canned {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | Chunk;
}

/** What an SDK made of an answer. */
export interface Thrown {
  readonly name: string;
  readonly message: string;
  /** The class, where the SDK has one of that name. */
  readonly class: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
}

const STREAM_TYPE = "application/vnd.amazon.eventstream";

/** A stream as an answer of Bedrock. */
export function streamed(...chunks: readonly Uint8Array[]): Canned {
  const body = new Uint8Array(Buffer.concat(chunks));
  return { status: 200, headers: { "content-type": STREAM_TYPE }, body };
}

/** What the official SDK reads of a whole answer. */
export function converse(canned: Canned): Promise<ConverseCommandOutput> {
  return withClient(canned, (client) =>
    client.send(new ConverseCommand({ modelId: "m", messages: [] })),
  );
}

/** Every event the official SDK reads of a stream. */
export function converseStream(canned: Canned): Promise<ConverseStreamOutput[]> {
  return withClient(canned, async (client) => {
    const { stream } = await client.send(new ConverseStreamCommand({ modelId: "m", messages: [] }));
    return allOf(stream ?? []);
  });
}

/** The same of an invoked model. */
export function invokeStream(canned: Canned): Promise<unknown[]> {
  return withClient(canned, async (client) => {
    const command = new InvokeModelWithResponseStreamCommand({ modelId: "m", body: "{}" });
    return allOf((await client.send(command)).body ?? []);
  });
}

/** What a call throws; undefined when it does not. */
export async function thrownBy(call: Promise<unknown>): Promise<Thrown | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    const { name, message, constructor, $metadata } = error as Error & {
      $metadata?: { httpStatusCode?: number; requestId?: string };
    };
    const { httpStatusCode: status, requestId } = $metadata ?? {};
    return { name, message, class: constructor.name, status, requestId };
  }
}

/** The request the SDK sends for a model, as a path. */
export async function pathOf(modelId: string): Promise<string> {
  let path = "";
  const ok = { status: 200, headers: {}, body: "{}" };
  const command = new ConverseCommand({ modelId, messages: [] });
  await withClient(
    ok,
    (client) => client.send(command),
    (url) => (path = url),
  );
  return path;
}

async function withClient<T>(
  { status, headers, body }: Canned,
  call: (client: BedrockRuntimeClient) => Promise<T>,
  onPath: (path: string) => void = () => {},
): Promise<T> {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      onPath(new URL(request.url).pathname);
      return new Response(body, { status, headers });
    },
  });
  const client = new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${server.port}`,
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  });
  try {
    return await call(client);
  } finally {
    client.destroy();
    await server.stop(true);
  }
}

async function allOf<T>(stream: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of stream) all.push(event);
  return all;
}
