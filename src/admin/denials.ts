import { z } from "zod";
import type { NewAudit } from "../state/audit/chain.ts";
import { deniedByHand, DENIAL_VIEW, denyByHand } from "../state/keys/deny-events.ts";
import { type DenyReason, readTenant } from "../state/keys/deny-source.ts";
import { answerJson, answerProblem } from "./answers.ts";
import { BadRequest, readBody } from "./body.ts";
import { type Call, storeOf } from "./desk.ts";

const DENIAL = z.strictObject({ reason: z.enum(["spend", "fraud", "other"]) });

/** `GET /admin/denials`: the tenants shut out here, and every place that shuts out others. */
export async function listDenials(call: Call): Promise<Response> {
  const denied = await deniedByHand(await storeOf(call));
  const sources = call.desk.denials() ?? [];
  return answerJson(200, {
    denials: [...denied].map(([tenant, reason]) => ({ tenant: String(tenant), reason })),
    sources: sources.map(({ name, size, broken }) => ({ name, size, connected: !broken })),
  });
}

/** `PUT /admin/denials/TENANT`: in force in every worker within a second. */
export async function setDenial(call: Call): Promise<Response> {
  const tenant = tenantOf(call);
  const { reason } = await readBody(call.request, DENIAL);
  if (call.desk.denials() === undefined) {
    const message = "No signed keys are taken here (signed_keys), so nobody would be shut out.";
    return answerProblem(409, { type: "conflict", message });
  }
  await write(call, tenant, reason);
  return answerJson(200, { tenant: String(tenant), reason });
}

/** `DELETE /admin/denials/TENANT`: ends what was said here; other sources speak for themselves. */
export async function removeDenial(call: Call): Promise<Response> {
  const tenant = tenantOf(call);
  const store = await storeOf(call);
  if ((await store.viewRow(DENIAL_VIEW, String(tenant))) === undefined) {
    return answerProblem(404, {
      type: "not_found",
      message: `Tenant ${tenant} is not denied here.`,
    });
  }
  await write(call, tenant, undefined);
  return answerJson(200, { tenant: String(tenant), denied: false });
}

async function write(call: Call, tenant: bigint, reason: DenyReason | undefined): Promise<void> {
  const { desk, by } = call;
  const audit: NewAudit = {
    ...{ at: Math.floor(desk.clock.wall()), actor: by, subject: String(tenant) },
    action: reason === undefined ? "deny.remove" : "deny.set",
    detail: reason === undefined ? "{}" : JSON.stringify({ reason }),
  };
  const store = await storeOf(call);
  await denyByHand(store, { tenant, reason }, { id: desk.newId(), node: desk.node, audit });
}

function tenantOf({ caught: [text = ""] }: Call): bigint {
  const tenant = readTenant(text);
  if (tenant !== undefined) return tenant;
  throw new BadRequest("The tenant is a whole number below 2^64.", { param: "tenant" });
}
