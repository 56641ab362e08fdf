import { chmodSync, rmSync } from "node:fs";
import type { Log } from "../../runtime/runtime.ts";

/** What a command asks of a running gateway. */
export type ControlRequest =
  | { readonly command: "status" }
  | { readonly command: "reload" }
  | { readonly command: "restart"; readonly program: readonly string[] };

/** The lines of an answer: `say` as often as need be, then one `done`. */
export type ControlLine =
  { readonly say: string } | { readonly done: { readonly ok: boolean; readonly result: object } };

export interface ControlOptions {
  readonly path: string;
  readonly log: Log;
  /** Carries a request out; `say` tells the asker what happens meanwhile. */
  readonly answer: (request: ControlRequest, say: (text: string) => void) => Promise<Answered>;
}
export interface Answered {
  readonly ok: boolean;
  readonly result: object;
}

export interface ControlServer {
  /** Takes no new connection and removes the socket; those that wait for an answer get it. */
  stop(): void;
}

/** No request of ours is that long. */
const LINE_CHARS_MAX = 64 * 1024;

interface Asker {
  text: string;
  readonly decoder: TextDecoder;
}

/**
 * Listens for commands on a unix socket. The file system is the credential: the directory belongs
 * to the gateway's user alone. A socket left by a process that died is taken over.
 */
export function serveControl({ path, log, answer }: ControlOptions): ControlServer {
  rmSync(path, { force: true });
  const server = Bun.listen<Asker>({
    unix: path,
    socket: {
      open(socket) {
        socket.data = { text: "", decoder: new TextDecoder() };
      },
      data(socket, bytes) {
        const asker = socket.data;
        asker.text += asker.decoder.decode(bytes, { stream: true });
        const end = asker.text.indexOf("\n");
        if (end < 0 && asker.text.length < LINE_CHARS_MAX) return;
        const request = end < 0 ? undefined : readRequest(asker.text.slice(0, end));
        asker.text = "";
        if (request === undefined) return void socket.end();
        const write = (line: ControlLine): void => void socket.write(`${JSON.stringify(line)}\n`);
        const told = answer(request, (text) => write({ say: text }));
        void told.then((done) => {
          write({ done });
          socket.end();
        });
      },
      error: (_socket, error) => log.line("warn", "control", "A command broke off", nameOf(error)),
    },
  });
  chmodSync(path, 0o600);
  return { stop: () => server.stop() };
}

function nameOf(error: Error): { readonly error: string } {
  return { error: error.name };
}

function readRequest(line: string): ControlRequest | undefined {
  const request = parsed(line);
  switch (request?.["command"]) {
    case "status":
    case "reload":
      return { command: request["command"] };
    case "restart": {
      const { program } = request;
      const isProgram = Array.isArray(program) && program.every((part) => typeof part === "string");
      return isProgram && program.length > 0 ? { command: "restart", program } : undefined;
    }
    default:
      return undefined;
  }
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return undefined; // Not one of our commands: whoever it was gets no answer.
  }
}
