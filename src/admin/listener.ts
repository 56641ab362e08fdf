import { isLoopbackHost } from "../config/address.ts";
import { TOKEN_LENGTH_MIN } from "../config/admin.ts";
import type { AdminToken } from "../config/config.ts";
import type { Log } from "../runtime/runtime.ts";
import {
  ALIVE,
  type HealthDocument,
  healthHttpStatus,
  type Readiness,
  readinessHttpStatus,
} from "../telemetry/health.ts";
import {
  answerBug,
  answerClosed,
  answerHost,
  answerJson,
  answerMethodNotAllowed,
  answerMetrics,
  answerNotFound,
  answerOutOfScope,
  answerUnauthenticated,
} from "./answers.ts";
import type { ApiRequest } from "./api.ts";
import { callerOf } from "./credential.ts";
import type { AdminDesk } from "./desk.ts";
import { checkHost } from "./host.ts";

/** What the admin listener shows; whoever assembles the gateway provides it. */
export interface AdminSource {
  metrics(): Awaitable<string>;
  health(detailed: boolean): Awaitable<HealthDocument>;
  readiness(): Awaitable<Readiness>;
}
/** There at once, or when the processes that know have said it. */
type Awaitable<T> = T | Promise<T>;

export interface AdminOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /**
   * Who may use the API now. With any, metrics and health details want one too; without, the API
   * answers nobody, and the listener is on loopback only.
   */
  readonly tokens: () => readonly AdminToken[];
  /** Loaded when somebody first calls the API. */
  readonly desk: () => Promise<AdminDesk>;
  /** Names accepted in `Host` besides `localhost` and addresses. */
  readonly allowedHosts: readonly string[];
  readonly source: AdminSource;
  readonly log: Log;
  /** Answers another node that proved who it is; undefined to one that did not. */
  readonly peers?:
    ((request: Request, target: string) => Promise<Response | undefined>) | undefined;
}

/** A listener, or in one sentence each why there is none and what to do. */
export type AdminStart =
  | { readonly kind: "listening"; readonly port: number; stop(): Promise<void> }
  | { readonly kind: "refused"; readonly reason: string; readonly fix: string };

/** Where another node asks what was set here. */
export const PEER_PATH = "/peers/registers";
/** No request of the API is longer. */
const BODY_BYTES_MAX = 64 * 1024;

/** Opens the admin listener on a port of its own: none of it is reachable from the data port. */
export function startAdmin(options: AdminOptions): AdminStart {
  const refused = refusal(options);
  if (refused) return refused;
  const answer = adminHandler(options);
  try {
    const server = Bun.serve({
      hostname: options.host,
      port: options.port,
      reusePort: false, // Bun's default would share the port with another gateway, unnoticed.
      development: false,
      maxRequestBodySize: BODY_BYTES_MAX,
      fetch: (request, own) => answer(request, own.requestIP(request)?.address),
      error(bug) {
        options.log.line("error", "admin", "A request failed on a bug", { error: bug.name });
        return answerBug();
      },
    });
    // `stop(true)`: a scraper's idle connection must not hold up a shutdown.
    return { kind: "listening", port: server.port ?? 0, stop: () => server.stop(true) };
  } catch (cause) {
    return cannotListen(options, cause);
  }
}

function refusal({ host, tokens }: AdminOptions): AdminStart | undefined {
  const own = tokens();
  if (own.some(({ secret }) => secret.expose().length < TOKEN_LENGTH_MIN)) {
    return {
      kind: "refused",
      reason: "the admin token is too short to be safe",
      fix: `use at least ${TOKEN_LENGTH_MIN} random characters`,
    };
  }
  if (own.length > 0 || isLoopbackHost(host)) return undefined;
  return {
    kind: "refused",
    reason: `the admin listener would be open to the network on ${host} without a credential`,
    fix: "bind it to 127.0.0.1 or configure an admin token",
  };
}

function cannotListen({ host, port }: AdminOptions, cause: unknown): AdminStart {
  const code = codeOf(cause);
  if (code === undefined) throw cause;
  return {
    kind: "refused",
    reason: `the admin listener cannot listen on ${host}:${port} (${code})`,
    fix: "choose another metrics port, or stop what uses this one",
  };
}

/** The system's name for an error, such as EADDRINUSE. */
function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}

/** Requests to answers, without a socket. */
export function adminHandler(
  options: Pick<AdminOptions, "source" | "tokens" | "allowedHosts" | "desk" | "peers">,
): (request: Request, from?: string) => Awaitable<Response> {
  const { source, tokens, allowedHosts, desk } = options;
  return (request, from) => {
    const host = checkHost(request.headers.get("host"), allowedHosts);
    if (host !== "ok") return answerHost(host);
    const { path, query } = targetOf(request.url);
    if (path === PEER_PATH && options.peers !== undefined) {
      return answerPeer(options.peers(request, `${path}?${query}`));
    }
    const asked = new URLSearchParams(query);
    const own = tokens();
    const caller = callerOf(request.headers, own);
    if (path.startsWith("/admin/")) {
      if (own.length === 0) return answerClosed();
      return callApi({ request, path, query: asked, caller, from }, desk);
    }
    const detailed = asked.get("detailed") === "true";
    const route = routeOf(path, detailed);
    if (route === undefined) return answerNotFound();
    if (request.method !== "GET" && request.method !== "HEAD") {
      return answerMethodNotAllowed(["GET", "HEAD"]);
    }
    if (route.guarded && own.length > 0 && caller === undefined) return answerUnauthenticated();
    if (route.guarded && caller?.tenant !== undefined) return answerOutOfScope();
    return route.answer(source);
  };
}

/** A gateway whose API nobody calls does not load it. */
async function callApi(asked: ApiRequest, desk: AdminOptions["desk"]): Promise<Response> {
  const [{ answerApi }, own] = await Promise.all([import("./api.ts"), desk()]);
  return answerApi(asked, own);
}

/** Other nodes prove who they are by a secret of their own, and see no token. */
async function answerPeer(answer: Promise<Response | undefined>): Promise<Response> {
  return (await answer) ?? answerUnauthenticated();
}

/** A path that leads somewhere. */
interface Route {
  /** Tells of the configuration or the traffic, so it wants the token when there is one. */
  readonly guarded: boolean;
  answer(source: AdminSource): Awaitable<Response>;
}

function routeOf(path: string, detailed: boolean): Route | undefined {
  switch (path) {
    case "/metrics":
      return { guarded: true, answer: (source) => when(source.metrics(), answerMetrics) };
    case "/health":
      return { guarded: detailed, answer: (source) => when(source.health(detailed), answerHealth) };
    case "/livez":
      return { guarded: false, answer: () => answerJson(200, ALIVE) };
    case "/readyz":
      return { guarded: false, answer: (source) => when(source.readiness(), answerReadiness) };
    default:
      return undefined;
  }
}

function when<T>(value: Awaitable<T>, answer: (value: T) => Response): Awaitable<Response> {
  return value instanceof Promise ? value.then(answer) : answer(value);
}

function answerHealth(health: HealthDocument): Response {
  return answerJson(healthHttpStatus(health), health);
}

function answerReadiness(readiness: Readiness): Response {
  return answerJson(readinessHttpStatus(readiness), readiness);
}

/** The target as it was sent. `new URL` throws where Host is odd, and nothing here needs it. */
function targetOf(url: string): { readonly path: string; readonly query: string } {
  const target = url.slice(url.indexOf("/", "https://".length));
  const mark = target.indexOf("?");
  if (mark < 0) return { path: target, query: "" };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}
