import { addressOf, libc } from "./libc.ts";
import { listenersOn } from "./sockets.ts";

// Linux, asm-generic/socket.h and linux/bpf_common.h; the same on x86-64 and arm64.
const SOL_SOCKET = 1;
const SO_ATTACH_REUSEPORT_CBPF = 51;
const SO_DETACH_REUSEPORT_BPF = 68;
const BPF_RET_K = 0x06;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
/** The same bit as O_CLOEXEC, which dup3 takes. */
const SOCK_CLOEXEC = 0o2000000;

/**
 * Tells the kernel which of the listeners that share `port` gets new connections: the one at
 * `index`, oldest first. An index nobody has leaves it to the kernel's hash again.
 *
 * A listener that is closed resets the connections that wait for its accept (one in 630, measured
 * with plain overlap); one that gets no new connections has none waiting. A program that names the
 * first listener of the new process stays right while the old ones close in any order, because the
 * kernel fills the gap with the youngest (net/core/sock_reuseport.c, reuseport_detach_sock).
 */
export function steer(port: number, index: number): boolean {
  const code = Buffer.alloc(8); // struct sock_filter { u16 code; u8 jt; u8 jf; u32 k; }
  code.writeUInt16LE(BPF_RET_K, 0);
  code.writeUInt32LE(index, 4);
  const program = Buffer.alloc(16); // struct sock_fprog { u16 len; struct sock_filter *filter; }
  program.writeUInt16LE(1, 0);
  program.writeBigUInt64LE(addressOf(code), 8);
  return setOption(port, SO_ATTACH_REUSEPORT_CBPF, program);
}

/** Takes the program away; false when there was none. */
export function unsteer(port: number): boolean {
  return setOption(port, SO_DETACH_REUSEPORT_BPF, Buffer.alloc(4));
}

/**
 * Closes what listens on `port` and leaves its connections alone, which the server's own `stop`
 * does not: it cuts those that are idle, with whatever request is on its way to them. The
 * descriptor goes on as an unconnected socket, for the server to close when it does stop.
 */
export function closeListener(port: number): boolean {
  if (process.platform !== "linux") return false;
  const [fd] = listenersOn(port);
  const symbols = fd === undefined ? undefined : libc();
  if (fd === undefined || symbols === undefined) return false;
  const idle = symbols.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (idle < 0) return false;
  const isClosed = symbols.dup3(idle, fd, SOCK_CLOEXEC) === fd;
  symbols.close(idle);
  return isClosed;
}

function setOption(port: number, option: number, value: Buffer): boolean {
  if (process.platform !== "linux") return false;
  const [fd] = listenersOn(port);
  const symbols = fd === undefined ? undefined : libc();
  if (fd === undefined || symbols === undefined) return false;
  return symbols.setsockopt(fd, SOL_SOCKET, option, value, value.length) === 0;
}
