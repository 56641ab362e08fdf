import type { Capabilities } from "../../core/capabilities.ts";
import type { RequestId } from "../../core/ids.ts";
import { Rejection } from "../../core/rejection.ts";
import type { Chunk } from "../../core/units.ts";
import { parseJson, printJsonBytes } from "../../wire/exact-json.ts";
import type { AnswerContext, Framing, ReadHead } from "../codec.ts";
import type { Dialect, StreamEdit } from "../dialect.ts";
import type { Candidate, IrAnswer } from "../ir/answer.ts";
import { isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Loss, Severity } from "../ir/loss.ts";
import type { IrRequest } from "../ir/request.ts";
import { type CallMending, mendCalls } from "./answer-passes.ts";
import { callIds } from "./call-ids.ts";
import { reportWords, wordPass } from "./answer-words.ts";
import { answerPass } from "./answer-pass.ts";
import { unwrapAnswer } from "./answer-tool.ts";
import { type CarryOptions, carryProofs } from "./carried-answer.ts";
import { carryPass } from "./carried-stream.ts";
import { unwrapProofs } from "./carriers.ts";
import { isDeep } from "./depth.ts";
import { type LossLog, lossLog } from "./loss-log.ts";
import { refusedLoss } from "./loss-words.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { proofSlots } from "./proof-slots.ts";
import type { Proofs } from "./proofs.ts";
import { cutAnswer, stopCut } from "./stop-cut.ts";
import { readSounds, soundPass } from "./sounds.ts";
import { callPass } from "./stream-passes.ts";
import { takesComments, translateStream } from "./translate-stream.ts";

/** Both ends of one call, and what the answer is made of beside the upstream's words. */
export interface TranslateOptions {
  /** The caller's protocol. */
  readonly from: Dialect;
  /** The upstream's. */
  readonly to: Dialect;
  readonly head: ReadHead;
  /** The name the target knows the model by. */
  readonly model: string;
  readonly capabilities: Capabilities;
  readonly proofs: Proofs;
  readonly requestId: RequestId;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly framing: Framing;
  /** The least severity that ends the request; undefined: none does. */
  readonly refuse: Severity | undefined;
  /** What a stream loses on its way is not told in it. */
  readonly hidesLosses?: boolean | undefined;
}

/** One call between two protocols: what goes up, and how what comes down is read. */
export interface Translation {
  /** For the upstream. */
  readonly body: Chunk;
  /** Grows while the answer is translated. */
  readonly losses: readonly Loss[];
  /** A whole answer for the caller; undefined when the upstream's is none of its protocol. */
  answer(body: Chunk): Chunk | undefined;
  /** Translates a stream on its way; `fail` writes the caller's in-band error. */
  stream(): StreamEdit;
}

/** Puts a caller's request into another protocol, and says what that loses. */
export function translate(body: Chunk, options: TranslateOptions): Translation | Rejection {
  const json = objectOf(body);
  if (json === undefined)
    return malformed("the body is no JSON object, or is nested too deep: send it flatter");
  const log = lossLog();
  const read = options.from.codec.readRequest(json, options.head);
  if (read instanceof Rejection) return read;
  const { proofs, capabilities } = options;
  const asked = unwrapProofs(read, { proofs, target: options.to.id, report: log.report });
  const target = { target: options.to.id, capabilities, report: log.report };
  const prepared = prepare(asked, target);
  if (prepared instanceof Rejection) return prepared;
  const written = options.to.codec.writeRequest(prepared.request, {
    model: options.model,
    capabilities,
    report: log.report,
  });
  const refused = options.refuse && refusedLoss(log.all, options.refuse);
  if (refused !== undefined) return refused;
  log.startAnswer();
  return new Translated(printJsonBytes(written), { options, asked, prepared, log });
}

interface Parts {
  readonly options: TranslateOptions;
  readonly asked: IrRequest;
  readonly prepared: Prepared;
  readonly log: LossLog;
}

