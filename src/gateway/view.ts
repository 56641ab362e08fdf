import { ownedLabel } from "../config/tenants.ts";
import type { Key } from "../ingress/authenticate.ts";
import type { Proofs } from "../protocol/translate/proofs.ts";
import type { Routes } from "../router/routes.ts";
import { OTHER_MODEL } from "../router/routes.ts";
import type { Gateway } from "./assemble.ts";
import type { Visit } from "./visit.ts";

/** The names that a key can say: everybody's, or those of its tenant. */
export function routesOf(gateway: Gateway, { tenant }: Pick<Key, "tenant">): Routes {
  const own = tenant?.entry === undefined ? undefined : gateway.views.get(tenant.entry);
  return own ?? gateway.routes;
}

/** What a caller's proofs are sealed with: a tenant's open for it alone. */
export function proofsOf({ gateway, key }: Visit): Proofs {
  const tenant = key?.tenant;
  if (tenant !== undefined) return gateway.proofs.of(tenant.id);
  return key?.own === undefined ? gateway.proofs : gateway.proofs.of(`own:${key.own.digest}`);
}

/** What a tenant's model is counted under; undefined where everybody's names decide. */
export function labelOf({ gateway, key, model }: Visit): string | undefined {
  const tenant = key?.tenant;
  if (tenant?.entry === undefined || model === undefined) return undefined;
  if (tenant.models.has(model) || tenant.pools.has(model)) return ownedLabel(tenant.entry, model);
  return gateway.routes.named.has(model) ? model : OTHER_MODEL;
}
