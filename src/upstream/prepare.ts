import type { RelayConfig } from "../config/config.ts";
import type { DialectId } from "../core/ids.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement } from "../core/privacy.ts";
import type { Envelope } from "../core/request.ts";
import type { Chunk } from "../core/units.ts";
import type { Dialect } from "../protocol/dialect.ts";
import { type Edit, jsonString } from "../wire/json-splice.ts";

export interface PrepareContext {
  /** The protocol the lane is spoken to in. */
  readonly dialect: Dialect;
  readonly relay: RelayConfig;
}

/** The protocol a backend is spoken to in: the caller's own where it serves that. */
export function wireOf({ backend }: Lane<Placement>, caller: DialectId): DialectId {
  return backend.also.includes(caller) ? caller : backend.dialect;
}

/** The name a lane's backend gets to hear. */
export function nameFor({ upstreamModel }: Lane<Placement>, { model }: Envelope): string {
  return upstreamModel ?? model;
}

/** Whether usage is asked for on top of what the caller wrote: features.md conflict 12. */
export function addsUsage(envelope: Envelope, relay: RelayConfig): boolean {
  const { stream, includeUsage, operation, head } = envelope;
  const isAsked = relay.injectIncludeUsage && stream && !includeUsage;
  return isAsked && operation !== "embeddings" && head.verbatim !== true;
}

/** What must change in the body for this lane; undefined when its bytes go as they came. */
export function editsFor(
  envelope: Envelope,
  lane: Lane<Placement>,
  { dialect, relay }: PrepareContext,
): ((body: Chunk) => readonly Edit[]) | undefined {
  const name = nameFor(lane, envelope);
  const span = name === (envelope.written ?? envelope.model) ? undefined : envelope.modelSpan;
  const usage = addsUsage(envelope, relay) ? dialect.usageOnRequest : undefined;
  if (span === undefined && usage === undefined) return undefined;
  return (body) => {
    const edits: Edit[] = [];
    if (span !== undefined) edits.push({ span, bytes: nameBytes(name, body[span.start]) });
    if (usage !== undefined) edits.push(usage.ask(body, envelope));
    return edits;
  };
}

const QUOTE = 0x22;
const utf8 = new TextEncoder();
/** The names in a configuration are few and their literals are spliced into every request. */
const literals = new Map<string, Chunk>();

/** A name as it is spelled in JSON or, where no quote stands at its place, in a form's field. */
function nameBytes(name: string, first: number | undefined): Chunk {
  return first === QUOTE ? literalOf(name) : utf8.encode(name);
}

function literalOf(name: string): Chunk {
  let literal = literals.get(name);
  if (literal === undefined) literals.set(name, (literal = jsonString(name)));
  return literal;
}
