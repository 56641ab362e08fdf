import { dlopen, ptr } from "bun:ffi";

/** The C library by the names glibc, musl and macOS give it. */
const NAMES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "libSystem.dylib"];

/**
 * The few system calls that the runtime has no way to, for listening sockets and unix datagrams.
 * Everything passed to them is made here, and nothing they return is a pointer.
 */
const SYMBOLS = {
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
  dup3: { args: ["i32", "i32", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
} as const;

export type Libc = ReturnType<typeof open>["symbols"];

let opened: Libc | undefined | "none";

/** Undefined where there is no such library, or the system forbids what the call gates need. */
export function libc(): Libc | undefined {
  opened ??= firstOf(NAMES) ?? "none";
  return opened === "none" ? undefined : opened;
}

function open(name: string) {
  return dlopen(name, SYMBOLS);
}

function firstOf(names: readonly string[]): Libc | undefined {
  for (const name of names) {
    try {
      return open(name).symbols;
    } catch {
      continue; // Not this system's name for it; the caller says so when none is.
    }
  }
  return undefined;
}

/** The address of bytes, as a number that another structure can hold. */
export function addressOf(bytes: Uint8Array): bigint {
  return BigInt(ptr(bytes));
}
