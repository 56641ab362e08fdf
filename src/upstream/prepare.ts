import type { RelayConfig } from "../config/config.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement } from "../core/privacy.ts";
import type { Envelope } from "../core/request.ts";
import type { Chunk } from "../core/units.ts";
import type { Dialect } from "../protocol/dialect.ts";
import { type Edit, jsonString } from "../wire/json-splice.ts";

export interface PrepareContext {
  readonly dialect: Dialect;
  readonly relay: RelayConfig;
}

/** Whether usage is asked for on top of what the caller wrote: features.md conflict 12. */
export function addsUsage(envelope: Envelope, relay: RelayConfig): boolean {
  const { stream, includeUsage, operation } = envelope;
  return relay.injectIncludeUsage && stream && !includeUsage && operation !== "embeddings";
}

/** What must change in the body for this lane; undefined when its bytes go as they came. */
export function editsFor(
  envelope: Envelope,
  lane: Lane<Placement>,
  { dialect, relay }: PrepareContext,
): ((body: Chunk) => readonly Edit[]) | undefined {
  const name = lane.upstreamModel ?? envelope.model;
  const renamed = name !== envelope.model;
  const asks = addsUsage(envelope, relay);
  if (!renamed && !asks) return undefined;
  return (body) => {
    const edits: Edit[] = renamed ? [{ span: envelope.modelSpan, bytes: literalOf(name) }] : [];
    if (asks) edits.push(dialect.askForUsage(body, envelope));
    return edits;
  };
}

/** The names in a configuration are few and their literals are spliced into every request. */
const literals = new Map<string, Chunk>();

function literalOf(name: string): Chunk {
  let literal = literals.get(name);
  if (literal === undefined) literals.set(name, (literal = jsonString(name)));
  return literal;
}
