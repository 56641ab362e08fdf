import type { Ms } from "../core/units.ts";

/** Everything nondeterministic, in one parameter. Tests pass a simulated one. */
export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly log: Log;
}

export interface Clock {
  /** Monotonic. For durations, deadlines and limits. */
  now(): Ms;
  /** Since the epoch. For budget periods and log lines only. */
  wall(): Ms;
  /** Monotonic, in nanoseconds, and the same in every process of the machine. */
  machine(): bigint;
  /** Runs `wake` once after `delay`, however long that is, unless the timer is cancelled first. */
  after(delay: Ms, wake: () => void): Timer;
}
export interface Timer {
  cancel(): void;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** `length` bytes from the operating system, as lower-case hex. For identifiers. */
  hex(length: number): string;
}

export interface Network {
  /** Every address `host` has right now. @throws when the name does not resolve. */
  resolve(host: string): Promise<readonly string[]>;
  /** One connection pool with its own egress rules; nothing is shared between two of them. */
  session(options: SessionOptions): Session;
  /** Opens and closes a connection; resolves to whether it came about within `timeout`. */
  reach(target: ReachTarget, timeout: Ms): Promise<boolean>;
}
export interface SessionOptions {
  readonly proxy: URL | undefined;
  readonly unix: string | undefined;
  /** Gives the session a connection pool of its own even for plain http. */
  readonly serverName: string | undefined;
}
export interface Session {
  fetch(url: string, init: BunFetchRequestInit): Promise<Response>;
  close(): void;
}
export interface ReachTarget {
  readonly host: string;
  readonly port: number;
  readonly unix: string | undefined;
  readonly tlsServerName: string | undefined;
}

/** Structured lines. Fields are an allow-list by type: a body, a header map or an Error is none. */
export interface Log {
  line(level: LogLevel, target: string, message: string, fields?: LogFields): void;
  /** Resolves when all lines so far are with the operating system. */
  flush(): Promise<void>;
}
export type LogLevel = "debug" | "info" | "warn" | "error";
export interface LogFields {
  readonly [name: string]:
    string | number | boolean | undefined | { readonly [name: string]: number };
}
