import type { Privacy } from "../core/privacy.ts";
import { type AnyRequest, Request } from "../core/request.ts";
import type { Call } from "./accept.ts";

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

/** Seals a call into its class. After this, only a backend the class admits can read it. */
export function classify(call: Call, signals: Signals): AnyRequest {
  return Request.seal(classOf(signals), call.envelope, call.body);
}
