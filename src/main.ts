import { COMMANDS, HELP } from "./cli/commands.ts";
import { helpFor } from "./cli/help.ts";
import { VERSION } from "./core/version.ts";

const [first = "start", ...rest] = process.argv.slice(2);

process.exitCode = await run(first, rest);

/** Argv to command, exit code. Nothing else. */
async function run(name: string, argv: readonly string[]): Promise<number> {
  if (name === "--version" || name === "-V") {
    process.stdout.write(`interlock ${VERSION}\n`);
    return 0;
  }
  if (name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(HELP);
    return 0;
  }
  if (name.startsWith("-")) return run("start", [name, ...argv]);
  const command = COMMANDS.get(name);
  if (command === undefined) {
    process.stderr.write(`interlock: no command '${name}'. Commands: interlock --help\n`);
    return 2;
  }
  const help = helpFor(name, argv);
  if (help === undefined) return command(argv);
  process.stdout.write(help);
  return 0;
}
