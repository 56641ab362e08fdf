import type { AnyBackend } from "../core/backend.ts";
import { Rejection } from "../core/rejection.ts";
import type { CallHead } from "../core/request.ts";
import type { DialectId } from "../core/ids.ts";
import { findCall, type FoundCall, withoutKey } from "../ingress/calls.ts";
import type { CallRoute, NamedRoute } from "../ingress/path.ts";
import type { Named, Routes } from "../router/routes.ts";
import type { Gateway } from "./assemble.ts";

/** A call, and the name its path begins with. */
export interface Asked {
  readonly dialect: DialectId;
  readonly head: CallHead;
  /** Whom the path itself names; undefined where the model decides. */
  readonly named: Named | undefined;
}

export interface AskedBy {
  readonly method: string;
  /** The names its caller can say. */
  readonly routes: Routes;
}

/**
 * The call a route makes. Its first segment may name a provider, whose own path the rest is and
 * goes on as it came; or a pool or model, which then answers whatever model the body names.
 */
export function findCallFor(
  gateway: Gateway,
  route: CallRoute | NamedRoute,
  { method, routes }: AskedBy,
): Asked | Rejection {
  if (route.kind === "call") return { ...route, named: undefined };
  const { name, rest, query } = route;
  const provider = routes.providers.get(name);
  if (provider !== undefined) {
    const backend = gateway.config.backends.find((each) => each.name === name)!;
    return adHoc(name, backend, route) ?? native({ backend, name, rest, query, method });
  }
  const call = findCall(rest, query);
  const target = routes.named.get(name);
  if (call === undefined || target === undefined) return notFound(route);
  if (method !== "POST") return new Rejection({ kind: "method_not_allowed", allow: "POST" });
  return { ...call, named: { name, target } };
}

function notFound({ name, rest }: NamedRoute): Rejection {
  return new Rejection({ kind: "not_found", path: `/${name}${rest === "/" ? "" : rest}` });
}

interface Native {
  readonly backend: AnyBackend;
  readonly name: string;
  readonly rest: string;
  readonly query: string;
  readonly method: string;
}

/** The provider's own path, to its own host, byte for byte; read where it is a call we know. */
function native({ backend, name, rest, query, method }: Native): Asked {
  const known = method === "POST" ? findCall(belowMount(rest, backend), query) : undefined;
  const isSpoken =
    known !== undefined &&
    (known.dialect === backend.dialect || backend.also.includes(known.dialect));
  const named: Named = { name, target: undefined };
  const own = { tail: rest, query: withoutKey(query), verbatim: true } as const;
  if (isSpoken) return { dialect: known.dialect, head: { ...known.head, ...own }, named };
  const head = { operation: "native", model: name, stream: undefined, ...own } as const;
  return { dialect: backend.dialect, head, named };
}

/** What a base URL of each protocol ends in, where it ends in a version. */
const VERSION: { readonly [D in DialectId]?: string } = {
  openai: "/v1",
  responses: "/v1",
  gemini: "/v1beta",
};

/** Groq has `/openai/v1/…`, Z.ai `/api/paas/v4/…`: behind it stands the protocol's own path. */
function belowMount(rest: string, { baseUrl, dialect }: AnyBackend): string {
  const mount = baseUrl.pathname.replace(/\/$/, "");
  const isBelow = mount !== "" && rest.startsWith(`${mount}/`);
  return isBelow ? (VERSION[dialect] ?? "") + rest.slice(mount.length) : rest;
}

const CALL_PATH = /^\/([^/]+)(\/(?:v1|v2)\/(?:chat\/completions|responses|messages|chat))$/;

/** `/{provider}/{model}/v1/messages`: a model of a provider that nobody configured (b-R20). */
function adHoc(provider: string, backend: AnyBackend, route: NamedRoute): Asked | undefined {
  const [, model, path] = CALL_PATH.exec(route.rest) ?? [];
  if (model === undefined || path === undefined) return undefined;
  const mount = backend.baseUrl.pathname.replace(/\/$/, "");
  if (mount !== "" && route.rest.startsWith(`${mount}/`)) return undefined; // Its own path.
  const call: FoundCall | undefined = findCall(path, route.query);
  if (call === undefined) return undefined;
  return { ...call, named: { name: provider, target: undefined, model } };
}
