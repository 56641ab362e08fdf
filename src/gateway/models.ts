import type { Route } from "../ingress/path.ts";
import type { Key } from "../ingress/authenticate.ts";
import { LIST_OWNER } from "../config/model-list.ts";
import { Rejection } from "../core/rejection.ts";
import type { Target } from "../router/routes.ts";
import type { Gateway } from "./assemble.ts";
import { addOwnHeaders } from "./own-headers.ts";
import { refuse } from "./refuse.ts";
import { settle, type Visit } from "./visit.ts";

/** OpenAI's model object; `created` is when this process read its configuration. */
interface ModelEntry {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
}

/** `GET /v1/models` and `/v1/models/{id}`: the names this key may use, and no others. */
export function answerModels(
  gateway: Gateway,
  visit: Visit,
  route: Route & { readonly kind: "models" | "model" },
): Response {
  const entries = [...gateway.routes.named]
    .filter(([name, target]) => mayUse(gateway, visit.key!, { name, target }))
    .map(([name]) => entryOf(gateway, name));
  const headers = addOwnHeaders({}, visit);
  if (route.kind === "models") {
    settle(visit, { kind: "served" });
    return Response.json({ object: "list", data: entries }, { headers });
  }
  const entry = entries.find(({ id }) => id === route.name);
  if (entry !== undefined) {
    settle(visit, { kind: "served" });
    return Response.json(entry, { headers });
  }
  return refuse(visit, new Rejection({ kind: "model_not_found", model: route.name }));
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
  const lanes = (isPrivate ? target.private : target.shareable).lanes;
  return lanes.some(({ backend }) => gateway.dialects[backend.dialect] !== undefined);
}

function entryOf(gateway: Gateway, name: string): ModelEntry {
  const created = Math.floor(gateway.startedWall / 1000);
  return { id: name, object: "model", created, owned_by: LIST_OWNER };
}
