import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MessageReader, statusOf } from "../../../src/cli/bench/http1.ts";
import { BUFFERED_ANSWER, STREAM_FRAMES } from "../../../src/cli/bench/payload.ts";
import { anyPieces, singleBytes } from "./pieces.ts";

interface Read {
  readonly messages: readonly { readonly status: number; readonly body: string }[];
  readonly understood: boolean;
  readonly endedWell: boolean;
}

function readAll(pieces: readonly Buffer[], kind: "request" | "response" = "response"): Read {
  const messages: { status: number; body: string }[] = [];
  let status = 0;
  let body = "";
  const reader = new MessageReader(kind, {
    head: (lower) => void ([status, body] = [statusOf(lower), ""]),
    body: (bytes) => void (body += bytes.toString("latin1")),
    end: () => void messages.push({ status, body }),
  });
  const understood = pieces.every((piece) => reader.feed(piece));
  return { messages, understood, endedWell: reader.close() };
}

function chunked(bodies: readonly string[], { extension = "", trailer = "" } = {}): string {
  const chunks = bodies.map((body) => `${body.length.toString(16)}${extension}\r\n${body}\r\n`);
  return `transfer-encoding: chunked\r\n\r\n${chunks.join("")}0\r\n${trailer}\r\n`;
}

const OK = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const RECORDED: readonly (readonly [string, string, string])[] = [
  ["content-length", `${OK}Content-Length: 450\r\n\r\n${BUFFERED_ANSWER}`, BUFFERED_ANSWER],
  ["chunked", OK + chunked(STREAM_FRAMES), STREAM_FRAMES.join("")],
  [
    "chunked with extensions and trailers",
    OK + chunked(["ab", "0\r\n\r\n"], { extension: ";a=b", trailer: "x-sum: 1\r\n" }),
    "ab0\r\n\r\n",
  ],
  ["an empty body", `${OK}content-length: 0\r\n\r\n`, ""],
];

describe.each(RECORDED)("a response with %s", (_, text, body) => {
  const bytes = Buffer.from(text, "latin1");
  const whole: Read = { messages: [{ status: 200, body }], understood: true, endedWell: true };

  test("reads the same however the network cuts it", () => {
    expect(readAll([bytes])).toEqual(whole);
    expect(readAll(singleBytes(bytes))).toEqual(whole);
    fc.assert(fc.property(anyPieces(bytes), (pieces) => expect(readAll(pieces)).toEqual(whole)));
  });

  test("is never whole when its last byte is missing", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: bytes.length - 1 }), (length) => {
        const read = readAll([bytes.subarray(0, length)]);
        expect(read.messages).toEqual([]);
        expect(read.endedWell).toBe(false);
      }),
    );
  });

  test("is the same to Bun's own client", async () => {
    const listener = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end(bytes) },
    });
    const answer = await fetch(`http://127.0.0.1:${listener.port}/`);
    expect(Buffer.from(await answer.bytes()).toString("latin1")).toBe(body);
    listener.stop(true);
  });
});

test("messages one after the other on a connection are all read, also when cut across", () => {
  const bytes = Buffer.from(RECORDED.map(([, text]) => text).join(""), "latin1");
  const all = RECORDED.map(([, , body]) => ({ status: 200, body }));
  fc.assert(
    fc.property(anyPieces(bytes), (pieces) => {
      expect(readAll(pieces)).toEqual({ messages: all, understood: true, endedWell: true });
    }),
  );
});

test("a body without a length lasts until the connection ends", () => {
  const bytes = Buffer.from(`${OK}\r\nuntil the end`);
  const messages = [{ status: 200, body: "until the end" }];
  expect(readAll(singleBytes(bytes))).toEqual({ messages, understood: true, endedWell: true });
});

test("a request without a length has no body", () => {
  const read = readAll([Buffer.from("GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n")], "request");
  expect(read.messages.map(({ body }) => body)).toEqual([""]);
});

const CHUNKED = "transfer-encoding: chunked\r\n\r\n";

test.each([
  ["a length that is no number", `${OK}content-length: 4x\r\n\r\nabcd`],
  ["a chunk size that is no number", `${OK}${CHUNKED}zz\r\nab\r\n`],
  ["a chunk longer than it said", `${OK}${CHUNKED}1\r\nab\r\n0\r\n\r\n`],
  ["a bare line feed after a size", `${OK}${CHUNKED}1\na\r\n0\r\n\r\n`],
  ["a bare line feed after an extension", `${OK}${CHUNKED}1;x\na\r\n0\r\n\r\n`],
  ["another protocol", "SSH-2.0-x\r\n\r\n\r\n"],
  ["an endless head", `${OK}x: ${"y".repeat(70_000)}`],
])("%s ends the reading", (_, text) => {
  expect(readAll([Buffer.from(text)]).understood).toBe(false);
});
