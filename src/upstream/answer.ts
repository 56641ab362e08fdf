import type { Fault } from "../core/fault.ts";
import type { Operation } from "../core/ids.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement } from "../core/privacy.ts";
import type { Chunk } from "../core/units.ts";
import type { Dialect, ErrorAnswer, StreamTap } from "../protocol/dialect.ts";
import type { Translation } from "../protocol/translate/translate.ts";
import type { AttemptContext, Failed } from "./context.ts";
import type { Call } from "./call.ts";
import type { ChunkReader, Guess, StreamedAnswer, WholeAnswer } from "./committed.ts";
import { usageInHeaders } from "./header-usage.ts";
import { relayedHeaders, translatedHeaders } from "./headers.ts";
import { type Judgement, reworded } from "./judge.ts";

/** An upstream's head is here; what the body says is still to be read. */
export interface Reply {
  readonly response: Response;
  readonly lane: Lane<Placement>;
  readonly context: AttemptContext;
  readonly call: Call;
  /** The caller asked for a stream. */
  readonly streamed: boolean;
  /** We asked for usage and the caller did not. */
  readonly asksUsage: boolean;
  readonly operation: Operation;
  /** The caller asked the provider itself, by its own path. */
  readonly verbatim: boolean;
  /** The protocol the upstream answers in. */
  readonly wire: Dialect;
  /** How that comes back to the caller; undefined where both speak the same. */
  readonly translation: Translation | undefined;
}

/** A fault without words of the upstream worth passing on. */
export function failed(fault: Fault): Failed {
  return { fault, answer: undefined };
}

/** Gives the connection up: nothing of this reply is wanted. */
export function abandoned({ call }: Reply, fault: Fault): Failed {
  call.abort();
  return failed(fault);
}

/** Commits to a body that is all here; a fault when it cannot be translated. */
export function wholeAnswer(reply: Reply, body: Chunk): WholeAnswer | Failed {
  const { response, wire, translation } = reply;
  const usage = wire.readUsage(body) ?? usageInHeaders(response.headers);
  if (translation === undefined) {
    const headers = relayedHeaders(response.headers, wire.id);
    return { ...whole(reply, response.status), headers, body, usage };
  }
  const translated = translation.answer(body);
  if (translated === undefined) return failed({ kind: "protocol", what: "no answer" });
  const headers = translatedHeaders(response.headers, "application/json");
  return { ...whole(reply, 200), headers, body: translated, usage };
}

/** Statuses whose words are about the operator's account, whoever is at fault. */
const OF_ACCOUNT: ReadonlySet<number> = new Set([401, 402, 403, 429]);

/**
 * The upstream's own no, byte for byte; spelled anew, without what names an account, where it is in
 * other words than the caller's or speaks of the operator's account, and no caller's own.
 */
export function refusal(reply: Reply, { fault, meaning }: Judgement, body: Chunk): WholeAnswer {
  const { response, wire, context, translation } = reply;
  const isTheirs = context.own !== undefined || !OF_ACCOUNT.has(response.status);
  if (translation === undefined && isTheirs) {
    const headers = relayedHeaders(response.headers, wire.id);
    return { ...whole(reply, response.status), headers, body, usage: undefined, refusal: fault };
  }
  const error = reworded(wire.readError(response.status, response.headers, body), meaning);
  const written = context.dialect.writeError(error, context.requestId);
  return { ...whole(reply, written.status), ...spelled(written), refusal: fault };
}

const utf8 = new TextEncoder();

function spelled({ headers, body }: ErrorAnswer): Pick<WholeAnswer, "headers" | "body" | "usage"> {
  return { headers, body: utf8.encode(body), usage: undefined };
}

/** Where a body is text of a caller's or a model's; a picture or a file is none. */
const GUESSES: Readonly<Record<Operation, Guess>> = {
  chat: "all",
  completions: "all",
  invoke: "all",
  embeddings: "input",
  rerank: "input",
  moderations: "input",
  count_tokens: "nothing",
  images: "nothing",
  audio: "nothing",
  native: "nothing",
};

function whole(
  { lane, context, translation, operation }: Reply,
  status: number,
): Omit<WholeAnswer, "headers" | "body" | "usage"> {
  return {
    kind: "whole",
    guess: GUESSES[operation],
    lane,
    status,
    attempts: context.facts.length + 1,
    firstEventAt: context.clock.now(),
    translation,
    refusal: undefined,
  };
}

export interface StreamParts {
  readonly reader: ChunkReader;
  readonly tap: StreamTap | undefined;
  readonly held: Chunk[];
}

/** Commits to a body of which the beginning is here. */
export function streamedAnswer(reply: Reply, { reader, tap, held }: StreamParts): StreamedAnswer {
  const { response, lane, context, call, asksUsage, wire, translation, operation } = reply;
  const strips = asksUsage && tap !== undefined ? wire.usageOnRequest : undefined;
  return {
    kind: "stream",
    lane,
    status: response.status,
    headers:
      translation === undefined
        ? relayedHeaders(response.headers, wire.id)
        : translatedHeaders(response.headers, streamType(context)),
    attempts: context.facts.length + 1,
    guess: GUESSES[operation],
    firstEventAt: context.clock.now(),
    translation,
    held,
    reader,
    tap,
    framing: context.translation.framing,
    edit: translation?.stream() ?? strips?.strip(),
    call,
  };
}

function streamType({ dialect, translation }: AttemptContext): string {
  return translation.framing === "json-array" ? "application/json" : dialect.streamType;
}
