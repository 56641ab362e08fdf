import { parseArgs } from "node:util";
import type { Environment } from "../config/env.ts";
import { askControl } from "./fleet/control-client.ts";
import type { Answered, ControlRequest } from "./fleet/control.ts";
import { candidateDirectories, socketsIn } from "./fleet/state-directory.ts";

/** The options of a command that talks to a running gateway. */
export interface ControlArguments {
  /** The data port of the gateway meant, where several run. */
  readonly port: string | undefined;
  readonly stateDirectory: string | undefined;
  readonly json: boolean;
  /** The program a restart starts. */
  readonly binary: string | undefined;
}

export function readControlArguments(argv: readonly string[]): ControlArguments | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        port: { type: "string", short: "p" },
        "state-dir": { type: "string" },
        json: { type: "boolean", default: false },
        binary: { type: "string" },
      },
      strict: true,
      allowPositionals: false,
    });
    const { port, json, binary } = values;
    return { port, stateDirectory: values["state-dir"], json, binary };
  } catch (error) {
    return error instanceof Error ? error.message : "the options cannot be read";
  }
}

/** The sockets that are meant; one of a process that died is among them. */
export function socketsMeant(
  { port, stateDirectory }: ControlArguments,
  env: Environment,
): readonly string[] {
  const directories = stateDirectory === undefined ? candidateDirectories(env) : [stateDirectory];
  const sockets = directories.flatMap(socketsIn);
  return port === undefined ? sockets : sockets.filter((path) => path.endsWith(`-${port}.sock`));
}

/** What asking exactly one gateway came to; a sentence when there is none, or more than one. */
export async function askOne(
  sockets: readonly string[],
  request: ControlRequest,
  say: (text: string) => void,
): Promise<Answered | string> {
  const status = await Promise.all(
    sockets.map((path) => askControl(path, { command: "status" }, () => {})),
  );
  const alive = sockets.filter((_path, at) => typeof status[at] === "object");
  const [path, another] = alive;
  if (path === undefined) return NOBODY;
  if (another !== undefined) {
    return `several gateways are running: name one with --port\n${alive.join("\n")}`;
  }
  const asked = await askControl(path, request, say);
  if (asked === "nobody") return NOBODY;
  return asked === "hung up" ? "the gateway ended before it answered" : asked;
}

export const NOBODY =
  "no gateway is running with this state directory (INTERLOCK_STATE_DIR, --state-dir)";
