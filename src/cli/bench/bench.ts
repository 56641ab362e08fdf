import { Children } from "./children.ts";
import { makeHome } from "./gateway.ts";
import { BENCH_HELP, readOptions } from "./options.ts";
import { report } from "./report.ts";
import { run } from "./run.ts";

/** Where a command writes. */
export interface BenchIo {
  stdout(text: string): void;
  stderr(text: string): void;
}

const INTERRUPTED = 130;

/** `interlock bench`: the exit code is 0 only when every contender answered everything rightly. */
export async function bench(argv: readonly string[], io: BenchIo): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    io.stdout(BENCH_HELP);
    return 0;
  }
  const options = readOptions(argv);
  if ("problem" in options) {
    io.stderr(`interlock bench: ${options.problem}\n`);
    return 2;
  }
  const children = new Children();
  const home = await makeHome();
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    void children.endAll(); // What waits for a child fails then, so the `finally` below runs.
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    const command = ["interlock", "bench", ...argv].join(" ");
    const progress = (text: string): void => io.stderr(`${text}\n`);
    const result = await run({ options, command, children, home: home.path, progress });
    io.stdout(options.json ? `${JSON.stringify(result, null, 2)}\n` : report(result));
    return result.clean ? 0 : 1;
  } catch (failure) {
    if (interrupted) return INTERRUPTED;
    io.stderr(`interlock bench: ${failure instanceof Error ? failure.message : String(failure)}\n`);
    return 1;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    await children.endAll();
    await home.remove();
  }
}
