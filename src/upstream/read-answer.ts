import type { Fault } from "../core/fault.ts";
import type { Bytes, Chunk } from "../core/units.ts";
import { scanJson } from "../wire/json-scan.ts";
import { abandoned, failed, refusal, type Reply, streamedAnswer, wholeAnswer } from "./answer.ts";
import type { Failed } from "./context.ts";
import type { ChunkReader, Committed } from "./committed.ts";
import { isErrorInside } from "./inside.ts";
import { judge, type Judgement } from "./judge.ts";
import { peek } from "./peek.ts";

/** An error answer's body is kept up to here; the rest is not read. */
const ERROR_BYTES_MAX: Bytes = 256 * 1024;
/** A framed answer up to this size is read through; it takes about a microsecond for each KB. */
const SCANNED_BYTES_MAX: Bytes = 256 * 1024;
/** Deeper than any answer; the caller's own limit is for what callers send. */
const ANSWER_DEPTH_MAX = 512;

const NO_BODY = { kind: "protocol", what: "no body" } as const;
/** What a HEAD and a 204 come with; only a provider's own path may answer so. */
const NOTHING: Chunk = new Uint8Array(0);

/** Reads an answer as far as a decision needs: to its first event, or whole when no stream. */
export function readAnswer(reply: Reply): Promise<Committed | Failed> | Committed | Failed {
  const { status, body } = reply.response;
  if (status < 200 || status > 599) return abandoned(reply, { kind: "protocol", what: "status" });
  if (status >= 300 && status < 400) return abandoned(reply, { kind: "redirect" });
  if (status >= 400) return readRefusal(reply);
  if (body === null)
    return reply.verbatim ? wholeAnswer(reply, NOTHING) : abandoned(reply, NO_BODY);
  if (reply.streamed && isEventStream(reply)) return peek(reply);
  return isFree(reply) ? passThrough(reply) : readWhole(reply);
}

/** RFC 9110 §8.3.1: a media type is spelled in any case. */
function isEventStream({ response, wire, context, translation }: Reply): boolean {
  const type = response.headers.get("content-type")?.toLowerCase();
  if (type === undefined) return false;
  // Gemini's other framing, which only its own callers ask for.
  const isArray = translation === undefined && context.translation.framing === "json-array";
  return type.startsWith(wire.streamType) || (isArray && type.startsWith("application/json"));
}

/** Sound, pictures and what else a provider serves is no JSON that we could judge. */
function isFree({ operation, response }: Reply): boolean {
  if (operation !== "audio" && operation !== "images" && operation !== "native") return false;
  return operation === "native" || !isJson(response.headers);
}

function isJson(headers: Headers): boolean {
  return headers.get("content-type")?.toLowerCase().startsWith("application/json") === true;
}

/** Bytes that nobody here reads: on to the client as they come. */
function passThrough(reply: Reply): Committed {
  const reader = reply.response.body!.getReader() as ChunkReader;
  return streamedAnswer(reply, { reader, tap: undefined, held: [] });
}

/** Reads a buffered answer whole, so that a cut one is never passed off as an answer. */
async function readWhole(reply: Reply): Promise<Committed | Failed> {
  const { response, context, call } = reply;
  const { bufferBytesMax } = context.relay;
  const declared = response.headers.get("content-length");
  if (declared !== null && Number(declared) <= bufferBytesMax) {
    return judged(reply, (await response.bytes()) as Chunk);
  }
  const reader = response.body!.getReader() as ChunkReader;
  const held: Chunk[] = [];
  let heldBytes = 0;
  for (;;) {
    const read = await reader.read();
    if (read.done) return judged(reply, join(held, heldBytes));
    call.heard();
    held.push(read.value);
    heldBytes += read.value.byteLength;
    if (heldBytes <= bufferBytesMax) continue;
    if (reply.translation !== undefined) return abandoned(reply, TOO_LARGE);
    return streamedAnswer(reply, { reader, tap: undefined, held });
  }
}

