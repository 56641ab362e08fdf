import { familyOf, type ModelFamily } from "../config/model-families.ts";
import type { Capabilities } from "../core/capabilities.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement } from "../core/privacy.ts";
import type { Dialect } from "../protocol/dialect.ts";

type ByFamily = Map<ModelFamily | undefined, Capabilities>;
const known = new WeakMap<Lane<Placement>, Map<Dialect, ByFamily>>();

export interface Asked {
  /** The protocol the lane is spoken to in. */
  readonly wire: Dialect;
  /** The name its backend knows the model by. */
  readonly model: string;
}

/**
 * What a lane takes: its protocol's own record, changed by its host, by the model's family and last
 * by the configuration. Families are few, so keeping each result is bounded.
 */
export function capabilitiesOf(lane: Lane<Placement>, { wire, model }: Asked): Capabilities {
  const byFamily = familiesOf(lane, wire);
  const family = familyOf(model);
  let capabilities = byFamily.get(family);
  if (capabilities === undefined) {
    const { capabilities: own } = wire.codec;
    const host = lane.backend.capabilities;
    capabilities = { ...own, ...host, ...family?.capabilities, ...lane.capabilities };
    byFamily.set(family, capabilities);
  }
  return capabilities;
}

function familiesOf(lane: Lane<Placement>, wire: Dialect): ByFamily {
  let byDialect = known.get(lane);
  if (byDialect === undefined) known.set(lane, (byDialect = new Map()));
  let byFamily = byDialect.get(wire);
  if (byFamily === undefined) byDialect.set(wire, (byFamily = new Map()));
  return byFamily;
}
