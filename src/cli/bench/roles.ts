import { parseArgs } from "node:util";
import { obey, tell } from "./child.ts";
import { runHold } from "./hold.ts";
import type { HoldOrder } from "./hold.ts";
import { runWindow } from "./load.ts";
import type { WindowOrder } from "./load.ts";
import { startMock } from "./mock.ts";
import { startRelay } from "./relay.ts";

/** What `interlock bench` asks of its load generator. */
export type LoadOrder = WindowOrder | HoldOrder;

/** `interlock bench-mock [--port N] [--attached]`: the mock upstream, alone. */
export async function benchMock(argv: readonly string[]): Promise<number> {
  const { port, attached } = readArgs(argv);
  const mock = startMock(port);
  tell({ ready: true, port: mock.port });
  await stay(attached, () => mock.counts());
  mock.stop();
  return 0;
}

/** `interlock bench-relay --upstream URL [--port N] [--attached]`: the bare Bun relay. */
export async function benchRelay(argv: readonly string[]): Promise<number> {
  const { port, attached, upstream } = readArgs(argv);
  if (upstream === undefined) throw new Error("bench-relay: --upstream is missing");
  const relay = startRelay(port, upstream);
  tell({ ready: true, port: relay.port });
  await stay(attached, () => ({}));
  await relay.stop();
  return 0;
}

/** `interlock bench-load`: runs the orders its parent sends, one after the other. */
export async function benchLoad(_argv: readonly string[]): Promise<number> {
  tell({ ready: true });
  await obey((line) => {
    const order = JSON.parse(line) as LoadOrder;
    return order.mode === "window" ? runWindow(order) : runHold(order);
  });
  return 0;
}

interface ServerArgs {
  readonly port: number;
  readonly upstream: string | undefined;
  readonly attached: boolean;
}

function readArgs(argv: readonly string[]): ServerArgs {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      port: { type: "string", default: "0" },
      upstream: { type: "string" },
      attached: { type: "boolean", default: false },
    },
  });
  return { port: Number(values.port), upstream: values.upstream, attached: values.attached };
}

/** A child ends with its parent; one that a person started stays until it is told to end. */
function stay(attached: boolean, answer: () => object): Promise<void> {
  return attached ? obey(answer) : Promise.withResolvers<void>().promise;
}