/** What cannot be held whole cannot be translated. */
const TOO_LARGE = { kind: "protocol", what: "too large to translate" } as const;

function judged(reply: Reply, body: Chunk): Committed | Failed {
  if (!isWhole(reply, body)) return failed({ kind: "protocol", what: "incomplete or not JSON" });
  const isAnswer = reply.verbatim || isEncoded(reply) || !isErrorInside(body);
  return isAnswer ? wholeAnswer(reply, body) : refused(reply, { body, whole: true });
}

/** Faults that are the caller's to mend: what the host says of them is passed on. */
const OF_REQUEST: ReadonlySet<Fault["kind"]> = new Set([
  "client_error",
  "context_length",
  "not_now",
]);

/** An error answer: whose fault it is, and its own words when they may be passed on, whole. */
async function readRefusal(reply: Reply): Promise<Failed> {
  return refused(reply, await readUpTo(reply.response, ERROR_BYTES_MAX));
}

function refused(reply: Reply, { body, whole }: ErrorBody): Failed {
  const { response, wire, lane, context } = reply;
  const read = isEncoded(reply) ? new Uint8Array() : body;
  const { status, headers } = response;
  const judged = judge(lane, wire, { status, headers, body: read });
  const judgement = context.own === undefined ? judged : ofTheirKey(judged);
  const { fault } = judgement;
  const relayable = reply.verbatim
    ? fault.kind !== "auth" && fault.kind !== "billing" // Those speak of our credential.
    : OF_REQUEST.has(fault.kind);
  if (!relayable || !whole) return failed(fault);
  return { fault, answer: refusal(reply, judgement, body) };
}

/** A caller's own key that its provider refuses is that caller's to mend. */
function ofTheirKey(judgement: Judgement): Judgement {
  const { kind } = judgement.fault;
  const isTheirs = kind === "auth" || kind === "billing";
  return isTheirs ? { ...judgement, fault: { kind: "client_error" } } : judgement;
}

/** A translated answer was decoded by the runtime, which leaves the header standing. */
function isEncoded({ response, translation }: Reply): boolean {
  return translation === undefined && response.headers.has("content-encoding");
}

interface ErrorBody {
  readonly body: Chunk;
  readonly whole: boolean;
}

async function readUpTo(response: Response, bytesMax: Bytes): Promise<ErrorBody> {
  const held: Chunk[] = [];
  let heldBytes = 0;
  const reader = response.body?.getReader() as ChunkReader | undefined;
  while (reader !== undefined) {
    const read = await reader.read();
    if (read.done) break;
    held.push(read.value);
    heldBytes += read.value.byteLength;
    if (heldBytes > bytesMax) {
      await reader.cancel();
      return { body: join(held, heldBytes), whole: false };
    }
  }
  return { body: join(held, heldBytes), whole: true };
}

function join(chunks: readonly Chunk[], byteLength: Bytes): Chunk {
  if (chunks.length === 1) return chunks[0]!;
  const whole = new Uint8Array(byteLength);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/**
 * Every answer here is JSON, whatever its type says; half of it is no answer. A large body is read
 * through only when it ended with its connection, which may cut it anywhere without a sign.
 */
function isWhole(reply: Reply, body: Chunk): boolean {
  const { headers } = reply.response;
  if (isEncoded(reply)) return body.byteLength > 0;
  const framed = headers.has("content-length") || headers.has("transfer-encoding");
  if (!framed || body.byteLength <= SCANNED_BYTES_MAX) {
    return scanJson(body, { depthMax: ANSWER_DEPTH_MAX }).ok;
  }
  const first = body.find(isVisible);
  const last = body.findLast(isVisible);
  return (first === 0x7b && last === 0x7d) || (first === 0x5b && last === 0x5d);
}

function isVisible(byte: number): boolean {
  return byte > 0x20;
}
