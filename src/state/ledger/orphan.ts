import { DIALECT_IDS, type DialectId, type KeyId, type RequestId } from "../../core/ids.ts";
import type { Privacy } from "../../core/privacy.ts";
import type { Bytes, Ms } from "../../core/units.ts";
import type { Orphan } from "../slab/record.ts";
import { TAG_BYTES } from "../slab/layout.ts";
import { BytesIn, BytesOut } from "./bytes.ts";
import { cutName, type Entry, NO_USAGE, type UsageFact } from "./facts.ts";
import { encodeEntry } from "./wire.ts";

/** What is known of a request when it is admitted: enough for its fact should its process die. */
export interface Whose {
  readonly id: string;
  readonly requestId: RequestId;
  readonly tenant: string | undefined;
  readonly key: KeyId | undefined;
  readonly requestedModel: string;
  readonly protocol: DialectId;
  readonly privacy: Privacy | undefined;
  readonly stream: boolean;
  readonly card: string;
  /** Who would answer it if nothing fails. */
  readonly sold: SoldBy;
}
/** Who answers a request, and what it bills. */
export interface SoldBy {
  readonly provider: string;
  readonly model: string;
}

const FLAGS = { stream: 1, tenant: 2, key: 4 } as const;
const PRIVACY = [undefined, "private", "shareable"] as const;
/** Room that stays for who answered in the end. */
const SOLD_BYTES: Bytes = 64;
const SHORT: Bytes = 27;
/** Of the names that decide who is charged nothing is cut before there is no other way. */
const NAME_MAX: Bytes = 51;
/** A gateway that was killed had promised an answer. */
const KILLED_STATUS = 500;
const shared = new BytesOut();

/** As bytes for a record of the slab, good until the next call. */
export function encodeWhose(whose: Whose): Uint8Array {
  const whole = write(whose);
  if (whole.length <= TAG_BYTES - SOLD_BYTES) return whole;
  const { requestId, requestedModel, sold } = whose;
  const short = { ...whose, requestId: cutName(requestId, SHORT) };
  const model = cutName(sold.model, NAME_MAX);
  const brief = {
    ...short,
    requestedModel: cutName(requestedModel, SHORT),
    sold: { ...sold, model },
  };
  const shorter = write(brief);
  if (shorter.length <= TAG_BYTES) return shorter;
  const { tenant, key } = whose;
  const named = { tenant: tenant && cutName(tenant, SHORT), key: key && cutName(key, SHORT) };
  return write({ ...brief, ...named, requestedModel: "", sold: shortSold(sold) });
}

/** Who answered, to be added once that is known. */
export function encodeSold({ provider, model }: SoldBy): Uint8Array {
  shared.reset();
  shared.text(provider);
  shared.text(cutName(model, NAME_MAX));
  return shared.view();
}

/**
 * The fact of a request whose process was killed: settled at what it had delivered, or at what it
 * came to when that was known. Undefined when nobody keeps its fact.
 */
export function orphanFact(orphan: Orphan, bytesMax: Bytes): Uint8Array | undefined {
  const entry = entryOfOrphan(orphan);
  return entry === undefined ? undefined : encodeEntry(entry, bytesMax);
}

export function entryOfOrphan(orphan: Orphan): Entry | undefined {
  const whose = read(orphan.tag);
  if (whose === undefined) return undefined;
  const { sold, ...rest } = whose;
  const delivered = orphan.outputTokens !== undefined;
  const outputTokens = Math.min(orphan.outputTokens ?? 0, orphan.tokens);
  const usage = { ...NO_USAGE, inputTokens: orphan.tokens - outputTokens, outputTokens };
  const provenance = orphan.estimated ? "estimated" : "partial";
  const fact: UsageFact = {
    ...rest,
    at: Math.max(0, Math.floor(orphan.startedWall)),
    billedModel: sold.model,
    provider: sold.provider,
    usage,
    provenance,
    status: orphan.estimated ? KILLED_STATUS : 200,
    latencyMs: 0,
    firstEventMs: undefined,
    attempts: 1,
    chargedNano: BigInt(orphan.nano),
  };
  return { fact, attempts: [attemptOf(fact, { delivered })] };
}

function attemptOf(fact: UsageFact, { delivered }: { readonly delivered: boolean }) {
  const { at, provider, billedModel: model, usage, provenance } = fact;
  return {
    ...{ n: 1, at: at satisfies Ms, provider, model, usage, firstEventMs: undefined },
    fault: fact.status === KILLED_STATUS ? "killed" : undefined,
    cost: delivered ? provenance : ("unknown" as const),
  };
}

function write(whose: Whose): Uint8Array {
  const { tenant, key, sold } = whose;
  const out = shared;
  out.reset();
  out.number(
    (whose.stream ? FLAGS.stream : 0) |
      (tenant === undefined ? 0 : FLAGS.tenant) |
      (key === undefined ? 0 : FLAGS.key),
  );
  out.number(DIALECT_IDS.indexOf(whose.protocol));
  out.number(PRIVACY.indexOf(whose.privacy));
  out.text(whose.id);
  out.text(whose.requestId);
  out.text(whose.card);
  out.text(whose.requestedModel);
  out.text(sold.provider);
  out.text(sold.model);
  if (tenant !== undefined) out.text(tenant);
  if (key !== undefined) out.text(key);
  return out.view();
}

/** Undefined where no tag was written: then nobody wants a fact. */
function read(tag: Uint8Array): Whose | undefined {
  if (tag.length === 0) return undefined;
  const input = new BytesIn(tag);
  const flags = input.number();
  const protocol = DIALECT_IDS[input.number()] ?? "openai";
  const privacy = PRIVACY[input.number()];
  const [id, requestId, card] = [input.text(), input.text(), input.text()];
  const requestedModel = input.text();
  const first = { provider: input.text(), model: input.text() };
  const tenant = flags & FLAGS.tenant ? input.text() : undefined;
  const key = flags & FLAGS.key ? input.text() : undefined;
  const stream = (flags & FLAGS.stream) !== 0;
  const sold = input.done ? first : readSold(input.rest);
  return { id, requestId, tenant, key, requestedModel, protocol, privacy, stream, card, sold };
}

function readSold(bytes: Uint8Array): SoldBy {
  const input = new BytesIn(bytes);
  return { provider: input.text(), model: input.text() };
}

function shortSold({ provider, model }: SoldBy): SoldBy {
  return { provider: cutName(provider, SHORT), model: cutName(model, SHORT) };
}
