import type { Lane } from "../core/pool.ts";
import type { Placement } from "../core/privacy.ts";
import type { Target } from "./routes.ts";

/** Zones that a request may go to; undefined bounds nothing. */
export type Zones = readonly string[] | undefined;

/** The zone that every backend on a machine of the operator's own is in, whatever else it is in. */
const OWN_ZONE = "local";

/** Targets by their narrowed forms: as many as there are different lists of zones. */
const narrowed = new WeakMap<Target, Map<string, Target>>();

/** A target without the lanes whose backends are outside of either list. It never gains any. */
export function within(target: Target, ofKey: Zones, ofTenant?: Zones): Target {
  if (ofKey === undefined && ofTenant === undefined) return target;
  const name = `${ofKey?.join(" ")}\n${ofTenant?.join(" ")}`;
  let forms = narrowed.get(target);
  if (forms === undefined) narrowed.set(target, (forms = new Map()));
  let form = forms.get(name);
  if (form === undefined) {
    const keep = (lane: Lane<Placement>) => isIn(lane, ofKey) && isIn(lane, ofTenant);
    const [shut, open] = [target.private.within(keep), target.shareable.within(keep)];
    form = { ...target, private: shut, shareable: open };
    forms.set(name, form);
  }
  return form;
}

function isIn({ backend }: Lane<Placement>, zones: Zones): boolean {
  if (zones === undefined) return true;
  if (backend.placement === "local" && zones.includes(OWN_ZONE)) return true;
  return backend.zone !== undefined && zones.includes(backend.zone);
}
