import { NOBODY, readControlArguments, socketsMeant } from "./control-arguments.ts";
import { askControl } from "./fleet/control-client.ts";
import { type StatusDocument, statusText } from "./fleet/status-document.ts";
import { EXIT, type Io } from "./io.ts";

/** `interlock status`: every gateway that runs with this state directory. */
export async function status(argv: readonly string[], io: Io): Promise<number> {
  const options = readControlArguments(argv);
  if (typeof options === "string") {
    io.stderr(`interlock status: ${options}\n`);
    return EXIT.usage;
  }
  const ask = (path: string) => askControl(path, { command: "status" }, () => {});
  const asked = await Promise.all(socketsMeant(options, io.env).map(ask));
  const found = asked.flatMap((each) =>
    typeof each === "object" ? [each.result as StatusDocument] : [],
  );
  if (options.json) io.stdout(`${JSON.stringify(found, null, 2)}\n`);
  else if (found.length > 0) io.stdout(found.map(statusText).join("\n"));
  else io.stderr(`${NOBODY}\n`);
  return found.length > 0 ? EXIT.ok : EXIT.failed;
}
