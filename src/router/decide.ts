import type { DialectId, Operation } from "../core/ids.ts";
import type { Lane, Pool } from "../core/pool.ts";
import type { Admits, Placement, Privacy } from "../core/privacy.ts";
import { Rejection } from "../core/rejection.ts";
import type { Random } from "../runtime/runtime.ts";

/** The lanes to try, in order, and why each other one was struck. */
export interface Plan<P extends Privacy> {
  readonly lanes: readonly Lane<Admits<P>>[];
  readonly struck: readonly Struck[];
}
export interface Struck {
  readonly lane: Lane<Placement>;
  readonly why: "other_dialect";
}
export interface Question {
  /** The name the caller used, for the refusal's text. */
  readonly model: string;
  readonly dialect: DialectId;
  readonly operation: Operation;
}

/**
 * Orders a pool's lanes for one request: by priority, and by weighted lot within a priority.
 *
 * It can only drop and reorder what the pool holds, and the pool holds only what the class admits.
 */
export function decide<P extends Privacy>(
  pool: Pool<P>,
  question: Question,
  random: Random,
): Plan<P> | Rejection {
  const only = pool.lanes[0];
  if (only === undefined) {
    return new Rejection({ kind: "no_eligible_backend", model: question.model });
  }
  if (pool.lanes.length === 1 && speaks(only, question)) {
    return { lanes: pool.lanes, struck: [] };
  }
  const kept: Lane<Admits<P>>[] = [];
  const struck: Struck[] = [];
  for (const lane of pool.lanes) {
    if (speaks(lane, question)) kept.push(lane);
    else struck.push({ lane, why: "other_dialect" });
  }
  if (kept.length === 0) {
    const { model, dialect } = question;
    return new Rejection({ kind: "cannot_translate", model, dialect });
  }
  return { lanes: order(kept, random), struck };
}

/** Whether a lane can be asked: in the caller's own protocol, or by translation of a chat. */
function speaks({ backend }: Lane<Placement>, { dialect, operation }: Question): boolean {
  const isNative = backend.dialect === dialect || backend.also.includes(dialect);
  return isNative || operation === "chat" || operation === "native";
}

/** Lanes by priority; within one, drawn without replacement with chances as their weights. */
function order<L extends Lane<Placement>>(lanes: readonly L[], random: Random): readonly L[] {
  const drawn = lanes.map((lane) => ({ lane, ticket: random.next() ** (1 / lane.weight) }));
  drawn.sort((a, b) => a.lane.priority - b.lane.priority || b.ticket - a.ticket);
  return drawn.map(({ lane }) => lane);
}
