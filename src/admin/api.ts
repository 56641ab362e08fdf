import type { AdminRole, AdminToken } from "../config/config.ts";
import { KeyStoreError } from "../state/keys/key-file.ts";
import { StoreError } from "../state/store/sql.ts";
import {
  answerForbidden,
  answerMethodNotAllowed,
  answerNotFound,
  answerOutOfScope,
  answerProblem,
  answerUnauthenticated,
} from "./answers.ts";
import { listAudit, verifyRecords } from "./audit.ts";
import { BadRequest } from "./body.ts";
import { listDenials, removeDenial, setDenial } from "./denials.ts";
import { type AdminDesk, type Call, DeskClosed } from "./desk.ts";
import { createKey, listKeys, revokeKey, rotateKey, showKey } from "./keys.ts";

/** A call of the API: what it takes, and what it does. There is nothing besides these. */
interface ApiRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: RegExp;
  /** Who may: an admin may all that a viewer may. */
  readonly role: AdminRole;
  /** Whether it can be kept to one tenant: the others are the operator's alone. */
  readonly scoped?: true;
  readonly act: (call: Call) => Promise<Response>;
}

const KEYS = /^\/admin\/keys$/;
const KEY = /^\/admin\/keys\/([\w.@:%-]{1,200})$/;
const ROTATE = /^\/admin\/keys\/([\w.@:%-]{1,200})\/rotate$/;
const DENIALS = /^\/admin\/denials$/;
const DENIAL = /^\/admin\/denials\/([^/]{1,40})$/;

const ROUTES: readonly ApiRoute[] = [
  { method: "GET", path: KEYS, role: "viewer", scoped: true, act: listKeys },
  { method: "POST", path: KEYS, role: "admin", scoped: true, act: createKey },
  { method: "GET", path: KEY, role: "viewer", scoped: true, act: showKey },
  { method: "DELETE", path: KEY, role: "admin", scoped: true, act: revokeKey },
  { method: "POST", path: ROTATE, role: "admin", scoped: true, act: rotateKey },
  { method: "GET", path: DENIALS, role: "viewer", act: listDenials },
  { method: "PUT", path: DENIAL, role: "admin", act: setDenial },
  { method: "DELETE", path: DENIAL, role: "admin", act: removeDenial },
  { method: "GET", path: /^\/admin\/audit$/, role: "viewer", act: listAudit },
  { method: "GET", path: /^\/admin\/audit\/verify$/, role: "viewer", act: verifyRecords },
];

/** A request for something under `/admin/`. */
export interface ApiRequest {
  readonly request: Request;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Whose token it carries; undefined when it is nobody's. */
  readonly caller: AdminToken | undefined;
  /** The address it came from. */
  readonly from: string | undefined;
}

/** Who asks is looked at before what is asked: nothing here is told to strangers. */
export async function answerApi(asked: ApiRequest, desk: AdminDesk): Promise<Response> {
  const { request, path, query, caller, from } = asked;
  if (caller === undefined) return answerUnauthenticated();
  const routes = ROUTES.filter((each) => each.path.test(path));
  if (routes.length === 0) return answerNotFound();
  const route = routes.find(({ method }) => method === request.method);
  if (route === undefined) return answerMethodNotAllowed(routes.map(({ method }) => method));
  const { tenant } = caller;
  if (tenant !== undefined && route.scoped !== true) return answerOutOfScope();
  if (route.role === "admin" && caller.role !== "admin") return answerForbidden();
  const caught = (route.path.exec(path) ?? []).slice(1).map(decoded);
  const by = `api:${caller.name}@${from ?? "unknown"}`;
  try {
    return await route.act({ request, desk, by, tenant, caught, query });
  } catch (error) {
    return answerFailure(error);
  }
}

/** @throws what is a bug, and not the caller's doing or the state's. */
function answerFailure(error: unknown): Response {
  if (error instanceof BadRequest) {
    const { status, message, param } = error;
    return answerProblem(status, { type: "invalid_request", message, param });
  }
  if (
    error instanceof StoreError ||
    error instanceof KeyStoreError ||
    error instanceof DeskClosed
  ) {
    const isLate = error instanceof StoreError && error.kind === "deadline";
    const outcome = isLate ? "whether it was changed is not known" : "nothing was changed";
    const message = `The state cannot be used now, ${outcome}: ${error.message}`;
    return answerProblem(503, { type: "unavailable", message });
  }
  throw error;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // No name of anything here, which the answer will say.
  }
}
