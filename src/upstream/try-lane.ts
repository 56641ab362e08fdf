import type { Fault } from "../core/fault.ts";
import type { Lane } from "../core/pool.ts";
import type { Admits, Placement, Privacy } from "../core/privacy.ts";
import type { CallHead, Envelope, Request } from "../core/request.ts";
import type { Dialect } from "../protocol/dialect.ts";
import type { Translation } from "../protocol/translate/translate.ts";
import { failed } from "./answer.ts";
import type { AttemptContext, Failed } from "./context.ts";
import { addsUsage, nameFor } from "./prepare.ts";
import { Call } from "./call.ts";
import type { Committed } from "./committed.ts";
import { dialWithin } from "./dial.ts";
import type { AddressRefused } from "./egress.ts";
import { upstreamHeaders } from "./headers.ts";
import { open } from "./open.ts";
import { readAnswer } from "./read-answer.ts";
import { transportFault } from "./transport-fault.ts";

/** A request as one lane gets it. */
export interface Prepared<P extends Privacy> {
  readonly request: Request<P>;
  /** The protocol it is sent in. */
  readonly wire: Dialect;
  /** How its answer comes back; undefined where caller and lane speak the same. */
  readonly translation: Translation | undefined;
}

/** One try at one lane: sends the request and waits for the first event, or says what failed. */
export async function tryLane<P extends Privacy>(
  prepared: Prepared<P>,
  lane: Lane<Admits<P>>,
  context: AttemptContext,
): Promise<Committed | Failed> {
  const { request, wire, translation } = prepared;
  const { clock, client } = context;
  const egress = context.egressOf(lane);
  const dialling = egress.dial();
  const { deadlines } = lane.backend;
  const { connectMs } = deadlines;
  const dialled =
    dialling instanceof Promise
      ? await dialWithin(dialling, { clock, client, connectMs })
      : dialling;
  if (dialled === "late") return failed({ kind: "timeout", phase: "connect" });
  if ("refused" in dialled) return failed(faultOfRefusal(dialled));
  const call = new Call({ clock, client, deadlines, egress, dialled });
  try {
    const response = await open(request, lane.backend, {
      egress,
      dialled,
      method: context.method,
      path: pathFor(lane, wire, { envelope: request.envelope, translation }),
      headers: upstreamHeaders(context.clientHeaders, lane.backend, {
        host: dialled.host,
        userAgent: context.userAgent,
        wire: wire.id,
        operation: request.envelope.operation,
        translated: translation !== undefined,
        own: context.own && {
          ...context.own,
          asItCame: request.envelope.head.verbatim === true,
        },
      }),
      clock,
      decodes: translation !== undefined,
      signal: call.signal,
    });
    egress.heardAt = clock.now();
    const { stream: streamed, operation, head } = request.envelope;
    const asksUsage = addsUsage(request.envelope, context.relay);
    const verbatim = head.verbatim === true;
    const reply = { response, lane, context, call, streamed, asksUsage, operation, verbatim };
    return await readAnswer({ ...reply, wire, translation });
  } catch (error) {
    const fault = call.expired ?? transportFault(error);
    if (fault === undefined && !client.aborted) throw error; // Ours: no backend is to blame.
    if (fault !== undefined && wasNotReached(fault)) egress.lost();
    return failed(fault ?? { kind: "network", sent: true });
  } finally {
    call.settle();
  }
}

function wasNotReached(fault: Fault): boolean {
  if (fault.kind === "network") return !fault.sent;
  return fault.kind === "tls" || (fault.kind === "timeout" && fault.phase === "connect");
}

function faultOfRefusal({ refused }: AddressRefused): Fault {
  switch (refused) {
    case "unresolved":
      return { kind: "network", sent: false };
    case "public_address":
    case "private_address":
      return { kind: "address_refused" };
  }
}

interface Sent {
  readonly envelope: Envelope;
  readonly translation: Translation | undefined;
}

/** Path and query below the backend's origin; a native call brings its own. */
function pathFor(lane: Lane<Placement>, wire: Dialect, { envelope, translation }: Sent): string {
  const { head, stream } = envelope;
  const { backend } = lane;
  if (head.verbatim === true) return head.tail + (head.query === "" ? "" : `?${head.query}`);
  const model = nameFor(lane, envelope);
  const mount = backend.baseUrl.pathname.replace(/\/$/, "");
  const modelPath = backend.modelPath?.replace("{model}", encodeURIComponent(model)) ?? "";
  // A translated call has the path of its kind: what the caller's own path said is in the body now.
  const asked = translation === undefined ? head : TRANSLATED;
  const path = mount + modelPath + wire.upstreamPath({ head: asked, model, stream });
  if (backend.query === undefined) return path;
  return `${path}${path.includes("?") ? "&" : "?"}${backend.query}`;
}

const TRANSLATED: CallHead = {
  operation: "chat",
  tail: "",
  query: "",
  model: undefined,
  stream: undefined,
};
