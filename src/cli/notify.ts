import { libc } from "./fleet/libc.ts";
import type { Clock, Timer } from "../runtime/runtime.ts";
import type { Ms } from "../core/units.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;
/** `sun_path` of a unix address, its closing zero included. */
const PATH_BYTES = 108;

/** What systemd is told: sd_notify(3). Every call is a no-op where nobody listens. */
export interface Notifier {
  /** Whether somebody listens. */
  readonly isOn: boolean;
  ready(status: string): void;
  /** A reload has begun; `ready` ends it. */
  reloading(): void;
  stopping(): void;
  status(text: string): void;
  /** Another process is this service's main one from now on. */
  mainPid(pid: number): void;
  /** Says it is alive, as often as the unit's WatchdogSec wants; undefined where it does not. */
  watchdog(clock: Clock): Timer | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Variables that are for the process systemd started, and not for its children. */
export const NOTIFY_VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

export interface NotifierOptions {
  readonly env: Variables;
  readonly pid: number;
  /** Microseconds of CLOCK_MONOTONIC. */
  readonly monotonicUs: () => bigint;
}

export function createNotifier({ env, pid, monotonicUs }: NotifierOptions): Notifier {
  const path = env["NOTIFY_SOCKET"];
  const say = (text: string): void => {
    if (path !== undefined && path !== "") sendDatagram(path, text);
  };
  return {
    isOn: path !== undefined && path !== "",
    ready: (status) => say(`READY=1\nSTATUS=${oneLine(status)}`),
    reloading: () => say(`RELOADING=1\nMONOTONIC_USEC=${monotonicUs()}`),
    stopping: () => say("STOPPING=1\nSTATUS=Draining"),
    status: (text) => say(`STATUS=${oneLine(text)}`),
    mainPid: (next) => say(`MAINPID=${next}`),
    watchdog(clock) {
      const period = watchdogPeriod(env, pid);
      return period === undefined ? undefined : every(clock, period, () => say("WATCHDOG=1"));
    },
  };
}

/** Half of what the unit allows, as sd_watchdog_enabled(3) advises; another's pid is not ours. */
export function watchdogPeriod(env: Variables, pid: number): Ms | undefined {
  const micros = Number(env["WATCHDOG_USEC"] ?? "");
  const meant = env["WATCHDOG_PID"];
  if (meant !== undefined && meant !== "" && meant !== String(pid)) return undefined;
  return Number.isSafeInteger(micros) && micros > 0 ? micros / 2000 : undefined;
}

function every(clock: Clock, period: Ms, act: () => void): Timer {
  let timer: Timer;
  const tick = (): void => {
    act();
    timer = clock.after(period, tick);
  };
  tick();
  return { cancel: () => timer.cancel() };
}

/** A line feed would begin another assignment. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/**
 * One datagram to a unix socket, by path or (with `@`) abstract name. The runtime has no unix
 * datagrams, so this is a call into the C library. False when it did not go out.
 */
export function sendDatagram(path: string, text: string): boolean {
  const name = Buffer.from(path);
  const symbols = libc();
  if (symbols === undefined || name.length >= PATH_BYTES) return false;
  const address = Buffer.alloc(2 + PATH_BYTES);
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  const isAbstract = path.startsWith("@");
  if (isAbstract) address[2] = 0;
  const length = 2 + name.length + (isAbstract ? 0 : 1);
  const fd = symbols.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bytes = Buffer.from(text);
  const flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  const sent = symbols.sendto(fd, bytes, bytes.length, flags, address, length);
  symbols.close(fd);
  return Number(sent) === bytes.length;
}
