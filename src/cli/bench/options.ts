import { parseArgs } from "node:util";

export const BENCH_HELP = `interlock bench: what this gateway costs on this machine

  interlock bench [--seconds N] [--windows N] [--concurrency a,b,c] [--json]
                  [--target [NAME=]URL [--target-key KEY] [--target-model NAME]
                                       [--target-pid PID]]...
  interlock bench --streams N [--seconds N] [--json] [--target ...]

  --seconds N        length of one window (default 2); of the hold with --streams (default 15)
  --windows N        windows of each contender in each case, at least 3 (default 3)
  --concurrency LIST requests at a time in the buffered case (default 1,8,64)
  --streams N        hold N streams open, one event a second each, instead of the other cases
  --target URL       also measure the OpenAI-compatible gateway at this base URL (http://…/v1);
                     may be repeated; --target-key, -model and -pid belong to the one before them
  --mock-port N      port of the mock upstream, so that a target can be pointed at it beforehand
  --json             print everything as JSON

Starts a mock upstream, a load generator, a bare Bun relay and Interlock itself, all on loopback,
and ends them. Windows rotate over the contenders; figures are medians (least-greatest).
A target has to relay to http://127.0.0.1:MOCK_PORT/v1: other answers count as failures.
`;

export interface TargetOption {
  readonly name: string;
  readonly url: URL;
  readonly key: string;
  readonly model: string;
  /** Its process, for CPU and memory; undefined leaves those figures out. */
  readonly pid: number | undefined;
}

export interface BenchOptions {
  readonly seconds: number;
  readonly windows: number;
  readonly concurrencies: readonly number[];
  /** Streams to hold; undefined runs the other cases. */
  readonly streams: number | undefined;
  readonly mockPort: number;
  readonly json: boolean;
  readonly targets: readonly TargetOption[];
}

/** Why a command line cannot be run. */
export interface OptionError {
  readonly problem: string;
}

const FLAGS = {
  seconds: { type: "string" },
  windows: { type: "string" },
  concurrency: { type: "string" },
  streams: { type: "string" },
  "mock-port": { type: "string" },
  json: { type: "boolean" },
  target: { type: "string", multiple: true },
  "target-key": { type: "string", multiple: true },
  "target-model": { type: "string", multiple: true },
  "target-pid": { type: "string", multiple: true },
} as const;

/** Reads the command line; every number has a bound, so that no run is endless. */
export function readOptions(argv: readonly string[]): BenchOptions | OptionError {
  try {
    const { values, tokens } = parseArgs({ args: [...argv], options: FLAGS, tokens: true });
    const streams =
      values.streams === undefined ? undefined : count("streams", values.streams, 1, 50_000);
    return {
      seconds: amount("seconds", values.seconds ?? (streams === undefined ? "2" : "15"), 0.05, 600),
      windows: count("windows", values.windows ?? "3", 3, 99),
      concurrencies: (values.concurrency ?? "1,8,64")
        .split(",")
        .map((text) => count("concurrency", text, 1, 4096)),
      streams,
      mockPort: count("mock-port", values["mock-port"] ?? "0", 0, 65_535),
      json: values.json === true,
      targets: readTargets(
        tokens.flatMap((token) =>
          token.kind === "option" && token.value !== undefined ? [[token.name, token.value]] : [],
        ),
      ),
    };
  } catch (failure) {
    // parseArgs and the readers below throw for what a person typed: that is an answer, not a bug.
    return { problem: failure instanceof Error ? failure.message : String(failure) };
  }
}

function readTargets(given: readonly (readonly string[])[]): readonly TargetOption[] {
  const targets: TargetOption[] = [];
  for (const [name = "", value = ""] of given) {
    if (name === "target") targets.push(newTarget(value));
    if (!name.startsWith("target-")) continue;
    const last = targets.pop();
    if (last === undefined) throw new Error(`--${name} comes after the --target it belongs to`);
    if (name === "target-key") targets.push({ ...last, key: value });
    else if (name === "target-model") targets.push({ ...last, model: value });
    else targets.push({ ...last, pid: count(name, value, 1, 2 ** 31) });
  }
  return targets;
}

function newTarget(value: string): TargetOption {
  const named = /^([a-z0-9._-]+)=(.+)$/i.exec(value);
  const url = URL.parse(named?.[2] ?? value);
  if (url?.protocol !== "http:") throw new Error(`--target ${value}: give a base URL with http://`);
  return { name: named?.[1] ?? url.host, url, key: "bench", model: "bench", pid: undefined };
}

function amount(name: string, text: string, least: number, most: number): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= least && value <= most) return value;
  throw new Error(`--${name} ${text}: give a number from ${least} to ${most}`);
}

function count(name: string, text: string, least: number, most: number): number {
  const value = amount(name, text, least, most);
  if (Number.isInteger(value)) return value;
  throw new Error(`--${name} ${text}: give a whole number`);
}
