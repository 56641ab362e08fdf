import { bytesOf } from "./script.ts";

/** A client that is nothing but a socket: it sends what it is told and keeps what comes. */
export interface RawClient extends Disposable {
  /** Resolves when the kernel has all of it, or the connection is gone. */
  send(data: Uint8Array | string): Promise<void>;
  /** Everything received so far, one character per byte. */
  readonly text: string;
  readonly bytes: Uint8Array;
  /** Resolves once `text` satisfies `holds`, or the connection ended. */
  until(holds: (text: string) => boolean): Promise<string>;
  readonly ended: Promise<RawEnd>;
  /** Stops reading, so that the sender's window fills; `resume` reads on. */
  pause(): void;
  resume(): void;
  /** Leaves: with FIN, or with RST. */
  leave(how: "fin" | "rst"): void;
}

/** How the other side ended the connection; `left` is our own doing. */
export type RawEnd = "fin" | "rst" | "left";

interface Waiter {
  readonly holds: (text: string) => boolean;
  readonly resolve: (text: string) => void;
}

/** Opens a connection to a port on loopback. */
export async function rawConnect(port: number): Promise<RawClient> {
  const parts: Uint8Array[] = [];
  const ended = Promise.withResolvers<RawEnd>();
  let drained = Promise.withResolvers<void>();
  let waiters: Waiter[] = [];
  let isOpen = true;
  let left = false;
  const bytes = () => Buffer.concat(parts);
  const text = () => bytes().toString("latin1");
  function wake(all: boolean): void {
    if (waiters.length === 0) return;
    const now = text();
    const done = waiters.filter(({ holds }) => all || holds(now));
    waiters = waiters.filter((waiter) => !done.includes(waiter));
    for (const { resolve } of done) resolve(now);
  }
  function close(how: RawEnd): void {
    isOpen = false;
    ended.resolve(left ? "left" : how);
    drained.resolve();
    wake(true);
  }
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_socket, chunk) {
        parts.push(Uint8Array.from(chunk));
        wake(false);
      },
      drain: () => drained.resolve(),
      end: () => close("fin"),
      close: (_socket, error) => close(error === undefined ? "fin" : "rst"),
      error: () => close("rst"),
    },
  });
  async function send(data: Uint8Array | string): Promise<void> {
    const whole = bytesOf(data);
    for (let from = 0; from < whole.length && isOpen;) {
      from += Math.max(0, socket.write(whole.subarray(from)));
      if (from === whole.length || !isOpen) return;
      await drained.promise;
      drained = Promise.withResolvers<void>();
    }
  }
  function leave(how: "fin" | "rst"): void {
    left = true;
    if (how === "rst") socket.terminate();
    else socket.end();
  }
  return {
    send,
    get text() {
      return text();
    },
    get bytes() {
      return bytes();
    },
    until(holds) {
      if (!isOpen || holds(text())) return Promise.resolve(text());
      const { promise, resolve } = Promise.withResolvers<string>();
      waiters.push({ holds, resolve });
      return promise;
    },
    ended: ended.promise,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    leave,
    [Symbol.dispose]: () => leave("rst"),
  };
}

/** The bytes of a POST with a JSON body; `headers` come before the length. */
export function postBytes(path: string, body: string, headers: readonly string[] = []): string {
  const length = bytesOf(body).length;
  const lines = [`POST ${path} HTTP/1.1`, "Host: 127.0.0.1", "Content-Type: application/json"];
  return [...lines, ...headers, `Content-Length: ${length}`, "", body].join("\r\n");
}
