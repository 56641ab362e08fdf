/** A TCP link to a server that can be frozen: nothing passes, nothing is refused. */
export interface FrozenLink extends Disposable {
  readonly port: number;
  freeze(): void;
  thaw(): void;
  /** Ends every connection there is; new ones are let through. */
  cut(): void;
}

interface Ends {
  other: Bun.Socket<Ends> | undefined;
  readonly held: Uint8Array[];
}

export function frozenLink(target: {
  readonly hostname: string;
  readonly port: number;
}): FrozenLink {
  let frozen = false;
  const sockets = new Set<Bun.Socket<Ends>>();
  const pass = (socket: Bun.Socket<Ends>): void => {
    const { other, held } = socket.data;
    if (frozen || other === undefined) return;
    for (let bytes = held.shift(); bytes !== undefined; bytes = held.shift()) {
      const taken = Math.max(0, other.write(bytes));
      if (taken === bytes.length) continue;
      held.unshift(bytes.subarray(taken)); // The rest when there is room again.
      return;
    }
  };
  const handler: Bun.SocketHandler<Ends> = {
    data: (socket, bytes) => {
      socket.data.held.push(new Uint8Array(bytes));
      pass(socket);
    },
    drain: (socket) => {
      if (socket.data.other !== undefined) pass(socket.data.other);
    },
    close: (socket) => {
      sockets.delete(socket);
      socket.data.other?.end();
    },
    error: () => {},
  };
  const server = Bun.listen<Ends>({
    ...{ hostname: "127.0.0.1", port: 0 },
    socket: {
      ...handler,
      open: (client) => {
        client.data = { other: undefined, held: [] };
        sockets.add(client);
        const data: Ends = { other: client, held: [] };
        const open = (upstream: Bun.Socket<Ends>): void => {
          sockets.add(upstream);
          client.data.other = upstream;
          pass(client);
        };
        void Bun.connect<Ends>({ ...target, data, socket: { ...handler, open } });
      },
    },
  });
  return {
    port: server.port,
    freeze: () => {
      frozen = true;
    },
    thaw: () => {
      frozen = false;
      for (const socket of sockets) pass(socket);
    },
    cut: () => {
      for (const socket of sockets) socket.terminate();
    },
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.terminate();
      server.stop(true);
    },
  };
}