class Translated implements Translation {
  readonly body: Chunk;
  readonly losses: readonly Loss[];
  readonly #parts: Parts;

  constructor(body: Chunk, parts: Parts) {
    this.body = body;
    this.losses = parts.log.all;
    this.#parts = parts;
  }

  answer(body: Chunk): Chunk | undefined {
    const json = objectOf(body);
    if (json === undefined) return undefined;
    const { options, prepared, log } = this.#parts;
    const read = options.to.codec.readAnswer(json);
    if (isNothing(read) || isFailure(read)) return undefined;
    reportWords(read, { upstream: options.to.id, report: log.report });
    const heard = readSounds(read, { client: options.from.id, report: log.report });
    const { answerTool, cutAt } = prepared;
    const cut = cutAnswer(heard, cutAt);
    const said = answerTool === undefined ? cut : unwrapAnswer(cut, answerTool);
    const mended = mendCalls(said, this.#mending());
    const carried = carryProofs(mended, this.#carrying());
    return printJsonBytes(options.from.codec.writeAnswer(carried, this.#context()));
  }

  stream(): StreamEdit {
    const { options, prepared, log } = this.#parts;
    const { from, to, framing, hidesLosses } = options;
    const cut = prepared.cutAt.length === 0 ? undefined : stopCut(prepared.cutAt);
    const passes = [
      wordPass({ upstream: to.id, report: log.report }),
      soundPass({ client: from.id, report: log.report }),
      prepared.answerTool && answerPass(prepared.answerTool),
      callPass(this.#mending()),
      carryPass(this.#carrying()),
    ].filter((pass) => pass !== undefined);
    return translateStream({
      reader: to.codec.streamReader(),
      writer: from.codec.streamWriter(this.#context()),
      passes: cut === undefined ? passes : [cut, ...passes],
      stopCut: cut,
      takesComments: hidesLosses !== true && takesComments(from.id, framing),
      lateLosses: log.late,
    });
  }

  /** Made anew for every answer: ids are counted within one. */
  #mending(): CallMending {
    const { options, prepared, log } = this.#parts;
    const { toolNames, unwrapped } = prepared;
    const ids = callIds(options.from.id, options.requestId);
    return { toolNames, unwrapped, ids, report: log.report };
  }

  #carrying(): CarryOptions {
    const { options, log } = this.#parts;
    const slots = proofSlots({
      client: options.from.id,
      clientFamily: options.from.codec.capabilities.family,
      upstream: options.to.id,
      upstreamFamily: options.capabilities.family,
      proofs: options.proofs,
    });
    return { slots, report: log.report };
  }

  #context(): AnswerContext {
    const { options, asked, log } = this.#parts;
    const { requestId, createdAt, framing } = options;
    return { requestId, asked, createdAt, framing, report: log.report };
  }
}

/** No answer of any protocol says nothing at all: no content, no reason to stop, no count. */
function isNothing({ candidates, usage, blocked }: IrAnswer): boolean {
  const isSilent = candidates.every(({ blocks, stop }) => blocks.length === 0 && !stop);
  const isUncounted = (usage?.inputTotal ?? usage?.outputTotal) === undefined;
  return isSilent && isUncounted && blocked === undefined;
}

/** An error in the form of an answer: Responses' `failed`, Cohere's `ERROR`. */
function isFailure({ candidates }: IrAnswer): boolean {
  const isFailed = ({ stop }: Candidate): boolean =>
    stop?.kind === "error" || stop?.kind === "timeout";
  return candidates.length > 0 && candidates.every(isFailed);
}

/** Undefined for what is no JSON object, or nested too deep to be printed again. */
function objectOf(body: Chunk): JsonObject | undefined {
  if (isDeep(body)) return undefined;
  const value = parseJson(body) as Json | undefined;
  return isObject(value) ? value : undefined;
}

function malformed(detail: string): Rejection {
  return new Rejection({ kind: "malformed", param: undefined, detail });
}
