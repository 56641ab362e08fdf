import type { Fault } from "../core/fault.ts";
import type { Lane } from "../core/pool.ts";
import type { Admits, Placement, Privacy } from "../core/privacy.ts";
import type { Request } from "../core/request.ts";
import { failed } from "./answer.ts";
import type { AttemptContext, Failed } from "./attempt.ts";
import { addsUsage } from "./prepare.ts";
import { Call } from "./call.ts";
import type { Committed } from "./committed.ts";
import type { AddressRefused } from "./egress.ts";
import { upstreamHeaders } from "./headers.ts";
import { open } from "./open.ts";
import { readAnswer } from "./read-answer.ts";
import { transportFault } from "./transport-fault.ts";

/** One try at one lane: sends the request and waits for the first event, or says what failed. */
export async function tryLane<P extends Privacy>(
  request: Request<P>,
  lane: Lane<Admits<P>>,
  context: AttemptContext,
): Promise<Committed | Failed> {
  const { clock, client } = context;
  const egress = context.egressOf(lane);
  const dialling = egress.dial();
  const dialled = dialling instanceof Promise ? await dialling : dialling;
  if ("refused" in dialled) return failed(faultOfRefusal(dialled));
  const { deadlines } = lane.backend;
  const call = new Call({ clock, client, deadlines, egress, dialled });
  const opening = open(request, lane.backend, {
    egress,
    dialled,
    path: pathBelow(lane) + context.dialect.upstreamPath(request.envelope.operation),
    headers: upstreamHeaders(context.clientHeaders, lane.backend, {
      host: dialled.host,
      userAgent: context.userAgent,
    }),
    signal: call.signal,
  });
  try {
    const response = await opening;
    egress.heardAt = clock.now();
    const streamed = request.envelope.stream;
    const asksUsage = addsUsage(request.envelope, context.relay);
    return await readAnswer({ response, lane, context, call, streamed, asksUsage });
  } catch (error) {
    return failed(call.expired ?? transportFault(error));
  } finally {
    call.settle();
  }
}

function faultOfRefusal({ refused }: AddressRefused): Fault {
  switch (refused) {
    case "unresolved":
      return { kind: "network", sent: false };
    case "public_address":
      return { kind: "address_refused" };
  }
}

function pathBelow(lane: Lane<Placement>): string {
  const path = lane.backend.baseUrl.pathname;
  return path.endsWith("/") ? path.slice(0, -1) : path;
}
