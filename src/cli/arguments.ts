import { parseArgs } from "node:util";

/** The options of a command that reads one file. */
export interface FileArguments {
  readonly file: string | undefined;
  readonly json: boolean;
  readonly strict: boolean;
}

/** Reads `[FILE] [-c FILE] [--json] [--strict]`; a sentence when there is something else. */
export function readFileArguments(argv: readonly string[]): FileArguments | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: {
        config: { type: "string", short: "c" },
        json: { type: "boolean", default: false },
        strict: { type: "boolean", default: false },
      },
      strict: true,
      allowPositionals: true,
    });
    const [first, second] = [...positionals, values.config].filter((name) => name !== undefined);
    if (second !== undefined) return "more than one file is named";
    return { file: first, json: values.json, strict: values.strict };
  } catch (error) {
    return misread(error);
  }
}

/** What the reader of options says is wrong, without its advice about dashes. */
export function misread(error: unknown): string {
  const [why = ""] = (error instanceof Error ? error.message : "").split(". ");
  return why === "" ? "the options cannot be read" : why;
}
