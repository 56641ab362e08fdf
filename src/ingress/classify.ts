import type { Privacy } from "../core/privacy.ts";
import { type AnyRequest, type Envelope, Request } from "../core/request.ts";
import type { Chunk } from "../core/units.ts";

/** Everything that speaks about a request's class. Any one of them can make it private. */
export interface Signals {
  /** The configured default, for requests nobody marked. */
  readonly fallback: Privacy;
  readonly key: Privacy | undefined;
  readonly target: Privacy | undefined;
  /** The header `x-privacy` as it came; null when absent. */
  readonly header: string | null;
  /** The body's own mark as it came. */
  readonly body: string | undefined;
}

/**
 * The class of a request: an OR of its signals, so that no later one can loosen an earlier.
 *
 * A mark that cannot be read counts as private.
 */
export function classOf({ fallback, key, target, header, body }: Signals): Privacy {
  if (target === "private" || marksPrivate(header ?? undefined) || marksPrivate(body)) {
    return "private";
  }
  return key ?? fallback;
}

function marksPrivate(mark: string | undefined): boolean {
  return mark !== undefined && mark.trim().toLowerCase() !== "shareable";
}

/** A call that was read and is not classified yet. */
export interface Call {
  readonly envelope: Envelope;
  readonly body: Chunk;
}

/** Seals a call into its class. After this, only a backend the class admits can read it. */
export function classify({ envelope, body }: Call, signals: Signals): AnyRequest {
  return Request.seal(classOf(signals), envelope, body);
}
