import { SAMPLE } from "../config/sample.ts";
import { EXIT, type Io } from "./io.ts";

/** `interlock config generate`: a commented file to start from. */
export async function configGenerate(argv: readonly string[], io: Io): Promise<number> {
  if (argv.length > 0) {
    io.stderr("interlock: config generate takes no options; send its output to a file\n");
    return EXIT.usage;
  }
  io.stdout(SAMPLE);
  return EXIT.ok;
}
