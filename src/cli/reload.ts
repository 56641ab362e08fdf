import { askOne, readControlArguments, socketsMeant } from "./control-arguments.ts";
import type { Reloaded } from "./fleet/reloader.ts";
import { EXIT, type Io } from "./io.ts";

/** `interlock reload`: the running gateway reads its configuration again, or says why not. */
export async function reload(argv: readonly string[], io: Io): Promise<number> {
  const options = readControlArguments(argv);
  if (typeof options === "string") {
    io.stderr(`interlock reload: ${options}\n`);
    return EXIT.usage;
  }
  const sockets = socketsMeant(options, io.env);
  const asked = await askOne(sockets, { command: "reload" }, () => {});
  if (typeof asked === "string") {
    io.stderr(`interlock reload: ${asked}\n`);
    return EXIT.failed;
  }
  const reloaded = asked.result as Reloaded;
  if (options.json) io.stdout(`${JSON.stringify(reloaded)}\n`);
  else tell(reloaded, io);
  return asked.ok ? EXIT.ok : EXIT.failed;
}

function tell(reloaded: Reloaded, io: Io): void {
  const { generation } = reloaded;
  switch (reloaded.kind) {
    case "applied":
      io.stdout(`reloaded: generation ${generation} serves every new request\n`);
      for (const change of reloaded.needsRestart) {
        io.stdout(`  needs \`interlock restart\`: ${change}\n`);
      }
      return;
    case "unchanged":
      io.stdout(`unchanged: generation ${generation} goes on\n`);
      return;
    case "refused":
      io.stderr(`refused, generation ${generation} goes on: ${reloaded.reason}\n`);
  }
}
