import type { Capabilities } from "../core/capabilities.ts";
import type { RequestId } from "../core/ids.ts";
import type { Rejection } from "../core/rejection.ts";
import type { Chunk } from "../core/units.ts";
import type { BrokenStream } from "./dialect.ts";
import type { IrAnswer } from "./ir/answer.ts";
import type { IrEvent } from "./ir/event.ts";
import type { JsonObject } from "./ir/json.ts";
import type { Report } from "./ir/loss.ts";
import type { IrRequest } from "./ir/request.ts";

/**
 * One protocol between its wire and the representation. A reader changes nothing: what it does not
 * model stands in `ext`, so that `write(read(x))` is `x`. A writer only spells: `prepare` has made
 * the request fit, and what an answer has that this wire has no place for is reported.
 */
export interface Codec {
  /** The protocol's own record; hosts and model families change it. */
  readonly capabilities: Capabilities;
  readRequest(body: JsonObject, head: ReadHead): IrRequest | Rejection;
  writeRequest(request: IrRequest, context: RequestContext): JsonObject;
  readAnswer(body: JsonObject): IrAnswer;
  writeAnswer(answer: IrAnswer, context: AnswerContext): JsonObject;
  streamReader(): StreamReader;
  streamWriter(context: AnswerContext): StreamWriter;
}

/** What the path says where the body does not (Gemini, Bedrock). */
export interface ReadHead {
  readonly model: string;
  readonly stream: boolean;
}

export interface RequestContext {
  /** The name the target knows the model by. */
  readonly model: string;
  readonly capabilities: Capabilities;
  readonly report: Report;
}

export interface AnswerContext {
  /** Ids that the wire demands and the upstream does not give are made of it. */
  readonly requestId: RequestId;
  /** What the caller asked, for what the wire echoes or what the caller wants to see. */
  readonly asked: IrRequest;
  /** Seconds since 1970, for a wire that dates its answers. */
  readonly createdAt: number;
  /** Gemini's two framings; every other wire has one. */
  readonly framing: Framing;
  readonly report: Report;
}
/** How a streamed answer is cut into events: `events` is the protocol's usual one. */
export type Framing = "events" | "json-array";

/** Reads an upstream's stream, whatever its chunks; never throws, whatever stands in it. */
export interface StreamReader {
  feed(chunk: Chunk): readonly IrEvent[];
  /** The transport ended: what was held back, without the protocol's end if that never came. */
  end(): readonly IrEvent[];
}

/** Writes a client's stream. The same events give the same bytes. */
export interface StreamWriter {
  write(event: IrEvent): Chunk;
  /** The source ended as it should: everything this wire still needs after that. */
  end(): Chunk;
  /** The in-band end of a stream that broke: whatever makes this wire's SDK throw. */
  fail(broken: BrokenStream): Chunk;
}
