import type { Chunk } from "../../core/units.ts";
import { printJson } from "../../wire/exact-json.ts";
import type { AnswerContext, StreamWriter } from "../codec.ts";
import type { BrokenStream } from "../dialect.ts";
import type { IrUsage, Stop } from "../ir/answer.ts";
import type { IrEvent } from "../ir/event.ts";
import { isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { WireError } from "../wire-error.ts";
import { brokenFrames, failedFrames, HEARTBEAT } from "./broken.ts";
import { echoOf } from "./echo.ts";
import { frame, type FrameBody } from "./frame.ts";
import { errorObject } from "./rejection.ts";
import { endOf, type Identity, identityOf, type Progress, responseObject } from "./response.ts";
import { writeIrUsage } from "./usage.ts";
import { Output } from "./write-output.ts";

const utf8 = new TextEncoder();
const NOTHING: Chunk = new Uint8Array(0);
/** A refusal that no block told: behind all of them. */
const REFUSAL_BLOCK = -1;

/** Writes a response as it grows: protocols.md 5.3. */
export function streamWriter(context: AnswerContext): StreamWriter {
  return new ResponsesStreamWriter(context);
}

class ResponsesStreamWriter implements StreamWriter {
  readonly #context: AnswerContext;
  readonly #output: Output;
  readonly #echo: JsonObject;
  #identity: Identity | undefined;
  #written = "";
  #sequence = 0;
  #stop: Stop | undefined;
  #usage: IrUsage | undefined;
  #tier: string | undefined;
  #isEnded = false;
  #hasOthers = false;
  /** The last response of a stream of this wire's own, whose events are passed on as they came. */
  #own: JsonObject | undefined;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#echo = echoOf(context.asked);
    this.#output = new Output(context, (type, body) => this.#emit(type, body));
  }

  write(event: IrEvent): Chunk {
    const wire = event.ext?.responses;
    if (wire !== undefined || this.#own !== undefined) return this.#pass(wire);
    if (!this.#isEnded) this.#take(event);
    return this.#flush();
  }

  end(): Chunk {
    if (this.#own === undefined) this.#finish();
    return this.#flush();
  }

  fail(broken: BrokenStream): Chunk {
    if (this.#isEnded) return NOTHING;
    if (this.#own === undefined && broken.mode === "graceful") this.#output.close();
    this.#isEnded = true;
    const at = { response: this.#soFar(), sequence: this.#sequence };
    this.#written += brokenFrames(broken, at);
    return this.#flush();
  }

  #take(event: IrEvent): void {
    switch (event.t) {
      case "start":
        this.#begin(event);
        this.#usage = event.usage;
        return;
      case "block_start":
        if (this.#isOther(event.c)) return;
        this.#begin({});
        this.#output.start(event.b, event.block);
        return;
      case "delta":
        if (!this.#isOther(event.c)) this.#output.delta(event.b, event.d);
        return;
      case "block_stop":
        if (!this.#isOther(event.c)) this.#output.stop(event.b, event.final);
        return;
      case "stop":
        if (!this.#isOther(event.c)) this.#stop = event.stop;
        return;
      case "usage":
        this.#usage = event.usage;
        return;
      case "meta":
        this.#tier = event.patch.tier ?? this.#tier;
        if (event.patch.blocked !== undefined) {
          this.#stop ??= { kind: "content_filter", raw: event.patch.blocked.reason };
        }
        return;
      case "ping":
        this.#written += HEARTBEAT;
        return;
      case "error":
        this.#breakOff(event.error);
        return;
      case "end":
        this.#finish();
        return;
      case "raw":
        this.#lose(event.event);
        return;
    }
  }

  /** This wire has one candidate. */
  #isOther(c: number): boolean {
    if (c === 0) return false;
    if (!this.#hasOthers) {
      this.#context.report({ code: "L-N", path: `candidates[${c}]`, action: "dropped" });
    }
    this.#hasOthers = true;
    return true;
  }

  #lose(event: string | undefined): void {
    const path = event ?? "event";
    this.#context.report({ code: "L-UNKNOWN-BLOCK", path, action: "dropped", detail: event });
  }

  #begin(said: { readonly model?: string | undefined; readonly createdAt?: number | undefined }) {
    if (this.#identity !== undefined) return;
    this.#identity = identityOf(said, this.#context);
    const response = this.#response({ status: "in_progress", output: [] });
    this.#emit("response.created", { response });
    this.#emit("response.in_progress", { response });
  }

  #finish(): void {
    if (this.#isEnded) return;
    this.#begin({});
    if (this.#stop?.kind === "refusal" && !this.#output.hasRefusal) {
      const text = this.#stop.detail ?? "";
      this.#output.start(REFUSAL_BLOCK, { type: "refusal", text });
    }
    this.#output.close();
    const { report } = this.#context;
    const usage = this.#usage && writeIrUsage(this.#usage, report);
    if (usage === undefined) report({ code: "L-USAGE", path: "usage", action: "dropped" });
    const end = endOf(this.#stop, this.#context);
    const progress = { ...end, output: this.#output.items, usage, tier: this.#tier };
    const response = this.#response(progress);
    if (end.status === "failed") {
      const message = this.#stop?.detail ?? "The model failed to answer.";
      this.#fail({ class: "server", status: 500, message, code: "server_error" }, response);
    } else {
      this.#emit(`response.${end.status}`, { response });
    }
    this.#isEnded = true;
  }

  #breakOff(error: WireError): void {
    this.#fail(error, this.#soFar());
    this.#isEnded = true;
  }

  #fail(error: WireError, response: JsonObject): void {
    const { requestId } = this.#context;
    const at = { response, sequence: this.#sequence, requestId };
    this.#written += failedFrames(errorObject(error), at);
  }

  /** The response with the items that are done. */
  #soFar(): JsonObject {
    if (this.#own !== undefined) return this.#own;
    this.#identity ??= identityOf({}, this.#context);
    return this.#response({ status: "in_progress", output: this.#output.doneItems });
  }

  #response(progress: Progress): JsonObject {
    return responseObject(this.#identity!, progress, this.#echo);
  }

  #emit(type: string, body: FrameBody): void {
    this.#written += frame(type, { ...body, sequence_number: this.#sequence++ });
  }

  /** An event of this wire's own, as it came. */
  #pass(event: JsonObject | undefined): Chunk {
    this.#own ??= Object.create(null) as JsonObject;
    if (event === undefined) return NOTHING;
    const { type, response, sequence_number: sequence } = event;
    if (isObject(response)) this.#own = response;
    this.#sequence = typeof sequence === "number" ? sequence + 1 : this.#sequence + 1;
    this.#isEnded ||= typeof type === "string" && ENDS.has(type);
    return utf8.encode(eventLine(type) + `data: ${printJson(event)}\n\n`);
  }

  #flush(): Chunk {
    if (this.#written === "") return NOTHING;
    const bytes = utf8.encode(this.#written);
    this.#written = "";
    return bytes;
  }
}

/** Behind these nothing may be added. */
const ENDS: ReadonlySet<string> = new Set([
  "response.completed",
  "response.incomplete",
  "response.failed",
]);

/** A type with a line end in it would forge an event. */
function eventLine(type: Json | undefined): string {
  return typeof type === "string" && /^[\w.]+$/.test(type) ? `event: ${type}\n` : "";
}
