import type { Network, Session, SessionOptions } from "../../runtime/runtime.ts";

/** A network that knows the sessions opened through it, so that they can be closed together. */
export interface TrackedNetwork extends Network {
  closeSessions(): void;
}

export function tracked(network: Network): TrackedNetwork {
  const open = new Set<Session>();
  return {
    resolve: (host) => network.resolve(host),
    reach: (target, timeout) => network.reach(target, timeout),
    session(options: SessionOptions) {
      const session = network.session(options);
      open.add(session);
      return session;
    },
    closeSessions() {
      for (const session of open) session.close();
      open.clear();
    },
  };
}
