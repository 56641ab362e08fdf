import { resolve } from "node:path";
import { selfCommand } from "./bench/self.ts";
import { askOne, readControlArguments, socketsMeant } from "./control-arguments.ts";
import { EXIT, type Io } from "./io.ts";

interface Restarted {
  readonly pid?: number;
  readonly version?: string;
  readonly replaced?: number;
  readonly reason?: string;
}

/** `interlock restart`: a new process takes over from the running one, and no request is lost. */
export async function restart(argv: readonly string[], io: Io): Promise<number> {
  const options = readControlArguments(argv);
  if (typeof options === "string") {
    io.stderr(`interlock restart: ${options}\n`);
    return EXIT.usage;
  }
  const { binary, json } = options;
  // Whoever calls a new binary to restart means that one.
  const program = binary === undefined ? selfCommand() : [resolve(binary)];
  const say = (text: string): void => (json ? undefined : io.stdout(`${text}\n`));
  const asked = await askOne(socketsMeant(options, io.env), { command: "restart", program }, say);
  if (typeof asked === "string") {
    io.stderr(`interlock restart: ${asked}\n`);
    return EXIT.failed;
  }
  const restarted = asked.result as Restarted;
  if (json) io.stdout(`${JSON.stringify({ ok: asked.ok, ...restarted })}\n`);
  else if (asked.ok) {
    const { pid, version, replaced } = restarted;
    io.stdout(`restarted: pid ${pid} (${version}) has taken over; ${replaced} is draining\n`);
  } else io.stderr(`not restarted, the old process goes on: ${restarted.reason}\n`);
  return asked.ok ? EXIT.ok : EXIT.failed;
}
