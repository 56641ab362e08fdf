import type { AnyBackend } from "../core/backend.ts";
import {
  isLoopbackHost,
  isMetadataAddress,
  isPrivateAddress,
  isPublicAddress,
} from "../config/address.ts";
import type { Ms } from "../core/units.ts";
import type { Clock, Network, ReachTarget, Session } from "../runtime/runtime.ts";

/**
 * The one way out to a backend: its own connection pool, its own proxy or none, and the address to
 * dial. For a backend known by name, that address is resolved and checked here, and it is the
 * checked address that is dialled, so a name that moves cannot take the payload along.
 */
export interface Egress {
  readonly session: Session;
  /** Never the environment's: Bun would take `HTTP_PROXY` even for loopback. */
  readonly proxy: false | { readonly url: string; readonly respectNoProxy: false };
  /** Where to dial now; a promise only when the name must be resolved first. */
  dial(): Dialled | AddressRefused | Promise<Dialled | AddressRefused>;
  /** What was dialled was not reached: the name is asked anew, and its other addresses tried. */
  lost(): void;
  /** Whether a connection to `dialled` comes about; asked once at a time, whoever asks. */
  reach(dialled: Dialled, timeout: Ms): Promise<boolean>;
  /** When bytes last came from there: a backend heard from is reachable. */
  heardAt: Ms;
  close(): void;
}
export interface Dialled {
  /** Scheme, address and port, to stand before a path. */
  readonly origin: string;
  /** The `Host` to send when `origin` holds an address instead of the name. */
  readonly host: string | undefined;
  readonly reach: ReachTarget;
}
export interface AddressRefused {
  readonly refused: "unresolved" | "public_address" | "private_address";
}

/** How long a resolved and checked address is dialled before the name is asked again. */
const RESOLVED_FOR_MS: Ms = 5000;
/** An external one is dialled this long while its name is asked again: no request waits. */
const KEPT_MS: Ms = 600_000;
const REACH_MS: Ms = 1000;

/** As much of a backend as a way out needs to know. */
export type Reached = Pick<
  AnyBackend,
  "name" | "baseUrl" | "placement" | "proxy" | "unix" | "operatorControlled" | "privateAddresses"
>;

export interface EgressOptions {
  readonly network: Network;
  readonly clock: Clock;
}

export function createEgress(backend: Reached, { network, clock }: EgressOptions): Egress {
  const { baseUrl, placement, proxy, unix } = backend;
  if (placement === "local" && proxy !== undefined) {
    throw new Error(`local backend ${backend.name} has a proxy`);
  }
  const secure = baseUrl.protocol === "https:";
  const serverName = secure ? hostOf(baseUrl) : undefined;
  const session = network.session({ proxy, unix, serverName });
  const isNamed = unix === undefined && !isLiteral(hostOf(baseUrl));
  // A proxy looks the name up itself.
  const pinned = isNamed && proxy === undefined;
  const fixed = asWritten(backend);
  let reaching: Promise<boolean> | undefined;
  let resolving: Promise<Dialled | AddressRefused> | undefined;
  let cached: Dialled | undefined;
  let cachedUntil: Ms = -Infinity;

  const at = (address: string): Dialled => dialled(baseUrl, { address, named: true, unix });

  /** One look-up at a time serves all who wait for it. */
  function resolveOnce(): Promise<Dialled | AddressRefused> {
    resolving ??= resolveAndCheck().finally(() => {
      resolving = undefined;
    });
    return resolving;
  }
  async function resolveAndCheck(): Promise<Dialled | AddressRefused> {
    // No answer: nothing to dial.
    const addresses: readonly string[] = await network.resolve(hostOf(baseUrl)).catch(() => []);
    if (addresses.length === 0) return { refused: "unresolved" };
    const refused = refusalOf(backend, addresses);
    if (refused !== undefined) {
      cached = undefined;
      return { refused };
    }
    const before = cached?.reach.host;
    // A host that was reached stays the one that is dialled for as long as it is among them.
    if (before === undefined || !addresses.includes(before)) {
      const choices = addresses.map((address) => at(address));
      cached = await firstReachable(choices, network);
    }
    cachedUntil = clock.now() + RESOLVED_FOR_MS;
    return cached ?? { refused: "unresolved" };
  }

  return {
    session,
    proxy: proxy === undefined ? false : { url: proxy.href, respectNoProxy: false },
    heardAt: -Infinity,
    dial() {
      if (!pinned) return fixed;
      const age = clock.now() - cachedUntil;
      if (cached !== undefined && placement === "external" && age >= 0 && age < KEPT_MS) {
        void resolveOnce();
        return cached;
      }
      return cached !== undefined && clock.now() < cachedUntil ? cached : resolveOnce();
    },
    lost() {
      cached = undefined;
    },
    reach(target, timeout) {
      reaching ??= network.reach(target.reach, timeout).finally(() => {
        reaching = undefined;
      });
      return reaching;
    },
    close: () => session.close(),
  };
}

/** A name with several addresses may be served on one of them only, as `localhost` often is. */
async function firstReachable(choices: readonly Dialled[], network: Network): Promise<Dialled> {
  for (const choice of choices.length > 1 ? choices : []) {
    if (await network.reach(choice.reach, REACH_MS)) return choice;
  }
  return choices[0]!;
}

/**
 * What is wrong with where a name leads: nothing of a local backend may go out, and no request for
 * the open internet comes into this network because somebody else's name says so.
 */
function refusalOf(
  backend: Reached,
  addresses: readonly string[],
): AddressRefused["refused"] | undefined {
  const { placement, baseUrl } = backend;
  if (placement === "local") {
    const isOurs = backend.operatorControlled || addresses.every(isPrivateAddress);
    return isOurs ? undefined : "public_address";
  }
  if (addresses.some(isMetadataAddress)) return "private_address";
  const isFree = backend.privateAddresses || isLoopbackHost(hostOf(baseUrl));
  return isFree || addresses.every(isPublicAddress) ? undefined : "private_address";
}

/** Where a host is by its address, its socket or its proxy's word. */
function asWritten({ baseUrl, unix, proxy }: Reached): Dialled {
  const direct = dialled(baseUrl, { address: hostOf(baseUrl), named: false, unix });
  return proxy === undefined ? direct : { ...direct, reach: reachOf(proxy) };
}

/** Where a connection to the host of `url` goes, for its port and its TLS. */
function reachOf(url: URL): ReachTarget {
  return dialled(url, { address: hostOf(url), named: false, unix: undefined }).reach;
}

/** The host of a URL without the brackets of an IPv6 literal. */
function hostOf(url: URL): string {
  return url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
}

/** WHATWG URLs normalise every spelling of an IPv4 address to dotted decimals. */
function isLiteral(host: string): boolean {
  return host.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

function dialled(
  url: URL,
  { address, named, unix }: { address: string; named: boolean; unix: string | undefined },
): Dialled {
  const secure = url.protocol === "https:";
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const literal = address.includes(":") ? `[${address}]` : address;
  return {
    origin: `${url.protocol}//${literal}${url.port === "" ? "" : `:${url.port}`}`,
    host: named ? url.host : undefined,
    reach: { host: address, port, unix, tlsServerName: secure ? hostOf(url) : undefined },
  };
}
