import type { Fault } from "../core/fault.ts";
import type { Lane } from "../core/pool.ts";
import type { Admits, Placement, Privacy } from "../core/privacy.ts";
import type { Request } from "../core/request.ts";
import { failed } from "./answer.ts";
import type { AttemptContext, Failed } from "./context.ts";
import { addsUsage } from "./prepare.ts";
import { Call } from "./call.ts";
import type { Committed } from "./committed.ts";
import { dialWithin } from "./dial.ts";
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
      path: pathBelow(lane) + context.dialect.upstreamPath(request.envelope.operation),
      headers: upstreamHeaders(context.clientHeaders, lane.backend, {
        host: dialled.host,
        userAgent: context.userAgent,
      }),
      signal: call.signal,
    });
    egress.heardAt = clock.now();
    const streamed = request.envelope.stream;
    const asksUsage = addsUsage(request.envelope, context.relay);
    return await readAnswer({ response, lane, context, call, streamed, asksUsage });
  } catch (error) {
    const fault = call.expired ?? transportFault(error);
    if (fault === undefined && !client.aborted) throw error; // Ours: no backend is to blame.
    return failed(fault ?? { kind: "network", sent: true });
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
