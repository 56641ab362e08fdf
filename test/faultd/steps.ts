import { garbage, pieceEnds } from "./pieces.ts";
import { bytesOf } from "./script.ts";
import type { Answer, Cut, CutKind, Framing, Gate, Raw, Script } from "./script.ts";

/** One thing faultd does. `bodyBytes` is how much of a write is the answer's body. */
export type Step =
  | { readonly kind: "write"; readonly bytes: Uint8Array; readonly bodyBytes: number }
  | { readonly kind: "wait"; readonly gate: Gate }
  | { readonly kind: "end"; readonly how: End };

/** How an answer ends for its connection. `close` is the FIN a close-delimited body ends with. */
export type End = Exclude<CutKind, "garbage"> | "keep" | "close";

const GARBAGE_BYTES = 64;

/** A script as the steps that play it, in order; the last one is an end. */
export function stepsOf(script: Script): Iterable<Step> {
  return "raw" in script ? rawSteps(script) : answerSteps(script);
}

function* rawSteps({ raw, then, beforeHead }: Raw): Generator<Step> {
  if (beforeHead !== undefined) yield { kind: "wait", gate: beforeHead };
  const bytes = bytesOf(raw);
  if (bytes.length > 0) yield { kind: "write", bytes, bodyBytes: 0 };
  if (then === "garbage") yield { kind: "write", bytes: garbage(0, GARBAGE_BYTES), bodyBytes: 0 };
  yield { kind: "end", how: then === "garbage" ? "fin" : then };
}

function* answerSteps(answer: Answer): Generator<Step> {
  const body = bytesOf(answer.body ?? "");
  const framing = answer.framing ?? "content-length";
  const stop = Math.min(answer.cut?.at ?? body.length, body.length);
  if (answer.beforeHead !== undefined) yield { kind: "wait", gate: answer.beforeHead };
  yield { kind: "write", bytes: headOf(answer, { framing, length: body.length }), bodyBytes: 0 };
  let from = 0;
  for (const to of stopsOf(answer, { body, stop })) {
    const gate = answer.gates?.get(from);
    if (gate !== undefined) yield { kind: "wait", gate };
    const piece = body.subarray(from, to);
    const bytes = framing === "chunked" ? chunkOf(piece) : piece;
    yield { kind: "write", bytes, bodyBytes: piece.length };
    from = to;
  }
  const gate = answer.gates?.get(from);
  if (gate !== undefined) yield { kind: "wait", gate };
  if (answer.cut === undefined) yield* cleanEnd(framing);
  else yield* cutEnd(answer.cut, { framing, left: body.length - stop });
}

/** The ends of the pieces, split further where a gate or the cut stands inside one. */
function stopsOf(answer: Answer, { body, stop }: { body: Uint8Array; stop: number }): number[] {
  const inside = [...(answer.gates?.keys() ?? []), stop];
  const all = new Set([...pieceEnds(body, answer.chunking ?? "whole"), ...inside]);
  return [...all].filter((at) => at > 0 && at <= stop).sort((a, b) => a - b);
}

function* cleanEnd(framing: Framing): Generator<Step> {
  if (framing === "chunked") yield { kind: "write", bytes: bytesOf("0\r\n\r\n"), bodyBytes: 0 };
  yield { kind: "end", how: framing === "close" ? "close" : "keep" };
}

function* cutEnd({ at, how }: Cut, rest: { framing: Framing; left: number }): Generator<Step> {
  if (how !== "garbage") return yield { kind: "end", how };
  // A content-length answer must stay short by a byte, or the garbage would complete it.
  const most = rest.framing === "content-length" ? Math.max(0, rest.left - 1) : GARBAGE_BYTES;
  const bytes = garbage(at, Math.min(most, GARBAGE_BYTES));
  if (bytes.length > 0) yield { kind: "write", bytes, bodyBytes: 0 };
  yield { kind: "end", how: "fin" };
}

function headOf(answer: Answer, { framing, length }: { framing: Framing; length: number }) {
  const { status = 200, reason = status === 200 ? "OK" : "Scripted", headers = [] } = answer;
  const lines = [
    `HTTP/1.1 ${status} ${reason}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  if (framing === "content-length")
    lines.push(`Content-Length: ${answer.declaredLength ?? length}`);
  if (framing === "chunked") lines.push("Transfer-Encoding: chunked");
  if (framing === "close") lines.push("Connection: close");
  return bytesOf(`${lines.join("\r\n")}\r\n\r\n`);
}

function chunkOf(piece: Uint8Array): Uint8Array {
  const size = bytesOf(`${piece.length.toString(16)}\r\n`);
  const chunk = new Uint8Array(size.length + piece.length + 2);
  chunk.set(size);
  chunk.set(piece, size.length);
  chunk.set([13, 10], size.length + piece.length);
  return chunk;
}
