import type { AuditHead } from "../state/audit/chain.ts";
import { verifyAudit } from "../state/audit/verify.ts";
import { momentText } from "../state/keys/key-json.ts";
import { answerJson } from "./answers.ts";
import { BadRequest } from "./body.ts";
import { type Call, storeOf } from "./desk.ts";

const LIMIT_MAX = 1000;

/** `GET /admin/audit?after=SEQ&limit=N`: records in their order, each sealed to the one before. */
export async function listAudit(call: Call): Promise<Response> {
  const after = whole(call, "after", 0);
  const limit = Math.max(1, Math.min(LIMIT_MAX, whole(call, "limit", 100)));
  const records = await (await storeOf(call)).auditRecords(after, limit);
  return answerJson(200, {
    records: records.map((each) => ({ ...each, at: momentText(each.at) })),
  });
}

/** `GET /admin/audit/verify?anchor=SEQ:HASH`: reads all of it. */
export async function verifyRecords(call: Call): Promise<Response> {
  const anchor = anchorOf(call);
  const { sound, broken, head } = await verifyAudit(await storeOf(call), {
    key: undefined,
    anchor,
  });
  return answerJson(200, {
    ok: broken === undefined,
    ...{ sound, head: { seq: head.seq, hash: head.hash } },
    ...(broken !== undefined && { broken: broken.seq, why: broken.why }),
  });
}

function whole({ query }: Call, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new BadRequest(`${name}: give a whole number.`, { param: name });
}

function anchorOf({ query }: Call): AuditHead | undefined {
  const text = query.get("anchor");
  if (text === null) return undefined;
  const [, seq, hash = ""] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq !== undefined) return { seq: Number(seq), hash };
  throw new BadRequest("anchor: give the SEQ:HASH of a head.", { param: "anchor" });
}
