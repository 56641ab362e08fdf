import { LIST_OWNER } from "../config/model-list.ts";
import { Rejection } from "../core/rejection.ts";
import type { Key } from "../ingress/authenticate.ts";
import type { ListRoute } from "../ingress/path.ts";
import type { ModelEntry } from "../protocol/dialect.ts";
import type { Target } from "../router/routes.ts";
import { within } from "../router/zones.ts";
import type { Gateway } from "./assemble.ts";
import { addOwnHeaders } from "./own-headers.ts";
import { refuse } from "./refuse.ts";
import { routesOf } from "./view.ts";
import { settle, type Visit } from "./visit.ts";

/** The list of models, or one of them, in the caller's protocol: the names this key may use. */
export function answerModels(gateway: Gateway, visit: Visit, route: ListRoute): Response {
  const { dialect } = visit;
  const routes = routesOf(gateway, visit.key!);
  if (route.name === undefined) {
    const entries = [...routes.named]
      .filter(([name, target]) => mayUse(gateway, visit.key!, { name, target }))
      .map(([name]) => entryOf(gateway, name));
    return json(visit, dialect.writeModels(entries));
  }
  const { name } = route;
  const target = routes.named.get(name);
  if (target === undefined || !mayUse(gateway, visit.key!, { name, target })) {
    return refuse(visit, new Rejection({ kind: "model_not_found", model: name }));
  }
  return json(visit, dialect.writeModel(entryOf(gateway, name)));
}

function json(visit: Visit, body: string): Response {
  const headers = addOwnHeaders({ "content-type": "application/json" }, visit);
  settle(visit, { kind: "served" });
  return new Response(body, { headers });
}

/** A name is listed when the key is granted it and something could answer it. */
function mayUse(
  gateway: Gateway,
  key: Key,
  { name, target }: { readonly name: string; readonly target: Target },
): boolean {
  if (key.allow !== undefined && !key.allow.includes(name)) return false;
  const unmarked = key.privacy ?? gateway.config.privacy.default;
  const isPrivate = target.privacy === "private" || unmarked === "private";
  const reached = within(target, key.zones, key.tenant?.zones);
  return (isPrivate ? reached.private : reached.shareable).lanes.length > 0;
}

function entryOf(gateway: Gateway, name: string): ModelEntry {
  return { id: name, created: Math.floor(gateway.startedWall / 1000), owner: LIST_OWNER };
}
