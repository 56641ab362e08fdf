import { systemClock } from "../../runtime/clock.ts";
import type { Timer } from "../../runtime/runtime.ts";
import { MessageReader } from "./http1.ts";
import type { MessageParts } from "./http1.ts";
import { BARE_FRAMES, BUFFERED_ANSWER, CLOSING_FRAMES, STREAM_FRAMES } from "./payload.ts";
import { UPSTREAM_MODEL, readPace, stampedFrame } from "./payload.ts";
import type { Pace } from "./payload.ts";

/** A paced stream whose reader is this far behind is cut: the mock must not grow with it. */
const BACKLOG_BYTES_MAX = 1 << 20;

/** What the mock saw: an answer it never gave (a cache's) must not pass for a relayed one. */
export interface MockCounts {
  readonly requests: number;
  readonly streamsOpen: number;
  readonly eventsPaced: number;
}

export interface Mock {
  readonly port: number;
  counts(): MockCounts;
  stop(): void;
}

interface Tally {
  requests: number;
  streamsOpen: number;
  eventsPaced: number;
}

const JSON_ANSWER = whole("200 OK", BUFFERED_ANSWER);
const MODELS = whole("200 OK", JSON.stringify({ object: "list", data: [model()] }));
const NOT_FOUND = whole("404 Not Found", JSON.stringify({ error: { message: "no such path" } }));
const STREAM_HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n" +
  "cache-control: no-cache\r\nx-request-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n";
const LAST_CHUNK = "0\r\n\r\n";
const STREAM_WRITES = writesOf(STREAM_FRAMES);
const BARE_WRITES = writesOf(BARE_FRAMES);

/** One write for each event, as engines send them; the head goes with the first, the end alone. */
function writesOf(frames: readonly string[]): readonly Buffer[] {
  const [first = "", ...rest] = frames.map(chunk);
  return [STREAM_HEAD + first, ...rest, LAST_CHUNK].map((text) => Buffer.from(text));
}

function model(): object {
  return { id: UPSTREAM_MODEL, object: "model", created: 0, owned_by: "bench" };
}

function whole(status: string, body: string): Buffer {
  const type = "content-type: application/json\r\nx-request-id: req_bench";
  const length = Buffer.byteLength(body);
  return Buffer.from(`HTTP/1.1 ${status}\r\n${type}\r\ncontent-length: ${length}\r\n\r\n${body}`);
}

function chunk(frame: string): string {
  return `${Buffer.byteLength(frame).toString(16)}\r\n${frame}\r\n`;
}

/** Starts the mock upstream on loopback: OpenAI's wire, on bare sockets so that it costs little. */
export function startMock(port: number): Mock {
  const tally: Tally = { requests: 0, streamsOpen: 0, eventsPaced: 0 };
  const listener = Bun.listen<Visitor>({
    hostname: "127.0.0.1",
    port,
    socket: {
      open(socket) {
        socket.setNoDelay(true);
        socket.data = new Visitor(socket, tally);
      },
      data: (socket, bytes) => socket.data.read(bytes),
      drain: (socket) => socket.data.drain(),
      close: (socket) => socket.data.gone(),
    },
  });
  return { port: listener.port, counts: () => ({ ...tally }), stop: () => listener.stop(true) };
}

/** One connection: answers one request after the other, never past what the peer takes. */
class Visitor implements MessageParts {
  readonly #socket: Bun.Socket<Visitor>;
  readonly #tally: Tally;
  readonly #reader = new MessageReader("request", this);
  #line = "";
  #body: Buffer[] = [];
  #backlog: Buffer | undefined;
  #timer: Timer | undefined;
  #streaming = false;

  constructor(socket: Bun.Socket<Visitor>, tally: Tally) {
    this.#socket = socket;
    this.#tally = tally;
  }

  read(bytes: Buffer): void {
    if (!this.#reader.feed(bytes)) this.#socket.terminate();
  }
  head(lower: string): void {
    const end = lower.indexOf("\r\n");
    this.#line = end < 0 ? lower : lower.slice(0, end);
  }
  body(bytes: Buffer): void {
    this.#body.push(Buffer.from(bytes));
  }
  end(): void {
    const [first, second] = this.#body;
    const body = second === undefined ? first : Buffer.concat(this.#body);
    this.#body = [];
    const [method, path = ""] = this.#line.split(" ");
    if (method === "get" && path.endsWith("/models")) this.#write(MODELS);
    else if (method !== "post" || !path.endsWith("/chat/completions")) this.#write(NOT_FOUND);
    else this.#answer(body ?? Buffer.alloc(0));
  }

  #answer(body: Buffer): void {
    this.#tally.requests++;
    if (!says(body, "stream")) return this.#write(JSON_ANSWER);
    const pace = readPace(body);
    if (pace !== undefined) return this.#startPaced(pace);
    const writes = says(body, "include_usage") ? STREAM_WRITES : BARE_WRITES;
    for (const bytes of writes) this.#write(bytes);
  }

  #startPaced(pace: Pace): void {
    this.#streaming = true;
    this.#tally.streamsOpen++;
    this.#paced(pace, STREAM_HEAD);
  }

  /** Sends what is due and comes back after the gap; the head goes with the first event. */
  #paced(pace: Pace, head: string): void {
    if (this.#backlog !== undefined && this.#backlog.length > BACKLOG_BYTES_MAX) {
      this.#socket.terminate();
      return;
    }
    this.#tally.eventsPaced++;
    this.#write(Buffer.from(head + chunk(stampedFrame())));
    const rest = { events: pace.events - 1, gapMs: pace.gapMs };
    if (rest.events > 0) this.#timer = systemClock.after(pace.gapMs, () => this.#paced(rest, ""));
    else this.#finishPaced();
  }

  #finishPaced(): void {
    this.#leaveStream();
    for (const frame of CLOSING_FRAMES) this.#write(Buffer.from(chunk(frame)));
    this.#write(Buffer.from(LAST_CHUNK));
  }

  #leaveStream(): void {
    this.#timer?.cancel();
    if (this.#streaming) this.#tally.streamsOpen--;
    this.#streaming = false;
  }

  #write(bytes: Buffer): void {
    if (this.#backlog !== undefined) {
      this.#backlog = Buffer.concat([this.#backlog, bytes]);
      return;
    }
    const written = Math.max(0, this.#socket.write(bytes));
    if (written < bytes.length) this.#backlog = bytes.subarray(written);
  }

  drain(): void {
    const bytes = this.#backlog;
    this.#backlog = undefined;
    if (bytes !== undefined) this.#write(bytes);
  }

  gone(): void {
    this.#leaveStream();
  }
}

/** Whether a flag is on, with or without a space before its value. */
function says(body: Buffer, flag: string): boolean {
  return body.indexOf(`"${flag}":true`) >= 0 || body.indexOf(`"${flag}": true`) >= 0;
}
