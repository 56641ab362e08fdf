import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kvm } from "@nats-io/kv";
import { connect, type NatsConnection } from "@nats-io/transport-node";

const PROGRAM = Bun.which("nats-server");
/** For a suite's name: the program is not everywhere. */
export const needsNats = PROGRAM === null ? " skipped: needs nats (nats-server)" : "";
export const haveNats = PROGRAM !== null;

/** A real NATS server of a suite's own, which may die, freeze and come back with what it knew. */
export interface NatsServer extends AsyncDisposable {
  readonly url: string;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** kill -9; `start` brings it back. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

const BUCKET = "ai-gateway";

export async function startNats(): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), "interlock-nats-"));
  const held = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = held;
  held.stop(true);
  let child: Bun.Subprocess | undefined;
  let client: NatsConnection | undefined;
  async function start(): Promise<void> {
    const flags = ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", folder];
    child = Bun.spawn([PROGRAM ?? "nats-server", ...flags], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    for (let tries = 0; tries < 200; tries++) {
      const options = { servers: `127.0.0.1:${port}`, reconnect: false, timeout: 1000 };
      client = await connect(options).catch(() => undefined);
      if (client !== undefined) break;
      await Bun.sleep(25);
    }
    await bucket();
  }
  async function bucket() {
    if (client === undefined) throw new Error("the NATS server does not answer");
    return new Kvm(client).create(BUCKET);
  }
  async function kill(): Promise<void> {
    child?.kill("SIGKILL");
    await child?.exited;
    await client?.close().catch(() => {}); // It is gone.
  }
  await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    put: async (key, value) => void (await (await bucket()).put(key, value)),
    delete: async (key) => (await bucket()).delete(key),
    freeze: () => child?.kill("SIGSTOP"),
    thaw: () => child?.kill("SIGCONT"),
    ...{ kill, start },
    async [Symbol.asyncDispose]() {
      child?.kill("SIGCONT");
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
