import type { Ms } from "../../core/units.ts";
import { MessageReader, statusOf } from "./http1.ts";
import { endsWithin } from "./wait.ts";

const BODY_CHARS_SHOWN = 300;

export interface Reply {
  readonly status: number;
  readonly body: string;
}
/** No answer came; why, in a few words. */
export interface NoReply {
  readonly status: undefined;
  readonly why: string;
}

/** One request on a connection of its own, for what happens once: health, preflight, cold start. */
export async function exchange(
  address: { readonly host: string; readonly port: number },
  request: Buffer,
  { timeoutMs }: { readonly timeoutMs: Ms },
): Promise<Reply | NoReply> {
  const answer = Promise.withResolvers<Reply | NoReply>();
  const parts: Buffer[] = [];
  let status = 0;
  const reader = new MessageReader("response", {
    head: (lower) => void (status = statusOf(lower)),
    body: (bytes) => void parts.push(Buffer.from(bytes)),
    end: () => answer.resolve({ status, body: Buffer.concat(parts).toString() }),
  });
  const none = (why: string) => answer.resolve({ status: undefined, why });
  const connecting = Bun.connect({
    hostname: address.host,
    port: address.port,
    socket: {
      open: (socket) => void socket.write(request),
      data: (_, bytes) => void (reader.feed(bytes) || none("malformed HTTP")),
      close: () => void (reader.close() || none("connection closed before the end")),
    },
  });
  connecting.catch((refusal: Error & { code?: string }) => none(refusal.code ?? "no connection"));
  const inTime = await endsWithin(answer.promise, timeoutMs);
  if (!inTime) none("no answer in time");
  connecting.then((socket) => socket.terminate()).catch(() => {}); // Never opened.
  return answer.promise;
}

/** A GET without a body. */
export function getRequest(host: string, path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
}

/** What came instead of a 200, for a person to read. */
export function refusalOf(reply: Reply | NoReply): string {
  if (reply.status === undefined) return reply.why;
  return `status ${reply.status}: ${reply.body.slice(0, BODY_CHARS_SHOWN)}`;
}

/** A port nothing listens on right now. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
