import { DIALECT_IDS, type DialectId } from "../core/ids.ts";
import { Rejection } from "../core/rejection.ts";
import type { AnyLane } from "../core/pool.ts";
import type { CallHead } from "../core/request.ts";
import type { Chunk } from "../core/units.ts";
import { type Front, readBody } from "../ingress/accept.ts";
import { classOf } from "../ingress/classify.ts";
import { isObject } from "../protocol/ir/fields.ts";
import type { Json, JsonObject } from "../protocol/ir/json.ts";
import { severityOf, weighs } from "../protocol/ir/loss.ts";
import { translate } from "../protocol/translate/translate.ts";
import { findTarget } from "../router/routes.ts";
import { capabilitiesOf } from "../upstream/capabilities.ts";
import { wireOf } from "../upstream/prepare.ts";
import { parseJson, printJson, printJsonBytes } from "../wire/exact-json.ts";
import { addOwnHeaders } from "./own-headers.ts";
import { refuse } from "./refuse.ts";
import { proofsOf, routesOf } from "./view.ts";
import { bodyOptions, refusedLoss, settle, type Visit } from "./visit.ts";

const EXAMPLE = '{"from": "anthropic", "model": "<name>", "body": {…}}';
const HEAD: CallHead = {
  operation: "chat",
  tail: "/translate",
  query: "",
  model: undefined,
  stream: undefined,
};

/** A request to be looked at: the protocol it is in, and the model it would go to. */
interface Question {
  readonly from: DialectId;
  readonly model: string;
  readonly stream: boolean;
  readonly body: JsonObject;
}

/**
 * `POST /v1/translate`: what a request would look like at each backend that could get it, and what
 * would be lost on the way. Nothing is sent anywhere.
 */
export async function answerTranslate(
  visit: Visit,
  http: globalThis.Request,
  front: Front,
): Promise<Response> {
  const body = await readBody(http, bodyOptions(visit, front, { head: HEAD, http }));
  if (body instanceof Rejection) return refuse(visit, body);
  const question = readQuestion(body);
  if (question instanceof Rejection) return refuse(visit, question);
  const { gateway, key } = visit;
  const target = findTarget(routesOf(gateway, key!), { model: question.model, key: key! });
  if (target instanceof Rejection) return refuse(visit, target);
  visit.model = question.model;
  visit.target = target;
  const privacy = classOf({
    fallback: gateway.config.privacy.default,
    key: key!.privacy,
    target: target.privacy,
    header: http.headers.get("x-privacy"),
    body: markIn(question.body),
  });
  visit.privacy = privacy;
  const { lanes } = privacy === "private" ? target.private : target.shareable;
  const { model } = question;
  if (lanes.length === 0)
    return refuse(visit, new Rejection({ kind: "no_eligible_backend", model }));
  const strict = http.headers.get("x-interlock-strict");
  const answer = printJson({
    from: question.from,
    model: question.model,
    lanes: lanesOf(visit, lanes, { question, strict }),
  });
  const headers = addOwnHeaders({ "content-type": "application/json" }, visit);
  settle(visit, { kind: "served" });
  return new Response(answer, { headers });
}

function readQuestion(bytes: Chunk): Question | Rejection {
  const value = parseJson(bytes) as Json | undefined;
  if (!isObject(value)) return malformed(undefined, `send a JSON object like ${EXAMPLE}`);
  const { from = "openai", body } = value;
  const dialect = DIALECT_IDS.find((id) => id === from);
  if (dialect === undefined) {
    return malformed("from", `'from' must be one of ${DIALECT_IDS.join(", ")}`);
  }
  if (!isObject(body)) return malformed("body", `'body' must be the request: send ${EXAMPLE}`);
  const model = value["model"] ?? body["model"];
  if (typeof model !== "string" || model === "") {
    return malformed("model", "no model is named: send one that GET /v1/models lists");
  }
  const stream = value["stream"] ?? body["stream"];
  return { from: dialect, model, stream: stream === true, body };
}

/** The mark a call of this body would be classified by, as it is written. */
function markIn({ metadata, labels }: JsonObject): string | undefined {
  const marks = [metadata, labels].map((holder) =>
    isObject(holder) ? holder["privacy"] : undefined,
  );
  const mark = marks.find((each) => each !== undefined);
  return mark === undefined || typeof mark === "string" ? mark : printJson(mark);
}

function malformed(param: string | undefined, detail: string): Rejection {
  return new Rejection({ kind: "malformed", param, detail });
}

interface Looked {
  readonly question: Question;
  readonly strict: string | null;
}

/** One entry for each lane, in the configuration's order. */
function lanesOf(visit: Visit, lanes: readonly AnyLane[], { question, strict }: Looked): object[] {
  const { gateway } = visit;
  const bytes = printJsonBytes(question.body);
  const limit = refusedLoss(visit, strict);
  return lanes.map((lane) => {
    const to = wireOf(lane, question.from);
    const known = { provider: lane.backend.name, placement: lane.backend.placement, to };
    const wire = gateway.dialects[to];
    const model = lane.upstreamModel ?? question.model;
    if (to === question.from) return { ...known, model, translated: false, losses: [] };
    const translation = translate(bytes, {
      ...{ from: gateway.dialects[question.from], to: wire, model, framing: "events" },
      head: { model: question.model, stream: question.stream },
      capabilities: capabilitiesOf(lane, { wire, model }),
      proofs: proofsOf(visit),
      requestId: visit.id,
      createdAt: Math.floor(gateway.runtime.clock.wall() / 1000),
      refuse: undefined,
    });
    if (translation instanceof Rejection) {
      return { ...known, model, translated: true, refused: translation.reason };
    }
    const losses = translation.losses.map((loss) => ({ ...loss, severity: severityOf(loss) }));
    const isRefused = limit !== undefined && losses.some((loss) => weighs(loss, limit));
    const body = parseJson(translation.body);
    return { ...known, model, translated: true, sent: !isRefused, body, losses };
  });
}
