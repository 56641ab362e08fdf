import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** States of a TCP socket as /proc/net/tcp spells them: include/net/tcp_states.h. */
const ESTABLISHED = "01";
const CLOSE_WAIT = "08";
const LISTEN = "0A";

/** Descriptors of this process that listen on a port; empty where the system does not tell. */
export function listenersOn(port: number): readonly number[] {
  const inodes = inodesOn(port, [LISTEN]);
  if (inodes.size === 0) return [];
  return ownSockets().flatMap(([fd, inode]) => (inodes.has(inode) ? [fd] : []));
}

/** How many sockets of all processes listen on a port; undefined where the system does not tell. */
export function listenerCount(port: number): number | undefined {
  const count = inodesOn(port, [LISTEN]).size;
  return count === 0 ? undefined : count;
}

/** Connections of this process on a local port; undefined where the system does not tell. */
export function connectionsOn(port: number): number | undefined {
  try {
    const inodes = inodesOn(port, [ESTABLISHED, CLOSE_WAIT]);
    return ownSockets().filter(([, inode]) => inodes.has(inode)).length;
  } catch {
    return undefined; // Only Linux has these files; elsewhere nobody waits for the number.
  }
}

/** Every process's sockets on a port: `sl local_address rem_address st … inode`. */
function inodesOn(port: number, states: readonly string[]): ReadonlySet<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const inodes = new Set<string>();
  for (const table of ["tcp", "tcp6"]) {
    for (const line of tableText(table).split("\n")) {
      const [, local = "", , state = "", , , , , , inode = ""] = line.trim().split(/\s+/);
      if (local.endsWith(suffix) && states.includes(state)) inodes.add(inode);
    }
  }
  return inodes;
}

function tableText(name: string): string {
  try {
    return readFileSync(`/proc/self/net/${name}`, "latin1");
  } catch {
    return ""; // A machine without IPv6 has no tcp6.
  }
}

function ownSockets(): readonly (readonly [fd: number, inode: string])[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    const inode = /^socket:\[(\d+)\]$/.exec(targetOf(fd))?.[1];
    return inode === undefined ? [] : [[Number(fd), inode] as const];
  });
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ""; // Closed since the folder was read: it is no socket of ours any more.
  }
}
