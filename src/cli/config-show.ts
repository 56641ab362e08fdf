import { Document, isMap, isScalar, type YAMLMap } from "yaml";
import type { Config, Diagnostic } from "../config/config.ts";
import { discover } from "../config/discover.ts";
import { CONFIG_VARIABLE, variable } from "../config/env.ts";
import { load } from "../config/load.ts";
import { type Path, say } from "../config/path.ts";
import { type Printed, printConfig, type PrintOptions } from "../config/print.ts";
import { readFileArguments } from "./arguments.ts";
import { diagnosticsText } from "./diagnostics.ts";
import { EXIT, type Io } from "./io.ts";

/** `interlock config show`: the configuration in effect, and where each value comes from. */
export async function configShow(argv: readonly string[], io: Io): Promise<number> {
  const options = readFileArguments(argv);
  if (typeof options === "string" || options.strict) {
    const why = typeof options === "string" ? options : "--strict belongs to validate";
    io.stderr(`interlock: ${why}\nUsage: interlock config show [-c FILE] [--json]\n`);
    return EXIT.usage;
  }
  const shown = await effective(options.file ?? variable(io.env, CONFIG_VARIABLE), io);
  if ("errors" in shown) {
    io.stderr(diagnosticsText("Errors", shown.errors));
    return EXIT.failed;
  }
  const printed = printConfig(shown.config, shown);
  io.stdout(options.json ? `${JSON.stringify(printed)}\n` : yamlOf(printed, shown));
  return EXIT.ok;
}

interface Effective extends PrintOptions {
  readonly config: Config;
}

async function effective(
  path: string | undefined,
  io: Io,
): Promise<Effective | { readonly errors: readonly Diagnostic[] }> {
  const { env } = io;
  if (path !== undefined) {
    return load({ path, env, readFile: (name) => io.readFile(name) }).then((loaded) => loaded);
  }
  // Engines are looked for when the gateway starts; showing a configuration asks nobody.
  const found = await discover({ env, probe: async () => undefined });
  return found.ok ? { ...found, written: new Map() } : found;
}

function yamlOf(printed: Printed, { config, origins }: Effective): string {
  const document = new Document(printed);
  if (isMap(document.contents)) annotate(document.contents, [], origins);
  return `${header(config)}${document.toString({ lineWidth: 0 })}${footer(config)}`;
}

function header({ source, privacy }: Config): string {
  const from = source.kind === "file" ? source.path : WITHOUT_FILE[source.kind];
  return `# In effect: ${from}\n# Unmarked requests are ${privacy.default}: ${privacy.why}.\n`;
}

const WITHOUT_FILE = {
  environment: "what the environment gives; engines on this machine are looked for at start",
  demo: "nothing is configured; at start engines are looked for, else the demo answers",
} as const;

function footer({ notActive }: Config): string {
  return notActive.length === 0 ? "" : `# Not active yet: ${notActive.join(", ")}\n`;
}

/** Writes behind each value where it comes from, unless that is the file. */
function annotate(map: YAMLMap, at: Path, origins: ReadonlyMap<string, string>): void {
  for (const { key, value } of map.items) {
    const path = [...at, isScalar(key) ? String(key.value) : String(key)];
    if (isMap(value)) annotate(value, path, origins);
    const origin = origins.get(say(path));
    if (isScalar(value) && origin !== undefined) value.comment = ` ${origin}`;
  }
}
