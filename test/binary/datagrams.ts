import { dlopen } from "bun:ffi";
import { rmSync } from "node:fs";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const LENGTH_MAX = 4096;

/** What systemd is to a service: a unix datagram socket that only listens. */
export interface Datagrams extends Disposable {
  readonly path: string;
  /** Everything that has come in so far, one text for each datagram. */
  readonly all: readonly string[];
}

/** The runtime cannot receive unix datagrams either, so this asks the C library. */
export function receiveDatagrams(path: string): Datagrams {
  const { symbols } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
    recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
  });
  rmSync(path, { force: true });
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2);
  const fd = symbols.socket(AF_UNIX, SOCK_DGRAM, 0);
  if (symbols.bind(fd, address, address.length) !== 0) throw new Error(`cannot bind ${path}`);
  const all: string[] = [];
  const bytes = Buffer.alloc(LENGTH_MAX);
  const read = (): void => {
    for (;;) {
      const length = Number(symbols.recv(fd, bytes, bytes.length, MSG_DONTWAIT));
      if (length < 0) return;
      all.push(bytes.toString("utf8", 0, length));
    }
  };
  const timer = setInterval(read, 10);
  return {
    path,
    get all() {
      read();
      return all;
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      symbols.close(fd);
      rmSync(path, { force: true });
    },
  };
}
