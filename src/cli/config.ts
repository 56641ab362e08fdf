import { configGenerate } from "./config-generate.ts";
import { configShow } from "./config-show.ts";
import { EXIT, type Io } from "./io.ts";
import { validate } from "./validate.ts";

const USAGE = "Usage: interlock config show | generate | validate FILE\n";

/** `interlock config …`: one command with three parts. */
export async function config(argv: readonly string[], io: Io): Promise<number> {
  const [part, ...rest] = argv;
  if (part === "show") return configShow(rest, io);
  if (part === "generate") return configGenerate(rest, io);
  if (part === "validate") return validate(rest, io);
  const why = part === undefined ? "" : `interlock: no config command '${part}'\n`;
  io.stderr(why + USAGE);
  return EXIT.usage;
}
